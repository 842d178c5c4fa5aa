"""A pack folder from document instances: one stream of tokens, cut into sequences of one length."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray
from tokenizers import Tokenizer

from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import balanced
from regrow.data.tokens import bpe
from regrow.data.tokens.instances import Instance, Order

INDEX: dict[str, type[pl.DataType]] = {
    "instance": pl.Int64,
    "id": pl.String,
    "repeat": pl.Int32,
    "start": pl.Int64,
    "end": pl.Int64,
}


class TooShort(ValueError):
    """The stream does not fill one sequence."""

    def __init__(self, tokens: int) -> None:
        super().__init__(f"{tokens} tokens do not fill one sequence")
        self.tokens = tokens


class Documents(Protocol):
    """Tokenised documents, by row."""

    ids: pl.Series
    sizes: NDArray[np.int64]
    """tokens of each, the end-of-document token included"""

    def tokens(self, row: int) -> NDArray[Any]:
        """The tokens of one."""


class _Held:
    """Documents whose tokens are in memory."""

    def __init__(self, encoded: Mapping[str, NDArray[Any]]) -> None:
        self.ids = pl.Series(list(encoded), dtype=pl.String)
        self._tokens = list(encoded.values())
        self.sizes = np.array([len(tokens) for tokens in self._tokens], dtype=np.int64)

    def tokens(self, row: int) -> NDArray[Any]:
        return self._tokens[row]


def write(
    folder: Path,
    order: Sequence[Instance],
    encoded: Mapping[str, NDArray[Any]],
    sequence_length: int,
    tokenizer: Tokenizer,
    config: dict[str, str],
) -> dict[str, Any]:
    """`assemble` of documents whose tokens are in memory.

    Args:
        folder, sequence_length, tokenizer, config: as there.
        order: the instances as they follow each other.
        encoded: document id -> its tokens, the end-of-document token included.

    Raises:
        TooShort: there is not one full sequence.
    """
    row = {identity: number for number, identity in enumerate(encoded)}
    rows = np.array([row[instance.id] for instance in order], dtype=np.int64)
    repeats = np.array([instance.repeat for instance in order], dtype=np.int32)
    documents = _Held(encoded)
    return assemble(folder, Order(rows, repeats), documents, sequence_length, tokenizer, config)


def assemble(
    folder: Path,
    order: Order,
    documents: Documents,
    sequence_length: int,
    tokenizer: Tokenizer,
    config: dict[str, str],
) -> dict[str, Any]:
    """Fill `folder` with tokens.bin, index.parquet and meta.json; returns what meta.json says.

    A document's tokens are in memory at a time, and about 100 bytes of each instance.

    Args:
        folder: made if it does not exist.
        order: the instances as they follow each other.
        documents: that the rows of the order count.
        sequence_length: of a sequence; the tokens left over at the end are dropped and counted.
        tokenizer: what the documents were tokenised with.
        config: its tokenizer_config.json.

    Raises:
        TooShort: there is not one full sequence.
    """
    sizes = documents.sizes[order.rows]
    ends = np.cumsum(sizes)
    stream = int(ends[-1]) if len(ends) else 0
    sequences = stream // sequence_length
    if not sequences:
        raise TooShort(stream)
    length = sequences * sequence_length
    folder.mkdir(parents=True, exist_ok=True)
    starts = ends - sizes
    index = _index(order, documents.ids, starts, ends, length)
    tables.write(index, folder / "index.parquet")
    behind = int((starts >= length).sum())
    what = f"instances of {folder.name}"
    balanced("pack", what, len(order.rows), packed=index.height, behind=behind)
    _tokens(folder / "tokens.bin", order, documents, index["end"] - index["start"])
    size = (folder / "tokens.bin").stat().st_size // 2
    balanced("pack", "tokens", stream, packed=size, dropped_tail=stream - length)
    meta = {
        "sequences": sequences,
        "sequence_length": sequence_length,
        "tokens": length,
        "vocabulary": tokenizer.get_vocab_size(),
        "eos": bpe.control(tokenizer, config, "eos_token"),
        "pad": bpe.control(tokenizer, config, "pad_token"),
        "instances": index.height,
        "dropped_tail_tokens": stream - length,
        "dropped_tail_instances": behind,
    }
    text = json.dumps(meta, indent=2, sort_keys=True) + "\n"
    (folder / "meta.json").write_text(text, encoding="utf-8")
    return meta


def _index(
    order: Order, ids: pl.Series, starts: NDArray[np.int64], ends: NDArray[np.int64], length: int
) -> pl.DataFrame:
    """A row per instance in the first `length` tokens of the stream.

    An instance that the cut runs through ends at the cut, without its end-of-document token;
    instances behind the cut have no row.
    """
    count = int(np.searchsorted(starts, length))
    columns = {
        "instance": np.arange(count, dtype=np.int64),
        "id": ids.gather(order.rows[:count]),
        "repeat": order.repeats[:count],
        "start": starts[:count],
        "end": np.minimum(ends[:count], length),
    }
    return pl.DataFrame(columns, schema=INDEX)


def _tokens(path: Path, order: Order, documents: Documents, sizes: pl.Series) -> None:
    """Write so many tokens of each instance."""
    with path.open("wb") as file:
        for row, size in zip(order.rows[: len(sizes)], sizes, strict=True):
            file.write(documents.tokens(int(row))[:size].astype("<u2").tobytes())
