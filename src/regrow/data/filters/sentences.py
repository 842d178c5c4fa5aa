"""Sentences and the marks that end them, in any script.

Olmo 3's code splits after `.`, `!` or `?` that white space follows (datamap-rs, MADLAD-400
annotator). A Chinese or Japanese text has no space there and would be one sentence, so the
full-width marks end a sentence by themselves.
"""

from __future__ import annotations

import re

WIDE = "\u3002\uff01\uff1f\uff0e\uff61"
"""full-width and half-width marks of Han and kana"""
END_MARKS = tuple(
    ".!?\u203c\u2047\u2048\u2049"
    f"{WIDE}"
    "\u0964\u0965"  # Devanagari
    "\u061f\u06d4\u061d"  # Arabic
    "\u0589\u1362\u1367\u104a\u104b\u17d4\u17d5\u1803\u1809"  # Armenian, Ethiopic, Burmese, Khmer, Mongolian
)
"""characters that end a sentence"""
QUOTES = ('"', "'", "\u201d", "\u2019", "\u00bb", "\u300d", "\u300f")
"""closing quotation marks, which a sentence may end with"""
_SPLIT = re.compile(f"[.!?\u0964\u06d4\u061f]+\\s+|[{WIDE}]+\\s*")


def split(text: str) -> list[str]:
    """The sentences of a text, without the marks between them; none is blank."""
    return [part for part in _SPLIT.split(text) if part.strip()]
