"""Runs over tables of examples or pairs: the table joined to the order of its buckets."""

from __future__ import annotations

from typing import Any, ClassVar

import polars as pl

from regrow.lineage.errors import Unanswerable
from regrow.lineage.ledger import Record
from regrow.lineage.runs.run import Run, data_job, sums
from regrow.lineage.shelf import Shelf
from regrow.train.buckets import Buckets


class Table(Run):
    """A run whose data are the rows of a table, by id, in buckets of nearly equal length."""

    columns: ClassVar[tuple[str, ...]]
    """shown of a row"""
    groups: ClassVar[tuple[str, ...]]
    """columns by which totals are summed"""

    def __init__(self, shelf: Shelf, checkpoint: Record) -> None:
        """Read the table and compute the order.

        Raises:
            Unanswerable: the table is not on disk.
        """
        super().__init__(shelf, checkpoint)
        self.data = data_job(checkpoint, shelf)
        self.rows, lengths = self._read()
        seed = int(self.block["seed"]) + int(checkpoint.options.get("seed", 0))
        name = self.stage.partition("_seed")[0]
        size = int(self.block["micro_batch_sequences"])
        try:
            self.buckets = Buckets(lengths, size, f"{name} order seed {seed}")
        except ValueError as error:
            raise Unanswerable(f"{self.data}: {error}") from None

    def _read(self) -> tuple[pl.DataFrame, list[int]]:
        """The rows in the order of their ids, with a column `tokens`; and the lengths to sort by."""
        raise NotImplementedError

    def _table(self, file: str) -> pl.LazyFrame:
        table = self.shelf.table(self.data, file)
        if table is None:
            raise Unanswerable(self.shelf.hint() or f"{self.data} has no {file}.")
        return table

    def numbers(self, step: int) -> list[int]:
        """Rows of the table in a step, in the order of the batch."""
        per_step = self.batch // self.buckets.size
        places = range((step - 1) * per_step, step * per_step)
        return [number for place in places for number in self.buckets.at(place)]

    def of_step(self, step: int) -> list[dict[str, Any]]:
        """See Run."""
        self.check(step)
        numbers = self.numbers(step)
        rows = self.rows.select(self._shown())[numbers].to_dicts()
        return [{"row": row, **values} for row, values in enumerate(rows)]

    def _shown(self) -> list[str]:
        return [c for c in self.columns if c in self.rows.columns]

    def of(self, id: str) -> list[dict[str, Any]]:
        """See Run. `id`: of the row, or of its task."""
        names = [c for c in ("id", "task") if c in self.rows.columns]
        mine = self.rows.with_row_index("number").filter(
            pl.any_horizontal([pl.col(name) == id for name in names])
        )
        wanted = {row["number"]: row for row in mine.to_dicts()}
        return [
            {"step": step, **{c: wanted[n][c] for c in self._shown()}}
            for step in range(1, self.last_step + 1)
            for n in self.numbers(step)
            if n in wanted
        ]

    def totals(self) -> dict[str, Any]:
        """See Run."""
        numbers = [n for step in range(1, self.last_step + 1) for n in self.numbers(step)]
        seen = self.rows[numbers] if numbers else self.rows.clear()
        most = seen.group_by("id").agg(views=pl.len(), tokens=pl.col("tokens").sum())
        shown = most.sort(["views", "id"], descending=[True, False]).head(5)
        return {
            "tokens": int(sum(seen["tokens"].to_list())),
            "epochs": round(len(numbers) / len(self.rows), 3),
            "documents": most.height,
            "by": {c: sums(seen, c) for c in self.groups if c in seen.columns},
            "most_seen": shown.to_dicts(),
        }


class Examples(Table):
    """Supervised fine-tuning."""

    kind: ClassVar[str] = "examples"
    columns: ClassVar[tuple[str, ...]] = (
        "id", "task", "family", "teacher", "licence", "tokens", "learned", "messages",
    )  # fmt: skip
    groups: ClassVar[tuple[str, ...]] = ("family", "teacher", "licence")

    def _read(self) -> tuple[pl.DataFrame, list[int]]:
        branch = self.checkpoint.options.get("branch", "think")
        table = self._table(f"{branch}.parquet").with_columns(
            pl.col("tokens").list.len().cast(pl.Int64), pl.col("mask").list.sum().alias("learned")
        )
        rows = table.drop("mask").sort("id").collect()
        return rows, rows["tokens"].to_list()


class Pairs(Table):
    """Preference optimisation."""

    kind: ClassVar[str] = "pairs"
    columns: ClassVar[tuple[str, ...]] = (
        "id", "task", "family", "source", "tokens", "chosen_text", "rejected_text",
        "chosen_score", "rejected_score", "chosen_model", "rejected_model",
    )  # fmt: skip
    groups: ClassVar[tuple[str, ...]] = ("family", "source")

    def _read(self) -> tuple[pl.DataFrame, list[int]]:
        source = self.checkpoint.options.get("source", "judged")
        prompt, chosen, rejected = (
            pl.col(name).list.len().cast(pl.Int64) for name in ("prompt", "chosen", "rejected")
        )
        rows = (
            self._table("pairs.parquet")
            .filter(pl.col("source") == source)
            .with_columns(
                (2 * prompt + chosen + rejected).alias("tokens"),
                (prompt + pl.max_horizontal(chosen, rejected)).alias("longest"),
            )
            .drop("prompt", "chosen", "rejected")
            .sort("id")
            .collect()
        )
        return rows, rows["longest"].to_list()
