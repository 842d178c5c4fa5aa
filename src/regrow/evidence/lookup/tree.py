"""Reading a tree of sorted keys: one block of 16 kB per level, three levels for a thousand million entries.

A static B-tree. A block holds up to 1,023 keys, as many values (row numbers, or the blocks of the level
below), their number, and a checksum. Leaves stand first and in order, the root last. It is read with
`pread`: nothing is loaded ahead, so a question costs as many reads as there are levels, at any size. Many
questions at once go down level by level: the system is advised of all blocks of the next level before one is read.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from regrow.evidence.lookup import keys
from regrow.evidence.lookup.ahead import announce
from regrow.evidence.lookup.damaged import Damaged
from regrow.evidence.lookup.keys import Kind

MAGIC = b"regrowT1"
HEAD = 4096
"""bytes before the first block"""
BLOCK = 16_384
FULL = 1023
"""entries of a full block"""
_KEPT = 256
"""blocks that are kept in memory: 4 MB"""
Value = TypeVar("Value", str, int, str | int)


class BTree:
    """Entries (key, value) in ascending order, in a file of `grow.grow`."""

    _file = -1

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            Damaged: it is no tree, or not all of one.
            OSError: it cannot be read.
        """
        self.path = path
        self._block = lru_cache(maxsize=_KEPT)(self._checked)
        self._file = os.open(path, os.O_RDONLY)
        try:
            head = self._head()
            self.kind: Kind = head["kind"]
            self.entries = int(head["entries"])
            self._levels = [(int(first), int(blocks)) for first, blocks in head["levels"]]
            end = HEAD + BLOCK * sum(blocks for _, blocks in self._levels)
            if os.fstat(self._file).st_size != end:
                raise Damaged(f"{path}: {os.fstat(self._file).st_size} bytes, not {end}")
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

    def _head(self) -> dict[str, Any]:
        raw = os.pread(self._file, HEAD, 0)
        try:
            magic, size, crc = struct.unpack_from("<8sII", raw)
            body = raw[16 : 16 + size]
            if magic != MAGIC or zlib.crc32(body) != crc:
                raise ValueError("checksum")
            head: dict[str, Any] = json.loads(body)
            if head["kind"] not in keys.KINDS:
                raise ValueError("kind")
        except (ValueError, KeyError, struct.error) as error:
            raise Damaged(f"{self.path}: not a tree ({error})") from None
        return head

    def between(self, low: int, high: int, leaf: int | None = None) -> Iterator[tuple[int, int]]:
        """Entries with low <= key <= high, ascending; among equal keys in the order of their values.

        `leaf`: the one of `low`, where it is known.
        """
        if not self.entries or low > high:
            return
        number = self._leaf(low) if leaf is None else leaf
        while True:
            at, values, count = self._block(number)
            place = bisect_left(at, low, 0, count)
            for entry in range(place, count):
                if at[entry] > high:
                    return
                yield at[entry], values[entry]
            number += 1
            if number >= self._levels[0][1]:
                return

    def floor(self, key: int) -> tuple[int, int] | None:
        """The last entry whose key is at most `key`; None where all are above."""
        return self.floors([key])[key]

    def floors(self, wanted: Iterable[int]) -> dict[int, tuple[int, int] | None]:
        """`floor` of many keys at once."""
        found: dict[int, tuple[int, int] | None] = dict.fromkeys(wanted)
        asked = sorted(found) if self.entries else []
        for key, number in zip(asked, self._leaves([key + 1 for key in asked]), strict=True):
            at, values, count = self._block(number)
            place = bisect_right(at, key, 0, count) - 1
            found[key] = (at[place], values[place]) if place >= 0 else None
        return found

    def find(self, value: str | int) -> list[int]:
        """Row numbers under the key of a value, ascending: those of the value, and perhaps others'."""
        return self.finds([value])[value]

    def finds(self, values: Iterable[Value]) -> dict[Value, list[int]]:
        """`find` of many values at once."""
        found: dict[Value, list[int]] = {value: [] for value in values}
        known = ((keys.key(self.kind, value), value) for value in found if self.entries)
        asked = [
            (key, value) for key, value in known if key is not None and 0 <= key <= keys.HIGHEST
        ]
        asked.sort(key=lambda one: one[0])
        leaves = self._leaves([key for key, _ in asked])
        for (key, value), leaf in zip(asked, leaves, strict=True):
            found[value] = [row for _, row in self.between(key, key, leaf)]
        return found

    def begins(self, prefix: str) -> list[int]:
        """Row numbers whose keys begin so: those of the values that do, and perhaps others."""
        ends = keys.span(self.kind, prefix)
        return [] if ends is None else [row for _, row in self.between(*ends)]

    def _leaf(self, low: int) -> int:
        """The leaf with the last key below `low`, or the first leaf: from there on, nothing is missed."""
        number = self._levels[-1][0]
        for _ in self._levels[1:]:
            number = self._below(number, low)
        return number

    def _leaves(self, lows: list[int]) -> list[int]:
        """`_leaf` of each of an ascending list of keys; the system is advised of a level before it is read."""
        numbers = [self._levels[-1][0]] * len(lows)
        for _ in self._levels[1:]:
            numbers = [self._below(number, low) for number, low in zip(numbers, lows, strict=True)]
            starts = (HEAD + number * BLOCK for number in dict.fromkeys(numbers))
            announce(self._file, ((start, start + BLOCK) for start in starts))
        return numbers

    def _below(self, number: int, low: int) -> int:
        """The block of the next level on the way to the leaf of `low`."""
        at, values, count = self._block(number)
        return values[max(0, bisect_left(at, low, 0, count) - 1)]

    def _checked(self, number: int) -> tuple[memoryview, memoryview, int]:
        raw = os.pread(self._file, BLOCK, HEAD + number * BLOCK)
        if len(raw) != BLOCK or zlib.crc32(memoryview(raw)[:-8]) != int.from_bytes(
            raw[-8:], "little"
        ):
            raise Damaged(f"{self.path}: block {number} is not what was written")
        words = memoryview(raw).cast("Q")
        return words[:FULL], words[FULL : 2 * FULL], words[2 * FULL]
