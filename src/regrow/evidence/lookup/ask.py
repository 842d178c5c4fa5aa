"""Questions about tables: the rows that hold a value, or a value that begins so.

Many questions that are asked at once (`equals`, `rows`, `within`) cost less than one after the other: a block is
read once, and a cold disk reads many at a time (see `ahead`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from regrow.evidence.lookup import keys
from regrow.evidence.lookup.damaged import Damaged
from regrow.evidence.lookup.store import Store

_TRIES = 3
"""a question reads a tree and a file of rows; more often than that, the disk is broken"""
Answer = TypeVar("Answer")
Value = TypeVar("Value", str, int, str | int)
Row = dict[str, Any]


class Lookup:
    """The tables below `root`. Rows are brief (see `table.brief`) and come in the order of their table."""

    def __init__(self, root: Path) -> None:
        self.store = Store(root)

    def equal(self, path: Path, column: str, value: str | int) -> list[Row]:
        """The rows whose `column` is `value`; [] where the table has no such column."""
        return self.equals(path, column, [value])[value]

    def equals(self, path: Path, column: str, values: Iterable[Value]) -> dict[Value, list[Row]]:
        """`equal` of many values at once: what they need of the disk is read together."""
        keyed = {value: _of(column, value) for value in values}

        def ask() -> dict[Value, list[Row]]:
            numbers = self.store.tree(path, column).finds(keyed.values())
            rows = self._many(path, (n for held in numbers.values() for n in held))
            return {
                value: [row for n in numbers[key] if (row := rows[n]).get(column) == value]
                for value, key in keyed.items()
            }

        return self.sound(ask)

    def begins(self, path: Path, column: str, prefix: str) -> list[Row]:
        """The rows whose `column` begins so; [] where the table has no such column."""

        def ask() -> list[Row]:
            tree = self.store.tree(path, column)
            if not tree.entries:
                return []
            rows = self._many(path, tree.begins(prefix)).values()
            return [row for row in rows if str(row.get(column)).startswith(prefix)]

        return self.sound(ask)

    def bare(self, path: Path, url: str) -> list[Row]:
        """The rows whose `url` is the same but for scheme, fragment and a slash at the end."""
        wanted = keys.bare(url)

        def ask() -> list[Row]:
            rows = self._many(path, self.store.tree(path, "url").find(wanted))
            return [
                row for row in rows.values() if row.get("url") and keys.bare(row["url"]) == wanted
            ]

        return self.sound(ask)

    def rows(self, path: Path, numbers: Iterable[int]) -> dict[int, Row]:
        """The rows of those numbers, from 0."""
        wanted = list(numbers)
        return self.sound(lambda: self._many(path, wanted))

    def numbers(self, path: Path, column: str, value: str) -> list[int]:
        """The numbers of the rows whose `column` is `value`, ascending."""

        def ask() -> list[int]:
            rows = self._many(path, self.store.tree(path, column).find(value))
            return [n for n, row in rows.items() if row.get(column) == value]

        return self.sound(ask)

    def within(self, path: Path, column: str, spans: Sequence[tuple[int, int]]) -> list[list[Row]]:
        """Per span (low, high): the rows from the last one whose `column` is at most `low` (if there is
        none, from the first) to the last one below `high`, of a table that ascends by it."""

        def ask() -> list[list[Row]]:
            tree = self.store.tree(path, column)
            at = tree.floors(key for low, high in spans for key in (low, high - 1))
            ranges = [_range(at[low], at[high - 1]) for low, high in spans]
            rows = self._many(path, (number for numbers in ranges for number in numbers))
            return [[rows[number] for number in numbers] for numbers in ranges]

        return self.sound(ask)

    def sound(self, ask: Callable[[], Answer]) -> Answer:
        """The answer to a question; where a lookup is damaged it is made again and asked again."""
        for _ in range(_TRIES):
            try:
                return ask()
            except Damaged as damage:
                self.store.forget(damage)
        return ask()

    def _many(self, path: Path, numbers: Iterable[int]) -> dict[int, Row]:
        """Rows by their numbers, ascending; their file is not asked for where there are none."""
        wanted = list(numbers)
        return self.store.rows(path).many(wanted) if wanted else {}


def _of(column: str, value: str | int) -> str | int:
    return keys.bare(str(value)) if column == "url" else value


def _range(first: tuple[int, int] | None, last: tuple[int, int] | None) -> range:
    """The numbers of the rows from one entry of a tree to another."""
    return range(first[1] if first else 0, last[1] + 1 if last else 0)
