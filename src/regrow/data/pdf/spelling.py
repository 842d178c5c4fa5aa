"""Which characters of a PDF stand for others: ligatures, and nothing that means something.

Not NFKC: that makes x2 of x², 12 of ½ and (c) of ©, and takes mathematical alphabets for letters.
"""

from __future__ import annotations

import re

from regrow.data.text.document import tidy

_LIGATURES = {
    "\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl", "\ufb05": "st", "\ufb06": "st",
    "\ufb13": "մն", "\ufb14": "մե", "\ufb15": "մի", "\ufb16": "վն", "\ufb17": "մխ",
}  # fmt: skip
"""Unicode's ligatures of Latin and Armenian letters (Alphabetic Presentation Forms); not æ, œ, ĳ, which are letters"""
_SPACES = "\t\u00a0\u2000-\u200a\u202f\u205f"
HYPHEN = "\x02"
"""a hyphen at the end of a line, as pdfium and `regrow.data.text.lines` mark it"""
SOFT = "\x03"
"""a soft hyphen"""
_TABLE = str.maketrans(_LIGATURES)
_BLANK = re.compile(f"[ {_SPACES}]+")
_SPACE = re.compile(f"[{_SPACES}]")
_LEADERS = re.compile(r"(?: ?[.·…]){5,} ?|(?: [._]){4,} ?")
"""rows of dots between a title and its page"""


def clean(code: int) -> str:
    """The character of a code that pdfium gives; "" for what no text needs."""
    if code < 32 or 0xD800 <= code <= 0xDFFF or code > 0x10FFFF:
        return " " if code == 9 else ""
    letter = chr(code)
    if letter == "\u00ad":
        return SOFT
    return letter if letter == " " or code < 127 else (tidy(f".{letter}.")[1:-1] or "")


def plain(text: str, code: bool = False) -> str:
    """A piece of a line: ligatures as letters, one kind of space, `HYPHEN` only at its end.

    Several spaces become one and rows of dots none, but not in code.
    """
    text = text.translate(_TABLE)
    text = _SPACE.sub(" ", text) if code else _BLANK.sub(" ", _LEADERS.sub(" ", text))
    end = text.rstrip()
    last = HYPHEN if end[-1:] in (SOFT, "\u2010") else end[-1:]
    return end[:-1].replace(HYPHEN, "-").replace(SOFT, "") + last
