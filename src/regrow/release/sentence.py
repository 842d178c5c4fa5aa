"""A sentence of a paper, and what it follows from.

Cards, exports and reports say nothing of their own about data, crawl, licences, stages or seeds. A sentence is
computed and names its evidence, `<record>/<field>` (`crawl/counts.fetches`), or it is the publisher's and is
marked so. A test takes the evidence away and sees that the sentence goes or changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

PUBLISHER = "publisher"
NOT_STATED = "not stated by the publisher"
TABLE = "table"
"""evidence: the table of the documents of the run"""


@dataclass(frozen=True)
class Sentence:
    """One sentence or phrase, and the fields that it follows from."""

    text: str
    by: tuple[str, ...]

    def __str__(self) -> str:
        return self.text


def publisher(field: str, value: str | None, text: str = "{}") -> Sentence:
    """A statement of the publisher's (`release` in the params), or that there is none."""
    by = (f"{PUBLISHER}/{field}",)
    return Sentence(text.format(value) if value else f"{NOT_STATED.capitalize()}.", by)


def get(value: Any, path: str) -> Any:
    """What is at a dotted path of mappings, None where it leads nowhere."""
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
    return value


def whole(value: Any) -> int | None:
    """A whole number, None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def walk(value: Any) -> Iterator[Sentence]:
    """All sentences in nested lists, tuples, mappings and objects with attributes."""
    if isinstance(value, Sentence):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from walk(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from walk(inner)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from walk(getattr(value, name))


def plural(count: int, one: str, many: str = "") -> str:
    """`1 page`, `2,000 pages`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
