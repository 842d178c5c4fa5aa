"""Rows of a table by their number: small compressed blocks, found in two reads at any size.

Parquet gives up a row only with its group (16,384 rows, texts included) and the table's footer, and
needs a library that takes longer to load than an answer may. A block holds 16 rows as JSON.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from array import array
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from regrow.lineage.lookup.damaged import Damaged

MAGIC = b"regrowR1"
PER_BLOCK = 16
_FOOT = struct.Struct("<8sQQI")
"""magic, rows, blocks, checksum of the two"""


def write(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows in their order; returns their number. Memory: eight bytes per 16 rows."""
    offsets = array("Q", [0])
    count = 0
    with path.open("wb") as file:
        lines: list[str] = []

        def flush() -> None:
            text = "\n".join([str(len(offsets) - 1), *lines])
            offsets.append(offsets[-1] + file.write(zlib.compress(text.encode(), 1)))
            lines.clear()

        for row in rows:
            # One character per line break in JSON: a row is a line.
            lines.append(json.dumps(row, ensure_ascii=True, separators=(",", ":")))
            count += 1
            if len(lines) == PER_BLOCK:
                flush()
        if lines:
            flush()
        file.write(offsets.tobytes())
        numbers = struct.pack("<QQ", count, len(offsets) - 1)
        file.write(_FOOT.pack(MAGIC, count, len(offsets) - 1, zlib.crc32(numbers)))
    return count


class Rows:
    """Rows in a file of `write`."""

    _file = -1

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            Damaged: it is no such file, or not all of one.
            OSError: it cannot be read.
        """
        self.path = path
        self._file = os.open(path, os.O_RDONLY)
        self._block: tuple[int, list[str]] = (-1, [])
        try:
            size = os.fstat(self._file).st_size
            raw = os.pread(self._file, _FOOT.size, max(0, size - _FOOT.size))
            if len(raw) != _FOOT.size:
                raise Damaged(f"{path}: too short")
            magic, self.count, self._blocks, crc = _FOOT.unpack(raw)
            blocks = -(-self.count // PER_BLOCK)
            if magic != MAGIC or crc != zlib.crc32(raw[8:24]) or self._blocks != blocks:
                raise Damaged(f"{path}: not a file of rows")
            self._offsets = size - _FOOT.size - 8 * (self._blocks + 1)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the file back."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __del__(self) -> None:
        self.close()

    def row(self, number: int) -> dict[str, Any]:
        """The row of that number, from 0.

        Raises:
            IndexError: there is none.
            Damaged: its bytes are not what was written.
        """
        if not 0 <= number < self.count:
            raise IndexError(f"{self.path}: row {number} of {self.count}")
        block, place = divmod(number, PER_BLOCK)
        if self._block[0] != block:
            self._block = (block, self._lines(block))
        found: dict[str, Any] = json.loads(self._block[1][place])
        return found

    def _lines(self, block: int) -> list[str]:
        try:
            start, end = struct.unpack("<QQ", os.pread(self._file, 16, self._offsets + 8 * block))
            if not 0 <= start < end <= self._offsets:
                raise ValueError("place")
            text = zlib.decompress(os.pread(self._file, end - start, start)).decode()
        except (struct.error, zlib.error, ValueError) as error:
            raise Damaged(f"{self.path}: block {block} is not what was written ({error})") from None
        number, *lines = text.split("\n")
        expected = min(PER_BLOCK, self.count - block * PER_BLOCK)
        if number != str(block) or len(lines) != expected:
            raise Damaged(f"{self.path}: block {block} is that of {number}, of {len(lines)} rows")
        return lines
