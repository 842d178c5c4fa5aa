"""What a reader gives: a document as its source holds it, or what was refused and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SCHEME = "source://"
"""beginning of the address of a document that has none on the web: `source://NAME/...`"""


@dataclass(frozen=True)
class Item:
    """A document that is text already, as its source holds it."""

    text: str
    payload: bytes
    """what stands for its content in the document's id: the bytes of the file, or of the text"""
    name: str = ""
    """what the source calls it: the id of a row, the path of a file below its folder; "" where it has none"""
    url: str = ""
    """its web address, where the source has one"""
    title: str = ""
    date: str = ""
    licence: str = ""
    """its own; "" where the source names none for it"""
    language: str = ""
    mime: str = "text/plain"
    charset: str = "utf-8"
    repaired: int = 0
    """byte sequences that were not in the charset, removed"""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """further fields that are carried along, as text"""


@dataclass(frozen=True)
class Refused:
    """A row or file that becomes no document. Its id comes from its bytes, never from its place."""

    payload: bytes
    """its bytes, or the beginning of them: they name it in the table of drops"""
    reason: str
    """short and machine-readable: "bad_json", "missing_text", ..."""
    detail: str = ""
    """what is wrong, without the place"""
    place: str = ""
    """where it is: "dump/a.jsonl.zst, line 12" """
    name: str = ""
    url: str = ""
    value: float | None = None
    threshold: float | None = None
