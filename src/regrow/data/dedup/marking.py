"""Folded texts for looking items up: where lists of numbers and spelled words begin and end.

*What is 3 + 4?* must not be found in *What is 3 + 4 + 5?*, nor *Reverse n e w.* in *Reverse n e w s.*: the
words of the one are in the other, but it is another question. So the first and the last member of
a run of numbers and single letters carry a mark (a point parts runs: 45.64 is no list). Operators do not count, nor quotes
beside them: what parts the numbers may be spelled or marked up in many ways.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from regrow.data.dedup.folding import fold
from regrow.data.filters import words

_FIRST, _LAST = "\ue000", "\ue001"
_SINGLE = r"(?:\d+|[a-z\u00df-\u024f\u0370-\u052f])(?!\w|'\w)"
_SIGNS = r"+*/^\u00b7\u00d7\u00f7\u2212\u2219\u22c5"
_QUOTES = "\"'\u00ab\u00bb\u201c-\u201f\u2039\u203a"
# Not beside a dash, which may well part a quoted question from its answer.
_QUOTED = rf"[{_QUOTES}](?= ?[{_SIGNS}])|(?:(?<=[{_SIGNS}])|(?<=[{_SIGNS}] ))[{_QUOTES}]"
_JOIN = rf"(?:[ ,$\\~\-\u2013{_SIGNS}]|(?<=[,+\-*/])\n|{_QUOTED}){{1,20}}"
_LIST = re.compile(rf"(?<!\w)(?<!\w'){_SINGLE}(?:{_JOIN}{_SINGLE})*")
_ENDS = re.compile(r"[\n?!;:|\t\"()\[\]{}。！？；：「」]|\.(?!\d)")
_WRAP = re.compile(r"(?<!\n)\n(?!\n)")
_LABEL = re.compile(r"\s*(?:(?:question|prompt|user|human|q)\b\s*\w{0,4}|\W*\w{1,4})\s*[.):]\s*")


def marked(text: str) -> str:
    """The text folded, with the marks."""
    return _LIST.sub(lambda run: f"{_FIRST}{run[0]}{_LAST}", fold(text))


def tokens(text: str) -> list[str]:
    """The words of a marked text."""
    return words.tokens(text)


def bare(token: str) -> str:
    """A word without its marks."""
    return token.strip(_FIRST + _LAST)


def unmarked(token: str) -> str:
    """A word without any mark in it, as it is in the folded text."""
    return token.replace(_FIRST, "").replace(_LAST, "")


def may_have_marks(text: str) -> bool:
    """Whether an unmarked text may hold a mark of its own, as icons of fonts or references; False is certain."""
    return _FIRST in text or _LAST in text or "&#" in text


def alone(text: str) -> Iterator[str]:
    """What stands alone in a marked text: lines, with and without a label before them, and sentences."""
    for line in text.split("\n"):
        yield line
        if label := _LABEL.match(line):
            yield line[label.end() :]
    yield from _ENDS.split(text)
    if "\n" in text:  # sentences that go on in the next line
        yield from _ENDS.split(_WRAP.sub(" ", text))
