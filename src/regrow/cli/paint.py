"""Colour for terminals: only where someone looks, and only if they want it."""

from __future__ import annotations

import os
import sys
from typing import TextIO

CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "36"}

_MARKS = {
    "ok": ("green", "ok  "), "note": ("dim", "note"), "warn": ("yellow", "warn"), "fail": ("red", "FAIL"),
}  # fmt: skip


class Paint:
    """`paint.green("ok")`: coloured on a terminal, plain elsewhere (pipes, files, NO_COLOR, dumb)."""

    def __init__(self, stream: TextIO | None = None) -> None:
        stream = stream or sys.stdout
        self.on = (
            stream.isatty()
            and not os.environ.get("NO_COLOR")
            and os.environ.get("TERM", "") != "dumb"
        )

    def _wrap(self, style: str, text: str) -> str:
        return f"\x1b[{CODES[style]}m{text}\x1b[0m" if self.on else text

    def bold(self, text: str) -> str:
        """Headings and names."""
        return self._wrap("bold", text)

    def dim(self, text: str) -> str:
        """What the eye may skip."""
        return self._wrap("dim", text)

    def red(self, text: str) -> str:
        """Failures."""
        return self._wrap("red", text)

    def green(self, text: str) -> str:
        """What is right."""
        return self._wrap("green", text)

    def yellow(self, text: str) -> str:
        """Warnings."""
        return self._wrap("yellow", text)

    def blue(self, text: str) -> str:
        """Hashes and ids."""
        return self._wrap("blue", text)

    def mark(self, severity: str) -> str:
        """How grave a finding is (ok, note, warn, fail), in four characters."""
        style, text = _MARKS[severity]
        return self._wrap(style, text)


def width() -> int:
    """Columns to write in: the terminal's, at most 110, 100 where there is none."""
    return min(110, max(40, columns(100)))


def columns(otherwise: int) -> int:
    """Columns of the terminal; `otherwise` where there is none.

    As `shutil.get_terminal_size`, whose module loads what compresses archives too.
    """
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked):
        return int(asked)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or otherwise  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):  # closed, or no terminal
        return otherwise


def size(count: float) -> str:
    """Bytes for people: 1.2 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def duration(seconds: float) -> str:
    """Seconds for people: 3.2 s, 4 min 05 s, 2 h 10 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
