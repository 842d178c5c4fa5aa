"""Which training steps saw which documents: the packing index joined to the data order.

Neither direction reads the token stream. The index says which tokens of the stream belong
to which document instance; the data order is a bijection between positions in training
and sequences, so both questions cost O(what is asked for), at any size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from regrow.lineage.errors import Unanswerable
from regrow.lineage.ledger import Record
from regrow.lineage.shelf import Shelf
from regrow.train.order import Order


@dataclass(frozen=True)
class Seen:
    """One sequence with (part of) a document instance, at one training step."""

    instance: int
    repeat: int
    sequence: int
    position: int
    """in training, counted in sequences from 0"""
    step: int
    """training step, from 1"""
    tokens: int
    """of the instance in this sequence"""

    def as_json(self) -> dict[str, int]:
        """The fields as a mapping."""
        return dict(vars(self))


class Exposure:
    """What the training run that ends in `checkpoint` has seen."""

    def __init__(self, shelf: Shelf, checkpoint: Record) -> None:
        """Read packing index and data order.

        Raises:
            Unanswerable: not a checkpoint of pretraining, or the packing is not on disk.
        """
        if checkpoint.step != "pretrain" or checkpoint.instance is None:
            raise Unanswerable(
                f"{checkpoint.name} is not a training checkpoint: name one of pretrain, "
                "for example `pretrain.000120`."
            )
        self.checkpoint = checkpoint
        self.last_step = int(checkpoint.instance)
        params = checkpoint.parts["params"]["pretrain"]
        self.batch = int(params["batch_sequences"])
        meta = shelf.json("pack", "meta.json")
        index = shelf.table("pack", "index.parquet")
        if meta is None or index is None:
            raise Unanswerable(f"the packing index is {shelf.hint()}")
        self.length = int(meta["sequence_length"])
        self.sequences = int(meta["sequences"])
        self.index = index.select("instance", "id", "repeat", "start", "end").collect()
        self.order = Order(self.sequences, int(params["seed"]))

    def of_document(self, id: str) -> list[Seen]:
        """Every training step up to the checkpoint that saw the document, in order of training."""
        seen = []
        for row in self.index.filter(pl.col("id") == id).iter_rows(named=True):
            for sequence in range(row["start"] // self.length, -(-row["end"] // self.length)):
                if sequence >= self.sequences:
                    break  # the rest of the stream that fills no sequence is not trained on
                tokens = self._overlap(row, sequence)
                for position in self.positions(sequence):
                    step = position // self.batch + 1
                    seen.append(
                        Seen(row["instance"], row["repeat"], sequence, position, step, tokens)
                    )
        return sorted(seen, key=lambda item: (item.position, item.instance))

    def of_step(self, step: int) -> list[dict[str, Any]]:
        """The document instances in training step `step`, in the order of the batch.

        Each is a mapping: row (in the batch), sequence, id, instance, repeat, tokens.

        Raises:
            Unanswerable: the checkpoint has not seen that step.
        """
        if not 1 <= step <= self.last_step:
            raise Unanswerable(
                f"{self.checkpoint.name} has seen steps 1 to {self.last_step}, not {step}."
                if self.last_step
                else f"{self.checkpoint.name} is the initialisation: it has seen no step."
            )
        rows = []
        for row, sequence in enumerate(self.order.at((step - 1) * self.batch, self.batch).tolist()):
            for part in self.in_sequence(sequence):
                rows.append({"row": row, "sequence": sequence, **part})
        return rows

    def in_sequence(self, sequence: int) -> list[dict[str, Any]]:
        """The document instances in one sequence: id, instance, repeat, tokens."""
        low, high = sequence * self.length, (sequence + 1) * self.length
        inside = self.index.filter((pl.col("start") < high) & (pl.col("end") > low)).sort("start")
        return [
            {
                "id": row["id"],
                "instance": row["instance"],
                "repeat": row["repeat"],
                "tokens": self._overlap(row, sequence),
            }
            for row in inside.iter_rows(named=True)
        ]

    def positions(self, sequence: int) -> list[int]:
        """Positions in training, up to the checkpoint, at which a sequence was seen."""
        return self.order.positions(sequence, self.last_step * self.batch)

    def totals(self) -> pl.DataFrame:
        """Per document: id, tokens seen, sequences seen (parts counted), up to the checkpoint."""
        trained = self.order.at(0, self.last_step * self.batch)
        seen = pl.DataFrame({"sequence": trained}).group_by("sequence").agg(times=pl.len())
        first = pl.col("start") // self.length
        last = (pl.col("end") - 1) // self.length
        parts = (
            self.index.filter(pl.col("end") > pl.col("start"))
            .with_columns(sequence=pl.int_ranges(first.cast(pl.Int64), last.cast(pl.Int64) + 1))
            .explode("sequence")
            .join(seen, on="sequence", how="inner")
        )
        low = pl.col("sequence") * self.length
        overlap = pl.min_horizontal(pl.col("end"), low + self.length) - pl.max_horizontal(pl.col("start"), low)
        return (
            parts.with_columns(tokens=overlap * pl.col("times"))
            .group_by("id")
            .agg(pl.col("tokens").sum(), pl.col("times").sum().alias("views"))
            .sort("id")
        )

    def _overlap(self, row: dict[str, Any], sequence: int) -> int:
        low = sequence * self.length
        return int(min(row["end"], low + self.length) - max(row["start"], low))
