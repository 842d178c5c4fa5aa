"""A fastText model file (`.bin`, `.ftz`), looked through before it is loaded: labels, shapes, and whether it is whole.

The layout is that of fastText 0.9.2 (`FastText::saveModel`, `Dictionary::save`, `DenseMatrix::save`,
`QuantMatrix::save`): little-endian, version 11 or 12. The library itself reads past the end of a file that is cut
off, and trusts the sizes that it finds, so they are checked here; the matrices are not read.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

MAGIC = struct.pack("<i", 793712314)
PREFIX = "__label__"
_SUPERVISED = 3
_MOST_LABELS = 100_000


class Damaged(ValueError):
    """A file that is not a whole fastText classifier; the message says why."""


@dataclass(frozen=True)
class Header:
    """What a file says of itself."""

    labels: tuple[str, ...]
    """as the library gives them, prefix included, in the order of the file"""
    version: int
    quantised: bool


class _Cursor:
    """A place in a file that only moves forward, never behind its end."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.at, self.size = data, 0, len(data)

    def skip(self, count: int) -> int:
        """Move on; the place before."""
        before = self.at
        if count < 0 or before + count > self.size:
            raise Damaged(f"it ends at byte {self.size:,}, before all of it is there")
        self.at = before + count
        return before

    def take(self, layout: str) -> tuple[int, ...]:
        """Numbers of a `struct` layout."""
        place = self.skip(struct.calcsize(layout))
        return struct.unpack_from(layout, self.data, place)

    def word(self) -> bytes:
        """Bytes up to a NUL."""
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise Damaged(f"it ends at byte {self.size:,}, within its dictionary")
        return self.data[self.skip(end + 1 - self.at) : end]


def header(path: Path) -> Header:
    """Look through a file.

    Raises:
        Damaged: another kind of file, of word vectors and not of a classifier, cut off, or of sizes that contradict
            each other.
    """
    with path.open("rb") as file:
        try:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise Damaged("it is empty") from None
        with data:
            return _header(_Cursor(data))


def _header(cursor: _Cursor) -> Header:
    if cursor.data[:4] != MAGIC:
        raise Damaged("it does not begin as fastText's files do")
    _, version = cursor.take("<ii")
    if version not in (11, 12):
        raise Damaged(f"its version is {version}; 11 and 12 can be read")
    dim, _, _, _, _, _, _, kind, bucket, _, _, _ = cursor.take("<12i")
    cursor.skip(8)
    if kind != _SUPERVISED:
        raise Damaged("it holds word vectors; a classifier is what `fasttext supervised` writes")
    labels, words, pruned = _dictionary(cursor)
    quantised = bool(cursor.take("<B")[0])
    rows, columns = _matrix(cursor, quantised)
    if columns != dim or rows < words + (pruned if pruned >= 0 else bucket):
        raise Damaged(f"its input matrix is {rows:,} x {columns:,}, too small for its dictionary")
    both = cursor.take("<B")[0]
    if _matrix(cursor, quantised and bool(both)) != (len(labels), dim):
        raise Damaged(f"its output matrix does not have a row of {dim:,} for each label")
    if cursor.at != cursor.size:
        raise Damaged(f"{cursor.size - cursor.at:,} bytes follow its end")
    return Header(tuple(labels), version, quantised)


def _dictionary(cursor: _Cursor) -> tuple[list[str], int, int]:
    """Labels, the number of words, and that of the n-grams that pruning left (negative where none were pruned)."""
    size, words, count = cursor.take("<3i")
    _, pruned = cursor.take("<2q")
    if size != words + count or min(size, words) < 0 or not 0 < count <= _MOST_LABELS:
        raise Damaged(f"its dictionary counts {words:,} words and {count:,} labels of {size:,}")
    labels = []
    for _ in range(size):
        name = cursor.word()
        cursor.skip(8)
        if cursor.take("<B")[0]:
            labels.append(name.decode("utf-8", "replace"))
    if len(labels) != count or len(set(labels)) != count:
        raise Damaged(f"its dictionary names {len(set(labels)):,} labels and counts {count:,}")
    cursor.skip(8 * max(pruned, 0))
    return labels, words, pruned


def _matrix(cursor: _Cursor, quantised: bool) -> tuple[int, int]:
    """Rows and columns of a matrix, which is stepped over."""
    if not quantised:
        rows, columns = cursor.take("<2q")
        _positive(rows, columns)
        cursor.skip(4 * rows * columns)
        return rows, columns
    norms = cursor.take("<B")[0]
    rows, columns = cursor.take("<2q")
    _positive(rows, columns)
    codes = cursor.take("<i")[0]
    cursor.skip(codes)
    if codes != rows * _quantiser(cursor, columns):
        raise Damaged("its quantised matrix has other sizes than its codes")
    if norms:
        cursor.skip(rows)
        _quantiser(cursor, 1)
    return rows, columns


def _quantiser(cursor: _Cursor, columns: int) -> int:
    """Codes of a row, by a product quantiser, which is stepped over."""
    dim, parts, width, last = cursor.take("<4i")
    if dim != columns or not 0 < width <= dim or (parts - 1) * width + last != dim:
        raise Damaged("its quantiser does not fit its matrix")
    cursor.skip(4 * 256 * dim)
    return parts


def _positive(rows: int, columns: int) -> None:
    if rows < 0 or columns <= 0:
        raise Damaged(f"a matrix of it is {rows:,} x {columns:,}")
