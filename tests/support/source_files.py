"""Files of sources for tests, and what a reader makes of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from regrow.data.sources.item import Item, Refused
from regrow.data.sources.reader import reader
from regrow.data.text.record import Record
from regrow.params.source import Source


def source(kind: str, **fields: Any) -> Source:
    """An entry of a recipe."""
    given = {
        "name": "mine",
        "kind": kind,
        "files": ("x",),
        "licence": "unknown",
        "origin": "a test",
    }
    return Source.model_validate(given | fields)


def read(kind: str, path: Path, name: str = "", **fields: Any) -> list[Item | Refused | Record]:
    """Everything that the reader says of a file."""
    return list(reader(kind).read(path, name or path.name, source(kind, **fields)))


def write(path: Path, data: bytes | str) -> Path:
    """A file with this content, in its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def made(kind: str, path: Path, data: bytes | str, **fields: Any) -> list[Item | Refused | Record]:
    """What the reader says of a file of this content."""
    return read(kind, write(path, data), **fields)


def reasons(results: Iterable[Item | Refused | Record]) -> list[str]:
    """ "kept" or the reason, of each."""
    return [one.reason if isinstance(one, Refused) else "kept" for one in results]


def texts(results: Iterable[Item | Refused | Record]) -> list[str]:
    """The texts that are kept."""
    return [one.text for one in results if isinstance(one, Item)]


def one(results: list[Item | Refused | Record]) -> Any:
    """The only result."""
    assert len(results) == 1, results
    return results[0]


def without_place(results: Iterable[Item | Refused | Record]) -> Counter[str]:
    """What is said of documents, as a multiset, whatever file and line they came from."""
    seen: Counter[str] = Counter()
    for result in results:
        shown = {k: v for k, v in sorted(vars(result).items()) if k != "place"}
        seen[f"{type(result).__name__} {shown!r}"] += 1
    return seen


def digest(results: Iterable[Item | Refused | Record]) -> str:
    """Of everything that is said, in its order."""
    whole = hashlib.sha256()
    for result in results:
        whole.update(repr((type(result).__name__, sorted(vars(result).items()))).encode())
    return whole.hexdigest()
