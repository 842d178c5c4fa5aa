"""Runs over packed sequences: the packing index joined to the data order.

The index says which tokens of the stream belong to which document instance; the data order
is a bijection between positions in training and sequences. So both directions cost what is
asked for, at any size.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from regrow.lineage.errors import Unanswerable
from regrow.lineage.ledger import Record
from regrow.lineage.runs.run import Run, data_job
from regrow.lineage.shelf import Shelf
from regrow.tokens.reader import Packed
from regrow.train.order import Order, steps_of

FILES = ("meta.json", "index.parquet", "tokens.bin")


class Packs(Run):
    """Pretraining, midtraining, long context."""

    kind: ClassVar[str] = "documents"

    def __init__(self, shelf: Shelf, checkpoint: Record) -> None:
        """Open packing index and data order.

        Raises:
            Unanswerable: the packing is not on disk, or contradicts the checkpoint.
        """
        super().__init__(shelf, checkpoint)
        options = checkpoint.options
        self.data = data_job(checkpoint, shelf)
        short = options.get("length") == "short"
        self.pack, self._folder = _open(shelf, self.data, "short/" if short else "")
        if short:
            whole, _ = _open(shelf, self.data, "")
            self.batch *= whole.sequence_length // self.pack.sequence_length
        seed = self.block["second_seed" if options.get("run") == "b" else "seed"]
        self.order = Order(self.pack.sequences, int(seed), self.stage)
        state = shelf.json(checkpoint.name, "state.json") or {}
        key = (state.get("order") or {}).get("key", self.order.key)
        if key != self.order.key:
            raise Unanswerable(
                f"{checkpoint.name} was trained in the order `{key}`, but its record means "
                f"`{self.order.key}`: `regrow verify` says which of the two was changed."
            )

    def instances(self, id: str) -> list[dict[str, Any]]:
        """The instances of a document in the packed stream: instance, repeat, start, end (tokens)."""
        rows = pl.scan_parquet(self._folder / "index.parquet").filter(pl.col("id") == id)
        return rows.select("instance", "id", "repeat", "start", "end").collect().to_dicts()

    def of(self, id: str) -> list[dict[str, Any]]:
        """See Run. Rows: step, id, instance, repeat, sequence, position (in training, from 0), tokens."""
        end = self.last_step * self.batch
        seen = []
        for piece in self.pack.sequences_of_document(id):
            positions = self.order.positions(piece.sequence, end)
            for position, step in zip(positions, steps_of(positions, self.batch), strict=True):
                seen.append(
                    {
                        "step": step,
                        "id": piece.id,
                        "instance": piece.instance,
                        "repeat": piece.repeat,
                        "sequence": piece.sequence,
                        "position": position,
                        "tokens": piece.end - piece.start,
                    }
                )
        return sorted(seen, key=lambda item: (item["position"], item["instance"]))

    def of_step(self, step: int) -> list[dict[str, Any]]:
        """See Run. Rows: row, sequence, id, instance, repeat, start, end (in the sequence), tokens."""
        self.check(step)
        batch = self.order.at((step - 1) * self.batch, self.batch).tolist()
        return [
            {"row": row, **piece._asdict(), "tokens": piece.end - piece.start}
            for row, sequence in enumerate(batch)
            for piece in self.pack.documents_of_sequence(sequence)
        ]

    def documents(self) -> pl.DataFrame:
        """Per document seen: id, tokens (repeats counted), views (pieces), component where known."""
        trained = self.order.at(0, self.last_step * self.batch)
        seen = pl.DataFrame({"sequence": trained}).group_by("sequence").agg(times=pl.len())
        length = self.pack.sequence_length
        first, last = pl.col("start") // length, (pl.col("end") - 1) // length
        low = pl.col("sequence") * length
        overlap = pl.min_horizontal("end", low + length) - pl.max_horizontal("start", low)
        index = pl.scan_parquet(self._folder / "index.parquet")
        known = "component" in index.collect_schema().names()
        return (
            index.with_columns(sequence=pl.int_ranges(first, last + 1))
            .explode("sequence")
            .join(seen.lazy(), on="sequence", how="inner")
            .with_columns(tokens=overlap * pl.col("times"))
            .group_by("id", *(["component"] if known else []))
            .agg(pl.col("tokens").sum(), pl.col("times").sum().alias("views"))
            .sort("id")
            .collect()
        )

    def totals(self) -> dict[str, Any]:
        """See Run."""
        seen = self.documents()
        answer: dict[str, Any] = {
            "tokens": self.last_step * self.batch * self.pack.sequence_length,
            "sequence_length": self.pack.sequence_length,
            "epochs": round(self.last_step * self.batch / self.pack.sequences, 3),
            "documents": seen["id"].n_unique(),
            "by": self._by(seen),
        }
        most = seen.sort(["views", "id"], descending=[True, False]).head(5).to_dicts()
        answer["most_seen"] = most
        return answer

    def _by(self, seen: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
        tables = [
            (self.data, "documents.parquet", "component"),
            ("mix", "mix.parquet", "topic"),
            ("decontaminate", "train.parquet", "source"),
            ("decontaminate", "train.parquet", "licence"),
        ]
        if self.data.partition(".")[0] not in ("pack", "pack_masked"):
            # Documents that the flow made for this mix are none of the crawl's: their own table
            # says what they are.
            tables = [
                (self.data, "documents.parquet", c) for c in ("component", "source", "licence")
            ]
        found = {}
        for name, file, column in tables:
            frame = seen
            if column not in seen.columns:
                table = self.shelf.table(name, file)
                if table is None or column not in table.collect_schema().names():
                    continue
                facts = table.select("id", column).unique("id", keep="first").collect()
                frame = seen.join(facts, on="id", how="left")
            found[column] = (
                frame.group_by(column)
                .agg(documents=pl.len(), tokens=pl.col("tokens").sum())
                .sort(["tokens", column], descending=[True, False], nulls_last=True)
                .to_dicts()
            )
        return found


def _open(shelf: Shelf, job: str, inside: str) -> tuple[Packed, Path]:
    paths = [shelf.path(job, inside + file) for file in FILES]
    if not all(paths):
        raise Unanswerable(shelf.hint() or f"{job} has no packing.")
    assert paths[0] is not None
    try:
        return Packed(paths[0].parent), paths[0].parent
    except ValueError as error:
        raise Unanswerable(str(error)) from None
