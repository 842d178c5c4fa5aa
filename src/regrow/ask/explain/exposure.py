"""Which rows of an index the steps of a run took: computed from the order of training, never logged."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from regrow.ask.explain.rollouts import used
from regrow.data.index.search import Index
from regrow.evidence.errors import Unanswerable
from regrow.evidence.runs.examples import Table
from regrow.evidence.runs.packs import Packs
from regrow.evidence.runs.run import Run

Ints = NDArray[np.int64]


class Exposure:
    """What the run of one stage took of an index, up to the checkpoint."""

    def __init__(self, run: Run, rows: Ints, steps: Ints, count: int) -> None:
        """`rows`, `steps`: one entry per time that a step took a row; `count`: rows of the index."""
        order = np.lexsort((steps, rows))
        self.stage = run.stage
        self.checkpoint = run.checkpoint.name
        self.last_step = run.last_step
        self.kind = run.kind
        self._rows, self._steps = rows[order], steps[order]
        self.times = np.bincount(rows, minlength=count)
        """how often each row was taken: (rows,)"""

    def steps(self, rows: Ints) -> list[int]:
        """The steps that took any of these rows, ascending, each once."""
        wanted = np.zeros(len(self.times), dtype=bool)
        wanted[rows] = True
        return [int(step) for step in np.unique(self._steps[wanted[self._rows]])]


def exposure(run: Run, index: Index) -> Exposure:
    """What `run` took of the index of its data, since these are its data.

    Steps whose update was dropped as an outlier (regrow.learn.train.skip) left nothing in the weights and do
    not count.

    Raises:
        Unanswerable: the index is not that of the run's data.
    """
    count = index.rows.height
    if isinstance(run, Packs):
        if run.sequences != count:
            raise Unanswerable(
                f"the index has {count} rows, but {run.data} has {run.sequences} sequences: "
                "`snakemake --cores all` rebuilds it."
            )
        taken = run.last_step - run.since
        rows = run.order.at(run.since * run.batch, taken * run.batch)
        steps = np.arange(len(rows), dtype=np.int64) // run.batch + run.since + 1
    elif isinstance(run, Table):
        rows, steps = _of_table(run, index)
    else:
        rows = np.arange(count, dtype=np.int64)
        steps = used(run)["step"].to_numpy().astype(np.int64)  # the index was made of just these
    dropped = np.array(skipped(run), dtype=np.int64)
    real = ~np.isin(steps, dropped)
    return Exposure(run, rows[real], steps[real], count)


def _of_table(run: Table, index: Index) -> tuple[Ints, Ints]:
    """Examples and pairs: a row of the table is one row of the index, or two (chosen and rejected)."""
    table = "pairs" if run.kind == "pairs" else str(run.checkpoint.options.get("branch", "think"))
    known = index.rows.with_row_index("row").filter(pl.col("table") == table).select("row", "id")
    taken = [(n, s) for s in range(1, run.last_step + 1) for n in run.numbers(s)]
    ids = run.rows["id"].gather([number for number, _ in taken])
    pairs = pl.DataFrame(
        {"id": ids, "step": [step for _, step in taken]}, schema_overrides={"step": pl.Int64}
    )
    joined = pairs.join(known, on="id", how="inner")
    if joined.select("id", "step").unique().height != pairs.unique().height:
        raise Unanswerable(
            f"the index of {run.data} lacks rows that {run.checkpoint.name} was trained on: "
            "`snakemake --cores all` rebuilds it."
        )
    return joined["row"].to_numpy().astype(np.int64), joined["step"].to_numpy().astype(np.int64)


def skipped(run: Run) -> list[int]:
    """Steps of the run whose update was dropped, ascending."""
    found: list[int] = []
    for record in run.outputs.ledger.checkpoints(run.checkpoint.step):
        if record.trained and 0 < record.trained[1] <= run.last_step:
            rows = run.outputs.rows(record.name, "metrics.parquet", pl.col("skipped"), ["step"])
            found += [int(row["step"]) for row in rows]
    return sorted(found)
