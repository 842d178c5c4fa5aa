"""Questions about tables: the rows that hold a value, or a value that begins so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from regrow.lineage.lookup import keys
from regrow.lineage.lookup.damaged import Damaged
from regrow.lineage.lookup.store import Store

_TRIES = 3
"""a question reads a tree and a file of rows; more often than that, the disk is broken"""
Answer = TypeVar("Answer")
Row = dict[str, Any]


class Lookup:
    """The tables below `root`. Rows are brief (see `table.brief`) and come in the order of their table."""

    def __init__(self, root: Path) -> None:
        self.store = Store(root)

    def equal(self, path: Path, column: str, value: str | int) -> list[Row]:
        """The rows whose `column` is `value`; [] where the table has no such column."""
        return self.sound(
            lambda: [
                row for row in self._rows(path, self.store.tree(path, column).find(_of(column, value)))
                if row.get(column) == value
            ]
        )  # fmt: skip

    def begins(self, path: Path, column: str, prefix: str) -> list[Row]:
        """The rows whose `column` begins so; [] where the table has no such column."""

        def ask() -> list[Row]:
            tree = self.store.tree(path, column)
            if not tree.entries:
                return []
            rows = self._rows(path, sorted(tree.begins(prefix)))
            return [row for row in rows if str(row.get(column)).startswith(prefix)]

        return self.sound(ask)

    def bare(self, path: Path, url: str) -> list[Row]:
        """The rows whose `url` is the same but for scheme, fragment and a slash at the end."""
        wanted = keys.bare(url)

        def ask() -> list[Row]:
            rows = self._rows(path, self.store.tree(path, "url").find(wanted))
            return [row for row in rows if row.get("url") and keys.bare(row["url"]) == wanted]

        return self.sound(ask)

    def row(self, path: Path, number: int) -> Row:
        """The row of that number, from 0."""
        return self.sound(lambda: self.store.rows(path).row(number))

    def numbers(self, path: Path, column: str, value: str) -> list[int]:
        """The numbers of the rows whose `column` is `value`, ascending."""

        def ask() -> list[int]:
            tree = self.store.tree(path, column)
            rows = self.store.rows(path) if tree.entries else None
            return [n for n in tree.find(value) if rows and rows.row(n).get(column) == value]

        return self.sound(ask)

    def from_floor(self, path: Path, column: str, low: int) -> Iterator[Row]:
        """Rows from the last one whose `column` is at most `low`, of a table that ascends by it."""

        def ask() -> tuple[int, int]:
            found = self.store.tree(path, column).floor(low)
            return (0 if found is None else found[1]), self.store.rows(path).count

        first, count = self.sound(ask)
        for number in range(first, count):
            yield self.row(path, number)

    def sound(self, ask: Callable[[], Answer]) -> Answer:
        """The answer to a question; where a lookup is damaged it is made anew and asked again."""
        for _ in range(_TRIES):
            try:
                return ask()
            except Damaged as damage:
                self.store.forget(damage)
        return ask()

    def _rows(self, path: Path, numbers: list[int]) -> list[Row]:
        rows = self.store.rows(path) if numbers else None
        return [rows.row(number) for number in numbers] if rows else []


def _of(column: str, value: str | int) -> str | int:
    return keys.bare(str(value)) if column == "url" else value
