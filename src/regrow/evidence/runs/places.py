"""Which row of a table stood at which place of training, and the other way, for orders that sort by length.

Buckets of nearly equal length need all lengths to be computed (`regrow.learn.train.buckets`), so what the trainer's own
code says is kept as two trees: place -> row and row -> places. Places count examples or pairs over the whole run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from regrow.engine import files
from regrow.evidence.lookup.tree import BTree

if TYPE_CHECKING:
    from regrow.evidence.runs.examples import Table


class Places:
    """The places of one run over a table, up to the last checkpoint of its stage."""

    def __init__(self, run: Table) -> None:
        self._run = run
        self._lookup = run.outputs.lookup
        made = run.outputs.ledger.checkpoints(run.stage)
        self._end = max(r.trained[1] for r in made if r.trained) * run.per_step
        options = run.checkpoint.options
        about = [run.order, run.size, options.get("source"), options.get("branch"), self._end]
        spec = hashlib.sha256(files.canonical(about)).hexdigest()[:16]
        self._name = f"{self._lookup.store.sha256(run.path)}.{spec}"

    def rows(self, first: int, count: int) -> list[int]:
        """Numbers of the rows at places first .. first + count - 1."""

        def ask() -> list[int]:
            return [row for _, row in self._tree("rows").between(first, first + count - 1)]

        return self._lookup.sound(ask)

    def of(self, row: int) -> list[int]:
        """The places at which a row stood, ascending; [] if it never did."""
        return self._lookup.sound(lambda: self._tree("places").find(row))

    def _tree(self, what: str) -> BTree:
        def make(target: Path) -> None:
            import numpy as np

            from regrow.evidence.lookup import grow, sort

            at = np.array(self._order(), np.uint64)
            places = np.arange(len(at), dtype=np.uint64)
            if what == "rows":
                grow.grow(target, "number", [(places, at)])
            else:
                grow.grow(
                    target,
                    "number",
                    sort.ordered([(at, places)], target.parent, prefix=f"{target.name}."),
                )

        return self._lookup.store.opened(f"{self._name}.{what}.tree", BTree, make)

    def _order(self) -> Iterable[int]:
        row = self._run.read()[0]["row"].to_list()
        buckets = self._run.buckets
        return [row[n] for b in range(self._end // self._run.size) for n in buckets.at(b)]
