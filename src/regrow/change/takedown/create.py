"""A takedown: what its documents touched, and the files under which the flow is without them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from regrow import yaml12
from regrow.change.takedown import wanted
from regrow.change.takedown.place import Place
from regrow.change.takedown.plan import plan
from regrow.change.takedown.run import Run
from regrow.change.takedown.stored import stored
from regrow.change.takedown.touched import touched
from regrow.data.takedown import documents
from regrow.evidence.errors import Unanswerable
from regrow.params.schema import check


@dataclass(frozen=True)
class Takedown:
    """Documents that a run shall be without."""

    run: Run
    ids: Sequence[str]
    copies: Sequence[dict[str, Any]]
    """other documents of the same text, which stay"""
    depth: str = "training"

    @classmethod
    def of(cls, run: Run, queries: Sequence[str], *, depth: str, copies: bool) -> Takedown:
        """The documents that the queries mean; with `copies`, those of the same text too.

        Raises:
            Unanswerable: a document is not to be found, or the run is not that of the records.
        """
        run.check_recorded()
        ids = wanted.documents(run.outputs, queries)
        same = wanted.copies(run.outputs, ids)
        if copies:
            ids, same = [*ids, *(row["id"] for row in same)], []
        return cls(run, sorted({*ids, *run.taken}), same, depth)

    @cached_property
    def touched(self) -> dict[str, Any]:
        """What the flow made of the documents. Raises Unanswerable: data are not here."""
        return touched(self.run.outputs, self.ids, self.run.params)

    def answer(self) -> dict[str, Any]:
        """`documents`, `depth`, `touched`, `copies`, `overlaps`."""
        return {
            "documents": list(self.ids),
            "depth": self.depth,
            "touched": self.touched,
            "copies": list(self.copies),
            "overlaps": wanted.overlaps(self.run.outputs, self.ids),
        }

    def params(self, name: str) -> dict[str, Any]:
        """The params of the run, with the section of the takedown.

        Raises:
            Unanswerable: no step of training saw any of the documents.
        """
        block: dict[str, Any] = {"name": name, "depth": self.depth}
        if self.depth == "training":
            if not self.touched["first"]:
                raise Unanswerable(
                    "no training step saw any of these documents: there is nothing to rebuild. "
                    "To take them out of the data sets too, say --depth everything."
                )
            block["first"] = self.touched["first"]
        return {**self.run.raw, "takedown": block}

    def write(self, place: Place, why: str) -> dict[str, Any]:
        """Write the list, the params and the request; nothing is run.

        Returns:
            `written`, `params_file`, `plan` and `stored`.

        Raises:
            Unanswerable: the name is none or is taken, or there is nothing to rebuild.
        """
        place.check_free()
        params = self.params(place.name)
        check(params, place.params_file)
        place.folder.mkdir(parents=True)
        place.documents.write_text(documents.encode(self.ids), encoding="utf-8")
        (self.run.root / place.params_file).write_text(yaml12.dump(params), encoding="utf-8")
        ledger = self.run.ledger
        planned = plan(Run(self.run.root, place.params_file).present, ledger)
        urls = [str(row["url"]) for row in self.touched["documents"]]
        held = stored(ledger, self.ids, urls, [*planned["anew"], *planned["aside"]])
        said = {
            "why": why,
            "params_file": place.params_file,
            "plan": planned,
            "before": {n: ledger.by_name[n].sha256 for n in planned["anew"] if n in ledger.by_name},
            "first": self.touched["first"],
            "stored": held,
        }
        text = json.dumps(said, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        place.request.write_text(text, encoding="utf-8")
        return {
            "written": [place.below(place.documents), place.params_file],
            "params_file": place.params_file,
            "plan": planned,
            "stored": held,
        }
