"""Drawn tokens as pieces of text, as they come: thinking, answer, calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from tokenizers import Tokenizer

from regrow.data.tokens import chat

Kind = Literal["think", "answer", "call"]
Emit = Callable[[Kind, str], None]

_OPENS: dict[str, Kind] = {chat.THINK: "think", chat.CALL: "call"}
_CLOSES = (chat.THINK_END, chat.CALL_END)
_BROKEN = "�"
"""what a decoder gives for a character whose bytes have not all come"""


class Pieces:
    """Turns a growing list of tokens into text. Control tokens change the kind, and are not text."""

    def __init__(self, tokenizer: Tokenizer, emit: Emit) -> None:
        self._tokenizer = tokenizer
        self._emit = emit
        self._controls = {
            number: token
            for token in (*_OPENS, *_CLOSES, chat.END, chat.END_OF_TEXT)
            if (number := tokenizer.token_to_id(token)) is not None
        }
        self._kind: Kind = "answer"
        self._read = 0
        self._open: list[int] = []
        """tokens of the present piece"""
        self._shown = ""
        """of its text"""

    def feed(self, tokens: Sequence[int]) -> None:
        """Emit the text of what is new in `tokens`, the whole list so far."""
        for token in tokens[self._read :]:
            control = self._controls.get(token)
            if control is None:
                self._open.append(token)
                self._show(final=False)
                continue
            self._show(final=True)
            self._open, self._shown = [], ""
            self._kind = _OPENS.get(control, "answer")
        self._read = len(tokens)

    def finish(self, tokens: Sequence[int]) -> None:
        """Emit the rest; bytes that make no character become the replacement character."""
        self.feed(tokens)
        self._show(final=True)

    def _show(self, *, final: bool) -> None:
        text = chat.decode(self._tokenizer, self._open) if self._open else ""
        whole = text if final else text.rstrip(_BROKEN)
        # A character is only shown when all of its bytes are there, so what was shown stays.
        fresh = whole[len(self._shown) :]
        if fresh:
            self._emit(self._kind, fresh)
            self._shown = whole
