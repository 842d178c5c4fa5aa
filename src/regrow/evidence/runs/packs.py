"""Runs over packed sequences: the packing index joined to the data order.

The index says which tokens of the stream belong to which copy of a document; the data order
is a bijection between positions in training and sequences. So both directions cost what is
asked for, at any size.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from regrow.evidence.errors import Unanswerable
from regrow.evidence.lookup.feistel import Positions
from regrow.evidence.outputs import Outputs, picked
from regrow.evidence.record import Record
from regrow.evidence.runs.run import Run, data_job

if TYPE_CHECKING:
    import polars as pl

    from regrow.data.tokens.order import Order
    from regrow.data.tokens.reader import Packed

FILES = ("meta.json", "index.parquet", "tokens.bin")


class Packs(Run):
    """Pretraining, midtraining, long context.

    A fork or a takedown exchanges the data within a stage: its run goes on from a checkpoint that was trained
    on other data. What came before it is then the run `before`.
    """

    kind: ClassVar[str] = "documents"

    def __init__(self, outputs: Outputs, checkpoint: Record) -> None:
        """Open packing index and data order.

        Raises:
            Unanswerable: the packing is not on disk, or contradicts the checkpoint.
        """
        super().__init__(outputs, checkpoint)
        options = checkpoint.options
        self.data = data_job(checkpoint, outputs)
        other = _trained_on_other_data(outputs, checkpoint, self.data)
        self.before = Packs(outputs, other) if other else None
        self.since = self.before.last_step if self.before else 0
        """steps that were trained on the data of `before`"""
        short = options.get("length") == "short"
        self._folder, self.sequences, self.sequence_length = _open(
            outputs, self.data, "short/" if short else ""
        )
        if short:
            _, _, whole = _open(outputs, self.data, "")
            self.batch *= whole // self.sequence_length
        run = str(options.get("run", "a"))
        first = run == "a"
        seed = int(self.block["seed" if first else "second_seed"])
        self._seed = seed if first else seed + ord(run) - ord("b")
        self._positions = Positions(self.sequences, self._seed, self.stage)
        state = outputs.json(checkpoint.name, "state.json") or {}
        key = (state.get("order") or {}).get("key", self._positions.key)
        if key != self._positions.key:
            raise Unanswerable(
                f"{checkpoint.name} was trained in the order `{key}`, but its record means "
                f"`{self._positions.key}`: `regrow verify` says which of the two was changed."
            )

    @property
    def jobs(self) -> list[str]:
        """The jobs that made its data, the last first."""
        return [self.data, *(self.before.jobs if self.before else [])]

    @property
    def parts(self) -> list[Packs]:
        """The runs over one data set each that it is made of, in the order of training."""
        return [*(self.before.parts if self.before else []), self]

    def part(self, step: int) -> Packs:
        """The run whose data step `step` was made of: this, or one before it."""
        return self.before.part(step) if self.before and 1 <= step <= self.since else self

    @cached_property
    def pack(self) -> Packed:
        """The whole packing, for questions about all of it."""
        from regrow.data.tokens.reader import Packed

        return Packed(self._folder)

    @cached_property
    def order(self) -> Order:
        """The order of training over arrays."""
        from regrow.data.tokens.order import Order

        return Order(self.sequences, self._seed, self.stage)

    def instances(self, id: str) -> list[dict[str, Any]]:
        """The instances of a document in the packed stream: instance, repeat, start, end (tokens)."""
        rows = self.outputs.lookup.equal(self.index, "id", id)
        return picked(rows, ("instance", "id", "repeat", "start", "end"))

    @property
    def index(self) -> Path:
        """The table of the instances in the stream."""
        return self._folder / "index.parquet"

    def of(self, id: str) -> list[dict[str, Any]]:
        """See Run. Rows: step, id, instance, repeat, sequence, position (in training, from 0), tokens."""
        begin, end = self.since * self.batch, self.last_step * self.batch
        length = self.sequence_length
        seen = self.before.of(id) if self.before else []
        for row in self.instances(id):
            for sequence in range(row["start"] // length, (row["end"] - 1) // length + 1):
                start, stop = self._within(row, sequence)
                for position in self._positions.positions(sequence, end):
                    if position < begin:
                        continue
                    seen.append(
                        {
                            "step": position // self.batch + 1,
                            "id": row["id"],
                            "instance": row["instance"],
                            "repeat": row["repeat"],
                            "sequence": sequence,
                            "position": position,
                            "tokens": stop - start,
                        }
                    )
        return sorted(seen, key=lambda item: (item["position"], item["instance"]))

    def _within(self, row: dict[str, Any], sequence: int) -> tuple[int, int]:
        """Where in a sequence an instance begins and ends."""
        low = sequence * self.sequence_length
        return max(row["start"] - low, 0), min(row["end"] - low, self.sequence_length)

    def of_step(self, step: int) -> list[dict[str, Any]]:
        """See Run. Rows: row, sequence, id, instance, repeat, start, end (in the sequence), tokens."""
        self.check(step)
        if (part := self.part(step)) is not self:
            return part.of_step(step)
        first, length = (step - 1) * self.batch, self.sequence_length
        held = [self._positions.at(first + row) for row in range(self.batch)]
        spans = [(sequence * length, (sequence + 1) * length) for sequence in held]
        found = self.outputs.lookup.within(self.index, "start", spans)
        return [
            {"row": row, **piece}
            for row, (sequence, rows) in enumerate(zip(held, found, strict=True))
            for piece in self._pieces(sequence, rows)
        ]

    def _pieces(self, sequence: int, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The pieces of documents that tile a sequence, in order; `rows`: the instances that may hold one."""
        for row in rows:
            start, end = self._within(row, sequence)
            if end > start:
                names = ("instance", "id", "repeat")
                piece = {name: row[name] for name in names} | {"sequence": sequence}
                yield piece | {"start": start, "end": end, "tokens": end - start}

    def documents(self) -> pl.DataFrame:
        """Per document seen: id, tokens (repeats counted), views (pieces), component where known."""
        import polars as pl

        steps = self.last_step - self.since
        trained = self.order.at(self.since * self.batch, steps * self.batch)
        seen = pl.DataFrame({"sequence": trained}).group_by("sequence").agg(times=pl.len())
        length = self.sequence_length
        first, last = pl.col("start") // length, (pl.col("end") - 1) // length
        low = pl.col("sequence") * length
        overlap = pl.min_horizontal("end", low + length) - pl.max_horizontal("start", low)
        index = pl.scan_parquet(self._folder / "index.parquet", glob=False)
        known = "component" in index.collect_schema().names()
        found = (
            index.with_columns(sequence=pl.int_ranges(first, last + 1))
            .explode("sequence")
            .join(seen.lazy(), on="sequence", how="inner")
            .with_columns(tokens=overlap * pl.col("times"))
            .group_by("id", *(["component"] if known else []))
            .agg(pl.col("tokens").sum(), pl.col("times").sum().alias("views"))
            .sort("id")
            .collect()
        )
        if self.before is None:
            return found
        both = pl.concat([found, self.before.documents()], how="diagonal_relaxed")
        return both.group_by("id").agg(pl.col("tokens", "views").sum()).sort("id")

    def _epochs(self) -> float:
        mine = (self.last_step - self.since) * self.batch / self.sequences
        return mine + (self.before._epochs() if self.before else 0.0)

    def totals(self) -> dict[str, Any]:
        """See Run."""
        seen = self.documents()
        answer: dict[str, Any] = {
            "tokens": self.last_step * self.batch * self.sequence_length,
            "sequence_length": self.sequence_length,
            "epochs": round(self._epochs(), 3),
            "documents": seen["id"].n_unique(),
            "by": self._by(seen),
        }
        most = seen.sort(["views", "id"], descending=[True, False]).head(5).to_dicts()
        answer["most_seen"] = most
        return answer

    def _by(self, seen: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
        import polars as pl

        own = [(job, "documents.parquet") for job in self.jobs]
        crawl = [("decontaminate", "train.parquet")]
        tables = {
            "component": own[:1],
            "topic": [("mix", "mix.parquet")],
            "source": crawl,
            "licence": crawl,
        }
        if self.data.partition(".")[0] not in ("pack", "pack_masked"):
            # Documents that the flow made for this mix are none of the crawl's: their own table
            # says what they are. What a joined pack has of the crawl's packing is the crawl's.
            tables = {"component": own, "source": own + crawl, "licence": own + crawl}
        found = {}
        for column, places in tables.items():
            frame = seen
            if column not in seen.columns:
                facts = [
                    table.select("id", column)
                    for job, file in places
                    if (table := self.outputs.table(job, file)) is not None
                    and column in table.collect_schema().names()
                ]
                if not facts:
                    continue
                known = pl.concat(facts).unique("id", keep="first").collect()
                frame = seen.join(known, on="id", how="left")
            found[column] = (
                frame.group_by(column)
                .agg(documents=pl.len(), tokens=pl.col("tokens").sum())
                .sort(["tokens", column], descending=[True, False], nulls_last=True)
                .to_dicts()
            )
        return found


def _trained_on_other_data(outputs: Outputs, checkpoint: Record, data: str) -> Record | None:
    """The last checkpoint on the way to this one, within its stage, that other data made."""
    at: Record | None = checkpoint
    while at is not None:
        entry = at.inputs.get("previous")
        at = outputs.ledger.by_file.get(str(entry["record"])) if entry else None
        if at is not None and at.trained and at.trained[1] and data_job(at, outputs) != data:
            return at
    return None


def _open(outputs: Outputs, job: str, inside: str) -> tuple[Path, int, int]:
    """Folder of a packing, its sequences and their length."""
    paths = [outputs.path(job, inside + file) for file in FILES]
    if not all(paths):
        raise Unanswerable(outputs.hint() or f"{job} has no packing.")
    assert paths[0] is not None and paths[2] is not None
    meta = json.loads(paths[0].read_text(encoding="utf-8"))
    sequences, length = int(meta["sequences"]), int(meta["sequence_length"])
    size, wanted = paths[2].stat().st_size, 2 * sequences * length
    if size != wanted:
        raise Unanswerable(
            f"{paths[2]}: {size} bytes, but meta.json says {sequences} sequences of {length} two-byte "
            f"tokens ({wanted} bytes); restore or rebuild the folder"
        )
    return paths[0].parent, sequences, length
