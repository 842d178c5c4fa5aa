"""Runs over tables of examples or pairs: the table joined to the order of its buckets."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from regrow.evidence.errors import Unanswerable
from regrow.evidence.outputs import Outputs, picked
from regrow.evidence.record import Record
from regrow.evidence.runs.places import Places
from regrow.evidence.runs.run import Run, data_job, sums

if TYPE_CHECKING:
    import polars as pl

    from regrow.learn.train.buckets import Buckets


class Table(Run):
    """A run whose data are the rows of a table, by id, in buckets of nearly equal length."""

    columns: ClassVar[tuple[str, ...]]
    """shown of a row"""
    groups: ClassVar[tuple[str, ...]]
    """columns by which totals are summed"""

    def __init__(self, outputs: Outputs, checkpoint: Record) -> None:
        """Find the table and its order.

        Raises:
            Unanswerable: the table is not on disk, or too short for a micro-batch.
        """
        super().__init__(outputs, checkpoint)
        self.data = data_job(checkpoint, outputs)
        path = outputs.path(self.data, self.file)
        if path is None:
            raise Unanswerable(outputs.hint() or f"{self.data} has no {self.file}.")
        self.path: Path = path
        seed = int(self.block["seed"]) + int(checkpoint.options.get("seed", 0))
        name = self.stage.partition("_seed")[0]
        self.order = f"{name} order seed {seed}"
        self.size = int(self.block["micro_batch_sequences"])
        self.per_step = self.batch // self.size * self.size
        """rows of a step"""

    @property
    def file(self) -> str:
        """The table, in the folder of the job."""
        raise NotImplementedError

    def read(self) -> tuple[pl.DataFrame, list[int]]:
        """The rows in the order of their ids, with `row` (in the table) and `tokens`; the lengths to sort by."""
        raise NotImplementedError

    @cached_property
    def rows(self) -> pl.DataFrame:
        """All rows in the order of their ids, see `read`."""
        return self.read()[0]

    @cached_property
    def buckets(self) -> Buckets:
        """The order of the trainer."""
        from regrow.learn.train.buckets import Buckets

        try:
            return Buckets(self.read()[1], self.size, self.order)
        except ValueError as error:
            raise Unanswerable(f"{self.data}: {error}") from None

    @cached_property
    def places(self) -> Places:
        """The same, looked up: which row stands where."""
        return Places(self)

    def numbers(self, step: int) -> list[int]:
        """Rows in the order of ids that a step took, in the order of the batch."""
        per_step = self.batch // self.size
        places = range((step - 1) * per_step, step * per_step)
        return [number for place in places for number in self.buckets.at(place)]

    def of_step(self, step: int) -> list[dict[str, Any]]:
        """See Run."""
        self.check(step)
        first = (step - 1) * self.per_step
        numbers = self.places.rows(first, self.per_step)
        rows = self._rows(numbers)
        return [{"row": row, **rows[number]} for row, number in enumerate(numbers)]

    def _rows(self, numbers: Iterable[int]) -> dict[int, dict[str, Any]]:
        """What is shown of rows, by number."""
        rows = self.outputs.lookup.rows(self.path, numbers)
        shown = picked([self.shown(row) for row in rows.values()], self.columns)
        return dict(zip(rows, shown, strict=True))

    def shown(self, row: dict[str, Any]) -> dict[str, Any]:
        """A brief row with `tokens`."""
        return row

    def of(self, id: str) -> list[dict[str, Any]]:
        """See Run. `id`: of the row, or of its task."""
        ask = self.outputs.lookup.numbers
        numbers = {n for column in ("id", "task") for n in ask(self.path, column, id)}
        end = self.last_step * self.per_step
        at = [(place, n) for n in numbers for place in self.places.of(n) if place < end]
        rows = self._rows(n for _, n in at)
        return [{"step": place // self.per_step + 1, **rows[n]} for place, n in sorted(at)]

    def totals(self) -> dict[str, Any]:
        """See Run."""
        import polars as pl

        rows = self.read()[0].drop("row")
        numbers = [n for step in range(1, self.last_step + 1) for n in self.numbers(step)]
        seen = rows[numbers] if numbers else rows.clear()
        most = seen.group_by("id").agg(views=pl.len(), tokens=pl.col("tokens").sum())
        shown = most.sort(["views", "id"], descending=[True, False]).head(5)
        return {
            "tokens": int(sum(seen["tokens"].to_list())),
            "epochs": round(len(numbers) / len(rows), 3),
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

    @property
    def file(self) -> str:
        """See Table."""
        return f"{self.checkpoint.options.get('branch', 'think')}.parquet"

    def read(self) -> tuple[pl.DataFrame, list[int]]:
        """See Table."""
        import polars as pl

        table = pl.scan_parquet(self.path, glob=False).with_row_index("row")
        tokens = pl.col("tokens").list.len().cast(pl.Int64)
        rows = table.with_columns(tokens, pl.col("mask").list.sum().alias("learned"))
        found = rows.drop("mask").sort("id").collect()
        return found, found["tokens"].to_list()


class Pairs(Table):
    """Preference optimisation."""

    kind: ClassVar[str] = "pairs"
    columns: ClassVar[tuple[str, ...]] = (
        "id", "task", "family", "source", "tokens", "chosen_text", "rejected_text",
        "chosen_score", "rejected_score", "chosen_model", "rejected_model",
    )  # fmt: skip
    groups: ClassVar[tuple[str, ...]] = ("family", "source")

    @property
    def file(self) -> str:
        """See Table."""
        return "pairs.parquet"

    def shown(self, row: dict[str, Any]) -> dict[str, Any]:
        """See Table. Both answers are read behind the prompt."""
        return row | {"tokens": 2 * row["prompt"] + row["chosen"] + row["rejected"]}

    def read(self) -> tuple[pl.DataFrame, list[int]]:
        """See Table."""
        import polars as pl

        source = self.checkpoint.options.get("source", "judged")
        prompt, chosen, rejected = (
            pl.col(name).list.len().cast(pl.Int64) for name in ("prompt", "chosen", "rejected")
        )
        rows = (
            pl.scan_parquet(self.path, glob=False)
            .with_row_index("row")
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
