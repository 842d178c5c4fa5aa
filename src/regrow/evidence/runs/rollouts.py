"""Runs of reinforcement learning: their rollouts are an output, a table per checkpoint."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from regrow.evidence.errors import Unanswerable
from regrow.evidence.outputs import Outputs, picked
from regrow.evidence.record import Record
from regrow.evidence.runs.run import Run, sums

if TYPE_CHECKING:
    import polars as pl

FILE = "rollouts.parquet"


class Rollouts(Run):
    """What a model answered, and what it was rewarded for."""

    kind: ClassVar[str] = "rollouts"
    columns: ClassVar[tuple[str, ...]] = (
        "group", "sample", "task", "family", "reward", "advantage", "used", "tokens", "reason", "text",
    )  # fmt: skip

    def __init__(self, outputs: Outputs, checkpoint: Record) -> None:
        """Find the rollouts of this checkpoint and those before it.

        Raises:
            Unanswerable: none is on disk.
        """
        super().__init__(outputs, checkpoint)
        made = outputs.ledger.checkpoints(checkpoint.step)
        self.jobs = [
            record.name
            for record in made
            if record.trained and record.trained[1] <= self.last_step
            if outputs.path(record.name, FILE) is not None
        ]
        if not self.jobs:
            raise Unanswerable(outputs.hint() or f"{checkpoint.name} has no {FILE}.")

    @cached_property
    def rows(self) -> pl.DataFrame:
        """All rollouts, in the order of training; `tokens` is their number."""
        import polars as pl

        tables = [(job, self.outputs.table(job, FILE)) for job in self.jobs]
        frames = [
            table.with_columns(pl.lit(job).alias("checkpoint")).collect()
            for job, table in tables
            if table is not None
        ]
        return pl.concat(frames, how="diagonal").with_columns(
            pl.col("tokens").list.len().cast(pl.Int64),
            pl.col("reason").replace("", "full reward"),
        )

    def of_step(self, step: int) -> list[dict[str, Any]]:
        """See Run. The id of a rollout is that of its task."""
        self.check(step)
        rows = self._found("step", step)
        if not rows:
            raise Unanswerable(
                f"the rollouts of step {step} are not on disk. {self.outputs.hint()}"
            )
        shown = picked(rows, self.columns)
        return [{"row": row, "id": values["task"], **values} for row, values in enumerate(shown)]

    def of(self, id: str) -> list[dict[str, Any]]:
        """See Run. `id`: of the task."""
        rows = sorted(self._found("task", id), key=lambda row: row["step"])
        return picked(rows, ("step", *self.columns))

    def _found(self, column: str, value: str | int) -> list[dict[str, Any]]:
        rows = [r for job in self.jobs for r in self.outputs.find(job, FILE, column, value)]
        return [row | {"reason": row["reason"] or "full reward"} for row in rows]

    def totals(self) -> dict[str, Any]:
        """See Run."""
        import polars as pl

        reward = pl.col("reward").mean().round(4).alias("mean_reward")
        by = {c: sums(self.rows, c, reward) for c in ("family", "reason") if c in self.rows.columns}
        most = self.rows.group_by("task").agg(
            views=pl.len(), tokens=pl.col("tokens").sum(), mean_reward=pl.col("reward").mean()
        )
        shown = most.rename({"task": "id"}).sort(["views", "id"], descending=[True, False])
        return {
            "tokens": int(sum(self.rows["tokens"].to_list())),
            "epochs": None,
            "documents": most.height,
            "by": by,
            "most_seen": shown.head(5).to_dicts(),
        }
