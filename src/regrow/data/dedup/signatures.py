"""What deduplication compares of a document: a fingerprint of its text, and its MinHash bands.

The table of signatures has a row for each document, sorted by id, and a column for each band, so that one band of all
documents is read at a time: some 20 bytes a document are held, never a text.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from regrow.data.dedup import exact, minhash
from regrow.data.dedup.components import equal
from regrow.data.dedup.sampling import sample
from regrow.data.dedup.sequences import Sequences
from regrow.data.dedup.shingles import distinct, sizes
from regrow.data.tables import groups, stream
from regrow.data.tables.conservation import balanced
from regrow.data.tables.stream import Row
from regrow.params.data import Dedup

_PRINT = ("high", "low")
_SAMPLE = "sample"
_BATCH = 512
"""documents whose signatures are computed together"""
_GROUP = 1 << 16
"""documents in a row group"""


def run(
    inputs: Mapping[str, Path], params: Any, output: Path, *, instance: str = ""
) -> dict[str, Any]:
    """Fill `output` with `signatures.parquet` of the documents of `filter/documents.parquet`."""
    output.mkdir(parents=True, exist_ok=True)
    documents = stream.rows(inputs["filter"] / "documents.parquet", ["id", "text"])
    count = write(documents, params.dedup, output / "signatures.parquet", instance)
    return {"in": count, "kept": count}


def bands(params: Dedup) -> list[str]:
    """The columns of the bands."""
    return [f"b{band:03d}" for band in range(params.bands)]


def write(documents: Iterable[Row], params: Dedup, path: Path, title: str = "") -> int:
    """Write the signatures of documents (`id`, `text`) in their order; how many there are."""
    schema = pa.schema(
        [("id", pa.large_string()), ("high", pa.uint64()), ("low", pa.uint64()), ("grams", pa.uint32())]
        + [(name, pa.uint64()) for name in bands(params)]
        + ([(_SAMPLE, pa.large_list(pa.uint64()))] if params.containment else [])
    )  # fmt: skip
    came = written = 0
    held: list[pa.Table] = []
    rows = iter(documents)
    with pq.ParquetWriter(
        path, schema, compression="zstd", compression_level=3, use_dictionary=False, store_schema=False
    ) as writer:  # fmt: skip
        sequences = Sequences(params.ngram)
        while batch := list(islice(rows, _BATCH)):
            came += len(batch)
            held.append(_table(batch, params, sequences, schema))
            if len(held) * _BATCH >= _GROUP:
                written += _flush(held, writer)
            if title and came % (16 * _BATCH) == 0:
                print(f"signatures {title}: {came:,} documents", file=sys.stderr, flush=True)
        written += _flush(held, writer)
    balanced("signatures", "documents", came, kept=written)
    return came


def _flush(held: list[pa.Table], writer: pq.ParquetWriter) -> int:
    if not held:
        return 0
    table = pa.concat_tables(held).combine_chunks()
    writer.write_table(table, row_group_size=max(1, table.num_rows))
    held.clear()
    return int(table.num_rows)


def _table(batch: list[Row], params: Dedup, reader: Sequences, schema: pa.Schema) -> pa.Table:
    texts = [row["text"] or "" for row in batch]
    grams, ends = reader.together(texts)
    keys = minhash.keys_of(grams, ends, params.bands, params.rows, params.seed)
    prints = np.array([_halves(one) for one in exact.fingerprints(texts)], np.uint64)
    samples: dict[str, pl.Series] = {}
    if params.containment:
        parts = np.split(grams, ends[:-1])
        samples[_SAMPLE] = pl.Series([*map(distinct, map(sample, parts))], dtype=pl.List(pl.UInt64))
    frame = pl.DataFrame(
        {
            "id": pl.Series([row["id"] for row in batch], dtype=pl.String),
            "high": prints[:, 0],
            "low": prints[:, 1],
            "grams": sizes(grams, ends),
            **{name: keys[:, band] for band, name in enumerate(bands(params))},
            **samples,
        }
    )
    return stream.arrow(frame, schema)


def _halves(fingerprint: bytes) -> tuple[int, int]:
    """A fingerprint as two numbers."""
    return int.from_bytes(fingerprint[:8], "big"), int.from_bytes(fingerprint[8:16], "big")


class Signatures:
    """The signatures of all documents of a table, in its order."""

    def __init__(self, files: list[Path], table: Path | None) -> None:
        """`table`: what was gathered of the parts whose signatures these are, each document once; None: as they are.

        Raises:
            ValueError: a document came with several texts, and the table has another one.
        """
        self._files = [(path, pq.read_metadata(path)) for path in files]
        self.ids = pl.concat([pl.read_parquet(path, columns=["id"], glob=False) for path in files])[
            "id"
        ]
        self._order: NDArray[np.int64] | None = None
        if table is not None:
            frame = pl.DataFrame({"id": self.ids, "at": pl.int_range(len(self.ids), eager=True)})
            again = frame.filter(pl.col("id").is_duplicated())
            first = frame.unique("id", keep="first", maintain_order=True).sort("id")
            if len(again):
                first = first.update(self._of_table(again, table), on="id")
            self.ids, self._order = first["id"], first["at"].to_numpy()

    def _of_table(self, again: pl.DataFrame, table: Path) -> pl.DataFrame:
        """Of documents that came with several texts under one id, the signature of the text that the table has."""
        prints = pl.DataFrame({name: self.column(name)[again["at"].to_numpy()] for name in _PRINT})
        several = (
            again.with_columns(prints).unique(["id", *_PRINT], keep="first", maintain_order=True)
            .filter(pl.col("id").is_duplicated())
        )  # fmt: skip
        ids = several["id"].unique().sort()
        texts = [
            (row["id"], *_halves(exact.fingerprint(row["text"] or "")))
            for frame in groups.frames_of(table, ["text"], ids)
            for row in frame.iter_rows(named=True)
        ]
        schema = {"id": pl.String, "high": pl.UInt64, "low": pl.UInt64}
        found = pl.DataFrame(texts, schema, orient="row").join(several, on=["id", *_PRINT])
        if len(found) != len(ids):
            raise ValueError(
                f"signatures.parquet: of {len(ids)} documents with several texts {len(found)} are those of "
                f"{table.name}; rerun the signatures step"
            )
        return found.select("id", "at")

    def column(self, name: str) -> NDArray[np.uint64]:
        """One column, in the order of the table."""
        parts = []
        for path, metadata in self._files:
            with pq.ParquetFile(path, metadata=metadata) as file:
                frame = pl.from_arrow(file.read([name], use_threads=False))
            assert isinstance(frame, pl.DataFrame)
            parts.append(frame[name])
        values: NDArray[np.uint64] = pl.concat(parts).to_numpy()
        return values if self._order is None else values[self._order]

    def keys(self, names: list[str], rows: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Several columns of some rows, (rows, columns); a row group of the signatures is read at a time."""
        places = rows if self._order is None else self._order[rows]
        order = np.argsort(places, kind="stable")
        ascending = places[order]
        found = np.empty((len(rows), len(names)), np.uint64)
        begin = 0
        for path, metadata in self._files:
            with pq.ParquetFile(path, metadata=metadata) as file:
                for group in range(metadata.num_row_groups):
                    end = begin + metadata.row_group(group).num_rows
                    first, last = np.searchsorted(ascending, [begin, end])
                    if first < last:
                        frame = pl.from_arrow(file.read_row_group(group, names, use_threads=False))
                        assert isinstance(frame, pl.DataFrame)
                        some = ascending[first:last] - begin
                        found[order[first:last]] = frame.select(names)[some].to_numpy()
                    begin = end
        return found

    def samples(
        self, wanted: NDArray[np.bool_]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64]]]:
        """Samples of n-grams (`regrow.data.dedup.sampling`) of the rows that are wanted, a row group at a time.

        Yields rows, how many n-grams each has, and these n-grams one after the other.
        """
        rows = np.arange(len(self.ids))
        if self._order is not None:
            rows = np.full(sum(metadata.num_rows for _, metadata in self._files), -1)
            rows[self._order] = np.arange(len(self._order))
        begin = 0
        for path, metadata in self._files:
            with pq.ParquetFile(path, metadata=metadata) as file:
                for group in range(metadata.num_row_groups):
                    lists = file.read_row_group(group, [_SAMPLE], use_threads=False)[_SAMPLE]
                    own = rows[begin : begin + len(lists)]
                    begin += len(lists)
                    some = (own >= 0) & wanted[own]
                    chosen = lists.filter(pa.array(some)).combine_chunks()
                    sizes = pc.list_value_length(chosen).to_numpy(zero_copy_only=False)
                    values = chosen.flatten().to_numpy()
                    yield own[some], sizes.astype(np.int64), values

    def copies(self) -> Iterator[NDArray[np.int64]]:
        """Groups (ascending rows) of documents with one text, by their first row."""
        high, low = self.column("high"), self.column("low")
        order = np.lexsort((low, high))
        same = (np.diff(high[order]) == 0) & (np.diff(low[order]) == 0)
        yield from sorted(equal(order, same), key=lambda group: int(group[0]))
