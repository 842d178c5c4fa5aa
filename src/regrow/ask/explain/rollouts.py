"""The answers that reinforcement learning learned from, as rows of an index."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from regrow.data.index import rows
from regrow.data.index.rows import Rows
from regrow.evidence.errors import Unanswerable
from regrow.evidence.runs.rollouts import FILE
from regrow.evidence.runs.run import Run

PARTS = ("reinforced", "discouraged")
"""answers better and worse than the mean of their group: made likelier, made less likely"""


def used(run: Run) -> pl.DataFrame:
    """The answers that moved the weights: id (of the task), step, prompt, tokens, part, the reinforced first.

    Answers of groups without a gradient were sampled and thrown away: nothing was learned from them.

    Raises:
        Unanswerable: the rollouts of a checkpoint are not on disk.
    """
    frames = []
    for record in run.outputs.ledger.checkpoints(run.checkpoint.step):
        if record.trained is None or not 0 < record.trained[1] <= run.last_step:
            continue
        table = run.outputs.table(record.name, FILE)
        if table is None:
            raise Unanswerable(run.outputs.hint() or f"{record.name} has no {FILE}.")
        frames.append(
            table.filter(pl.col("used") & (pl.col("advantage") != 0)).select(
                pl.col("task").alias("id"), "step", "prompt", "tokens", "advantage"
            )
        )
    if not frames:
        raise Unanswerable(f"{run.checkpoint.name} has no rollouts.")
    part = pl.when(pl.col("advantage") > 0).then(pl.lit(PARTS[0])).otherwise(pl.lit(PARTS[1]))
    found = pl.concat(frames).with_columns(part.alias("part"))
    return found.sort("part", descending=True, maintain_order=True).collect()


def as_rows(run: Run) -> Iterator[Rows]:
    """The same, prompt and answer in one row each; see `regrow.data.index.rows`."""
    found = used(run)
    for part in PARTS:
        yield rows.answers(found.filter(pl.col("part") == part), "tokens", "rollouts", part)
