"""Text of strangers, made safe to look at: what would not be seen, or would move the rest, is spelt out."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

LONGEST = 400
"""characters of one text; the rest is cut, and said to be"""
_MOVES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""categories: controls, format characters (bidirectional ones among them), surrogates, unassigned, lines"""
_JOINERS = {"\u200c", "\u200d"}
"""format characters that ordinary words of some scripts hold"""


def visible(text: str, longest: int = LONGEST) -> str:
    """`text` on one line, each control, bidirectional or unassigned character as `⟨U+202E⟩`, cut if long."""
    if len(text) <= longest and text.isprintable():
        return text
    shown = "".join(c if plain(c) else _spelt(c) for c in text[: 4 * longest])
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def lines(text: str) -> str:
    """`text` whole, its line ends and tabs kept, everything else that `visible` spells out spelt out."""
    if _seen(text):
        return text
    return "".join(c if c in "\n\t" or plain(c) else _spelt(c) for c in text)


def _seen(text: str) -> bool:
    # What Python calls printable is seen and moves nothing; of the rest some is, too (other spaces, joiners).
    return text.replace("\n", "").replace("\t", "").isprintable()


def plain(character: str) -> bool:
    """Whether a character can be seen and moves nothing."""
    return character in _JOINERS or unicodedata.category(character) not in _MOVES


def _spelt(character: str) -> str:
    return f"⟨U+{ord(character):04X}⟩"


def shown(value: Any) -> Any:
    """A JSON-able value with every string in it `visible`, keys included."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(str(key)): shown(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [shown(item) for item in value]
    return value


def escaped(document: str) -> str:
    """A JSON document with what `visible` would spell out as `\\uXXXX`: the value stays the same.

    Args:
        document: JSON, written with `ensure_ascii=False`: outside of strings it is ASCII.
    """
    if _seen(document):
        return document
    return "".join(c if c in "\n\t" or plain(c) else json.dumps(c)[1:-1] for c in document)
