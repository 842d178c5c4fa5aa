"""What a command prints, made safe for a terminal: no control character of a stranger's text reaches it.

Titles, addresses, licences, names of files, reasons of servers and text of pages are data. A command shows them with
`visible`; whatever was forgotten is spelt out here, the colours of `paint` excepted.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from regrow.cli.paint import CODES
from regrow.engine.visible import lines

_COLOUR = re.compile(rf"(\x1b\[(?:0|{'|'.join(CODES.values())})m)")


class _Guarded:
    """A stream whose text is spelt out; everything else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text, as `print` does."""
        self._stream.write(guarded(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def guarded(text: str) -> str:
    """The text with its colours and line ends; all else that cannot be seen is spelt out."""
    if "\x1b" not in text:
        return lines(text)
    return "".join(part if at % 2 else lines(part) for at, part in enumerate(_COLOUR.split(text)))


@contextlib.contextmanager
def terminal() -> Iterator[None]:
    """While it lasts, what is printed is guarded."""
    out, err = sys.stdout, sys.stderr
    # None: the stream is closed.
    guards: Any = tuple(stream and _Guarded(stream) for stream in (out, err))
    sys.stdout, sys.stderr = guards
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err
