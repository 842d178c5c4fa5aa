"""Runs of reinforcement learning: their rollouts are an output, a table per checkpoint."""

from __future__ import annotations

from typing import Any, ClassVar

import polars as pl

from regrow.lineage.errors import Unanswerable
from regrow.lineage.ledger import Record
from regrow.lineage.runs.run import Run, sums
from regrow.lineage.shelf import Shelf

FILE = "rollouts.parquet"


class Rollouts(Run):
    """What a model answered, and what it was rewarded for."""

    kind: ClassVar[str] = "rollouts"
    columns: ClassVar[tuple[str, ...]] = (
        "group", "sample", "task", "family", "reward", "advantage", "used", "tokens", "reason", "text",
    )  # fmt: skip

    def __init__(self, shelf: Shelf, checkpoint: Record) -> None:
        """Read the rollouts of this checkpoint and those before it.

        Raises:
            Unanswerable: none is on disk.
        """
        super().__init__(shelf, checkpoint)
        frames = []
        for record in shelf.ledger.checkpoints(checkpoint.step):
            table = shelf.table(record.name, FILE)
            if table is not None and record.trained and record.trained[1] <= self.last_step:
                frames.append(table.with_columns(pl.lit(record.name).alias("checkpoint")).collect())
        if not frames:
            raise Unanswerable(shelf.hint() or f"{checkpoint.name} has no {FILE}.")
        found = pl.concat(frames, how="diagonal")
        self.rows = found.with_columns(
            pl.col("tokens").list.len().cast(pl.Int64),
            pl.col("reason").replace("", "full reward"),
        )

    def _shown(self) -> list[str]:
        return [c for c in self.columns if c in self.rows.columns]

    def of_step(self, step: int) -> list[dict[str, Any]]:
        """See Run. The id of a rollout is that of its task."""
        self.check(step)
        rows = self.rows.filter(pl.col("step") == step)
        if rows.is_empty():
            raise Unanswerable(f"the rollouts of step {step} are not on disk. {self.shelf.hint()}")
        return [
            {"row": row, "id": values["task"], **values}
            for row, values in enumerate(rows.select(self._shown()).to_dicts())
        ]

    def of(self, id: str) -> list[dict[str, Any]]:
        """See Run. `id`: of the task."""
        rows = self.rows.filter(pl.col("task") == id).sort("step", maintain_order=True)
        return rows.select("step", *self._shown()).to_dicts()

    def totals(self) -> dict[str, Any]:
        """See Run."""
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
