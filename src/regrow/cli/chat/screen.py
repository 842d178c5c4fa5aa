"""An answer on the terminal as it comes: thinking dimmed, calls in colour."""

from __future__ import annotations

import sys
from typing import TextIO

from regrow.cli.chat.pieces import Kind
from regrow.cli.paint import Paint
from regrow.engine.visible import lines

_NAMES = {"think": "(thinks) ", "call": "(calls) ", "answer": ""}


class Screen:
    """Writes pieces of an answer. Where nobody looks (a pipe) only the answer is written."""

    def __init__(self, stream: TextIO | None = None, *, everything: bool | None = None) -> None:
        self.stream = stream or sys.stdout
        self.paint = Paint(self.stream)
        self.everything = self.stream.isatty() if everything is None else everything
        self._kind: Kind | None = None
        self._fresh = True
        """nothing of the present piece was written yet"""

    def __call__(self, kind: Kind, text: str) -> None:
        """Write a piece of text."""
        if kind != "answer" and not self.everything:
            return
        if kind != self._kind:
            if self._kind is not None:
                self._write("\n")
            self._kind, self._fresh = kind, True
        if self._fresh:
            text = text.lstrip()
            if not text:
                return
            text = ("" if self.paint.on else _NAMES[kind]) + text
            self._fresh = False
        colour = {"think": self.paint.dim, "call": self.paint.blue}.get(kind, str)
        self._write(colour(lines(text)))

    def end(self, note: str = "") -> None:
        """Close the answer."""
        self._write("\n" if self._kind is not None else "")
        if note and self.everything:
            self._write(self.paint.dim(f"({note})") + "\n")
        self._kind, self._fresh = None, True

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()
