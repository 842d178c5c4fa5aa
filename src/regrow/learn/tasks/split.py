"""Which split a content belongs to: a matter of the content alone, so that no wording crosses it."""

from __future__ import annotations

import hashlib
from typing import Literal

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")

_TEST, _DEV = 0.20, 0.10


def split(family: str, content: str, seed: int) -> Split:
    """`test` for a fifth of the contents, `dev` for a tenth, by a keyed hash."""
    digest = hashlib.sha256(f"regrow split {seed}\0{family}\0{content}".encode()).digest()
    place = int.from_bytes(digest[:8], "little") / 2**64
    return "test" if place < _TEST else "dev" if place < _TEST + _DEV else "train"


def identity(family: str, instance: str) -> str:
    """The id of a task: 16 hexadecimal digits."""
    return hashlib.sha256(f"{family}\0{instance}".encode()).hexdigest()[:16]
