"""A text of the mix, and where it is from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

GENERATED_LICENCE = "Apache-2.0"
"""of what our own generators write (the project's)"""
GENERATED_SOURCE = "regrow"


@dataclass(frozen=True)
class Text:
    """One document of the mix."""

    id: str
    component: str
    source: str
    generator: str | None
    """what made the text; None for a real document"""
    licence: str
    parent: str | None
    """id of the real document that it is a part of or made from, or of the task (the first of them)"""
    text: str
    contents: tuple[tuple[str, str], ...] = ()
    """(family, content) of the tasks in it"""


def identity(component: str, *parts: str | int) -> str:
    """An id of 32 hexadecimal digits from what the text was made from."""
    name = "\0".join(str(part) for part in (component, *parts))
    return hashlib.sha256(f"regrow midmix {name}".encode()).hexdigest()[:32]


def rank(key: str, identity: str) -> bytes:
    """Where a text stands in the order named `key`: a hash, so one more leaves the others' order."""
    return hashlib.sha256(f"regrow midmix {key} {identity}".encode()).digest()
