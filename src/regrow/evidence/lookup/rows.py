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

from regrow.evidence.lookup.ahead import announce
from regrow.evidence.lookup.damaged import Damaged

MAGIC = b"regrowR1"
PER_BLOCK = 16
_decode = json.JSONDecoder().raw_decode
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
        return self.many([number])[number]

    def many(self, numbers: Iterable[int]) -> dict[int, dict[str, Any]]:
        """`row` of many numbers at once, ascending. A block is read once, and only those rows are decoded."""
        wanted: dict[int, list[int]] = {}
        for number in sorted(set(numbers)):
            if not 0 <= number < self.count:
                raise IndexError(f"{self.path}: row {number} of {self.count}")
            wanted.setdefault(number // PER_BLOCK, []).append(number)
        at = [self._offsets + 8 * block for block in wanted]
        announce(self._file, ((place, place + 16) for place in at))
        ends = [self._ends(block) for block in wanted]
        announce(self._file, ends)
        found: dict[int, dict[str, Any]] = {}
        for (block, held), (start, end) in zip(wanted.items(), ends, strict=True):
            lines = self._lines(block, start, end)
            for number in held:
                found[number] = _decode(lines[number % PER_BLOCK])[0]
        return found

    def _ends(self, block: int) -> tuple[int, int]:
        """Where a block begins and ends in the file."""
        raw = os.pread(self._file, 16, self._offsets + 8 * block)
        start, end = struct.unpack("<QQ", raw) if len(raw) == 16 else (0, 0)
        if not 0 <= start < end <= self._offsets:
            raise Damaged(f"{self.path}: block {block} is not what was written (place)")
        return start, end

    def _lines(self, block: int, start: int, end: int) -> list[str]:
        try:
            text = zlib.decompress(os.pread(self._file, end - start, start)).decode()
        except (zlib.error, ValueError) as error:
            raise Damaged(f"{self.path}: block {block} is not what was written ({error})") from None
        number, *lines = text.split("\n")
        expected = min(PER_BLOCK, self.count - block * PER_BLOCK)
        if number != str(block) or len(lines) != expected:
            raise Damaged(f"{self.path}: block {block} is that of {number}, of {len(lines)} rows")
        return lines
