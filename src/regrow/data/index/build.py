"""Build the suffix arrays of rows, in shards of bounded size.

A shard holds whole rows, each with the separator behind it, as big-endian 16-bit numbers: bytes then
compare as tokens do. Its suffix array is that of the bytes, by libdivsufsort (Yuta Mori; through
pydivsufsort), without the positions inside a token (as infini-gram does it, Liu et al. 2024, arXiv
2401.17377, section 3) and without the separators, which are greater than every token and sort last.
A suffix array is fully defined by its text, so no version of the library can change a bit of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydivsufsort import divsufsort

from regrow.data.index.rows import Rows

SEPARATOR = 0xFFFF
SHARD = 1 << 28
"""most tokens of a shard, separators counted; building takes about 18 bytes of memory for each"""
SCHEMA = {
    "table": pl.String,
    "id": pl.String,
    "part": pl.String,
    "shard": pl.Int32,
    "start": pl.Int64,  # of the row within its shard, in tokens
    "length": pl.Int64,  # without the separator
}
_STEP = 1 << 22


@dataclass
class Shard:
    """Rows and their suffix array."""

    number: int
    tokens: NDArray[np.uint16]
    """big-endian, separators included: (size,)"""
    suffixes: NDArray[np.uint32]
    """positions of tokens, in the order of what stands there: (size - rows,)"""
    rows: pl.DataFrame
    """SCHEMA"""
    learned: NDArray[np.bool_] | None
    """as in Rows, separators False: (size,)"""


@dataclass
class _Open:
    """What is gathered for the next shard."""

    tokens: list[NDArray[np.uint16]] = field(default_factory=list)
    learned: list[NDArray[np.bool_]] = field(default_factory=list)
    rows: list[pl.DataFrame] = field(default_factory=list)
    size: int = 0


def shards(given: Iterable[Rows], most: int = SHARD) -> Iterator[Shard]:
    """Shards of at most `most` tokens each, in the order of the rows.

    Raises:
        ValueError: a row that no shard holds, a token that is the separator, or no token at all.
    """
    here, number = _Open(), 0
    for rows in given:
        if rows.tokens.size and int(rows.tokens.max()) == SEPARATOR:
            raise ValueError(
                f"token {SEPARATOR} is in the data, but the index needs it as its separator: lower "
                "tokenizer.vocabulary to 65535 at most"
            )
        first = 0
        ends = np.cumsum(rows.lengths + 1)
        while first < len(rows.lengths):
            before = int(ends[first - 1]) if first else 0
            last = int(np.searchsorted(ends, before + most - here.size, side="right"))
            if last == first:
                if not here.size:
                    raise ValueError(
                        f"a row of {rows.lengths[first]} tokens exceeds a shard of {most}"
                    )
                yield _close(here, number)
                here, number = _Open(), number + 1
                continue
            _add(here, rows, first, last, number)
            first = last
    if here.size:
        yield _close(here, number)
    elif not number:
        raise ValueError("no tokens to index")


def _add(here: _Open, rows: Rows, first: int, last: int, number: int) -> None:
    """Take over rows `first` .. `last` (excluded)."""
    lengths = rows.lengths[first:last]
    begin = int(rows.lengths[:first].sum())
    span = slice(begin, begin + int(lengths.sum()))
    starts = np.cumsum(lengths + 1) - (lengths + 1)
    size = int((lengths + 1).sum())
    real = np.ones(size, dtype=bool)
    real[starts + lengths] = False
    tokens = np.full(size, SEPARATOR, dtype=np.uint16)
    tokens[real] = rows.tokens[span]
    here.tokens.append(tokens)
    if rows.learned is not None:
        learned = np.zeros(size, dtype=bool)
        learned[real] = rows.learned[span]
        here.learned.append(learned)
    count = len(lengths)
    columns = {
        "table": [rows.table] * count,
        "id": rows.ids[first:last] if rows.ids is not None else [None] * count,
        "part": [rows.part] * count,
        "shard": [number] * count,
        "start": starts + here.size,
        "length": lengths,
    }
    here.rows.append(pl.DataFrame(columns, schema=SCHEMA))
    here.size += size


def _close(here: _Open, number: int) -> Shard:
    tokens = np.concatenate(here.tokens).astype(">u2")
    here.tokens.clear()
    rows = pl.concat(here.rows)
    learned = np.concatenate(here.learned) if here.learned else None
    return Shard(number, tokens, suffixes(tokens, len(tokens) - rows.height), rows, learned)


def suffixes(tokens: NDArray[np.uint16], count: int) -> NDArray[np.uint32]:
    """The suffix array of big-endian tokens, the first `count` entries: (count,), uint32."""
    of_bytes = divsufsort(tokens.view(np.uint8))
    found = np.empty(count, dtype=np.uint32)
    filled = 0
    for first in range(0, len(of_bytes), _STEP):  # in steps: no second array of this size
        part = of_bytes[first : first + _STEP]
        even = part[part & 1 == 0][: count - filled]
        found[filled : filled + len(even)] = even >> 1
        filled += len(even)
    return found
