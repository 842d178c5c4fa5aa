"""Text of strangers, made safe to look at: what would not be seen, or would move the rest, is spelt out."""

from __future__ import annotations

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
    flat = " ".join(text[: 4 * longest].split(" "))
    shown = "".join(c if _plain(c) else f"⟨U+{ord(c):04X}⟩" for c in flat)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def _plain(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character) not in _MOVES


def shown(value: Any) -> Any:
    """A JSON-able value with every string in it `visible`, keys included."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(str(key)): shown(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [shown(item) for item in value]
    return value
