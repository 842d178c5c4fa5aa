"""What a checkpoint has seen, data set by data set, ready to be searched."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from regrow.ask.explain.ancestors import trained
from regrow.ask.explain.exposure import Exposure, exposure
from regrow.ask.explain.indexes import name, open_index
from regrow.ask.explain.owners import Owners, owners
from regrow.ask.explain.rollouts import used
from regrow.data.index.search import Index
from regrow.evidence.outputs import Outputs
from regrow.evidence.record import Record
from regrow.evidence.runs.open import open_run
from regrow.evidence.runs.packs import Packs
from regrow.evidence.runs.rollouts import Rollouts
from regrow.evidence.runs.run import Run

Ints = NDArray[np.int64]


@dataclass
class DataSet:
    """An index of training data and what the runs before a checkpoint took of it."""

    name: str
    runs: list[Run]
    index: Index
    place: str
    """the folder of the index, or `memory`"""
    owners: Owners
    exposures: list[Exposure]

    @property
    def run(self) -> Run:
        """The first run over it."""
        return self.runs[0]

    @property
    def kind(self) -> str:
        """`documents`, `examples`, `pairs` or `rollouts`."""
        return self.run.kind

    @cached_property
    def times(self) -> Ints:
        """How often each row was taken by all runs: (rows,)."""
        return np.asarray(sum(e.times for e in self.exposures))

    def parts(self, rows: Ints) -> list[str]:
        """The part of each row: `chosen`, `rejected`, `reinforced`, `discouraged`, or ""."""
        return list(self.index.rows["part"].gather(rows).to_list())


def datasets(outputs: Outputs, checkpoint: Record) -> list[DataSet]:
    """The data sets behind a checkpoint, in the order in which training came to them.

    Raises:
        Unanswerable: a record, an index or the data are not here.
    """
    found: dict[str, DataSet] = {}
    for record in trained(outputs.ledger, checkpoint):
        if record.trained is None or record.trained[1] == 0:
            continue  # random weights
        whole = open_run(outputs, record)
        if isinstance(whole, Rollouts) and used(whole).is_empty():
            continue  # no group had a gradient: nothing was learned from
        for run in whole.parts if isinstance(whole, Packs) else [whole]:
            if (known := found.get(name(run))) is None:
                index, place = open_index(run)
                known = DataSet(name(run), [], index, place, owners(run, index), [])
                found[known.name] = known
            known.runs.append(run)
            known.exposures.append(exposure(run, known.index))
    return list(found.values())


def role(kind: str, part: str, learned: int | None, length: int) -> str:
    """What training did with a run of tokens: `learned` of its `length` tokens count in the loss (None: all)."""
    if learned == 0:
        return "context"
    if kind == "pairs":
        return {"chosen": "preferred", "rejected": "rejected"}[part]
    if kind == "rollouts":
        return part
    return "trained on" if learned is None or learned == length else "partly trained on"
