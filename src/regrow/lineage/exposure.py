"""Which training steps saw which documents: the packing index joined to the data order.

The index says which tokens of the stream belong to which document instance; the data order
is a bijection between positions in training and sequences. So both directions cost what is
asked for, at any size, and nothing had to be logged while training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from regrow.lineage.errors import Unanswerable
from regrow.lineage.ledger import Record
from regrow.lineage.shelf import Shelf
from regrow.tokens.reader import Packed
from regrow.train.order import Order, steps_of


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
        """Open packing index and data order.

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
        folder = shelf.path("pack", "meta.json")
        if not (
            folder and shelf.path("pack", "index.parquet") and shelf.path("pack", "tokens.bin")
        ):
            raise Unanswerable(shelf.hint())
        try:
            self.pack = Packed(folder.parent)
        except ValueError as error:
            raise Unanswerable(str(error)) from None
        self._index = folder.parent / "index.parquet"
        self.order = Order(self.pack.sequences, int(params["seed"]))

    def instances(self, id: str) -> list[dict[str, Any]]:
        """The instances of a document in the packed stream: instance, repeat, start, end (tokens)."""
        return pl.scan_parquet(self._index).filter(pl.col("id") == id).collect().to_dicts()

    def of_document(self, id: str) -> list[Seen]:
        """Every training step up to the checkpoint that saw the document, in order of training."""
        end = self.last_step * self.batch
        seen = []
        for piece in self.pack.sequences_of_document(id):
            positions = self.order.positions(piece.sequence, end)
            for position, step in zip(positions, steps_of(positions, self.batch), strict=True):
                tokens = piece.end - piece.start
                seen.append(
                    Seen(piece.instance, piece.repeat, piece.sequence, position, step, tokens)
                )
        return sorted(seen, key=lambda item: (item.position, item.instance))

    def of_step(self, step: int) -> list[dict[str, Any]]:
        """The document pieces in training step `step`, in the order of the batch.

        Each is a mapping: row (of the batch), sequence, id, instance, repeat, start, end
        (tokens in the sequence, end excluded), tokens.

        Raises:
            Unanswerable: the checkpoint has not seen that step.
        """
        if not 1 <= step <= self.last_step:
            raise Unanswerable(
                f"{self.checkpoint.name} has seen steps 1 to {self.last_step}, not {step}."
                if self.last_step
                else f"{self.checkpoint.name} is the initialisation: it has seen no step."
            )
        batch = self.order.at((step - 1) * self.batch, self.batch).tolist()
        return [
            {"row": row, **piece._asdict(), "tokens": piece.end - piece.start}
            for row, sequence in enumerate(batch)
            for piece in self.pack.documents_of_sequence(sequence)
        ]

    def totals(self) -> pl.DataFrame:
        """Per document seen up to the checkpoint: id, tokens (repeats counted), views (pieces)."""
        trained = self.order.at(0, self.last_step * self.batch)
        seen = pl.DataFrame({"sequence": trained}).group_by("sequence").agg(times=pl.len())
        length = self.pack.sequence_length
        first, last = pl.col("start") // length, (pl.col("end") - 1) // length
        low = pl.col("sequence") * length
        overlap = pl.min_horizontal("end", low + length) - pl.max_horizontal("start", low)
        return (
            pl.scan_parquet(self._index)
            .with_columns(sequence=pl.int_ranges(first, last + 1))
            .explode("sequence")
            .join(seen.lazy(), on="sequence", how="inner")
            .with_columns(tokens=overlap * pl.col("times"))
            .group_by("id")
            .agg(pl.col("tokens").sum(), pl.col("times").sum().alias("views"))
            .sort("id")
            .collect()
        )
