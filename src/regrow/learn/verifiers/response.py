"""What a completion says: its think part, its answer, its tool calls, and whether its form is right.

A completion is everything after the prompt, decoded with special tokens kept as text, the end token
included; with tools it is the whole rest of the conversation, tool messages included. Forms:

    plain     TRACE \\n\\n Answer: ANSWER \\n\\n                       (TRACE may be empty)
    think     <think>TRACE</think>ANSWER<|end|>
    instruct  ANSWER<|end|>

In the two chat forms a turn may hold calls in the place of its answer, `<tool_call>CALL</tool_call>`
once or more; then one `<|tool|>RESULT<|end|>` per call, `<|assistant|>` and the next turn follow.
A marker after ESCAPE is text: a model that spells a marker with ordinary tokens has written none.
Anything else (two answers, a missing end, a marker where none belongs, an empty think part) is
not well formed, and `reason` says what was wrong; `answer` is then only a best guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

Form = Literal["plain", "think", "instruct"]
FORMS: tuple[str, ...] = ("plain", "think", "instruct")

THINK, THINK_END = "<think>", "</think>"
CALL, CALL_END = "<tool_call>", "</tool_call>"
END, TOOL, ASSISTANT = "<|end|>", "<|tool|>", "<|assistant|>"
END_OF_TEXT = "<|endoftext|>"
BLANK = " \n"
"""what may surround an answer; other white space is part of it"""
ANSWER = "Answer: "
ESCAPE = "\u241b"
"""before a marker that is text: `regrow.data.tokens.chat.completion` writes it where ordinary tokens spell one"""
_PIECE = re.compile(
    rf"{ESCAPE}(?P<literal>.)|(?P<marker><\|[a-z_]+\|>|</?think>|</?tool_call>)", re.DOTALL
)


class _Marker(str):
    """A control token in its spelling."""


def _pieces(text: str) -> list[str]:
    """Text and markers in order; what is escaped is text."""
    pieces: list[str] = []
    said, at = "", 0
    for match in _PIECE.finditer(text):
        said += text[at : match.start()] + (match["literal"] or "")
        at = match.end()
        if match["marker"]:
            pieces += [said, _Marker(match["marker"])]
            said = ""
    return [piece for piece in [*pieces, said + text[at:]] if piece]


@dataclass(frozen=True)
class Response:
    """A completion, taken apart."""

    think: str = ""
    """of the last turn (plain: the trace)"""
    answer: str = ""
    """without surrounding white space; "" where the last turn calls tools"""
    tool_calls: tuple[str, ...] = ()
    """of all turns, in order, as written"""
    tool_results: tuple[str, ...] = ()
    """what the tool messages say, in order"""
    well_formed: bool = True
    reason: str = ""
    """why it is not well formed"""


class _Malformed(Exception):
    pass


def parse(text: str, form: str) -> Response:
    """Take a completion apart.

    Raises:
        ValueError: an unknown form.
    """
    if form == "plain":
        return _plain(text)
    if form not in FORMS:
        raise ValueError(f"unknown form {form!r}; it is one of {', '.join(FORMS)}")
    return _Chat(text, thinks=form == "think").read()


def _plain(text: str) -> Response:
    pieces = _pieces(text)
    ended = bool(pieces) and isinstance(pieces[-1], _Marker) and pieces[-1] == END_OF_TEXT
    if ended:
        pieces.pop()
    text = "".join(pieces)
    start = text.rfind(ANSWER)
    if start < 0:
        return Response(think=text.strip(BLANK), well_formed=False, reason="no answer")
    answer, blank, after = text[start + len(ANSWER) :].partition("\n\n")
    said = Response(think=text[:start].strip(BLANK), answer=answer.strip(BLANK))
    wrong = ""
    if markers := [piece for piece in pieces if isinstance(piece, _Marker)]:
        wrong = f"{markers[0]} in plain text"
    elif text.count("Answer:") > 1:
        wrong = "more than one answer"
    elif start and not text[:start].endswith("\n\n"):
        wrong = "no blank line before the answer"
    elif not blank and not ended:
        wrong = "the answer does not end"
    elif after.strip(BLANK):
        wrong = "text after the answer"
    elif not said.answer:
        wrong = "the answer is empty"
    return replace(said, well_formed=not wrong, reason=wrong)


class _Chat:
    """A reader of the chat forms: text and markers alternate in `pieces`."""

    def __init__(self, text: str, *, thinks: bool) -> None:
        self.pieces = _pieces(text)
        self.at = 0
        self.thinks = thinks
        self.think = ""
        self.answer = ""
        self.calls: list[str] = []
        self.results: list[str] = []

    def read(self) -> Response:
        wrong = ""
        try:
            self._conversation()
        except _Malformed as error:
            wrong = str(error)
            self.answer = self._guess()
        return Response(
            self.think,
            self.answer,
            tuple(self.calls),
            tuple(self.results),
            well_formed=not wrong,
            reason=wrong,
        )

    def _peek(self) -> str:
        return self.pieces[self.at] if self.at < len(self.pieces) else ""

    def _at(self, marker: str) -> bool:
        found = self._peek()
        return isinstance(found, _Marker) and found == marker

    def _take(self, marker: str, where: str) -> None:
        found = self._peek()
        if not self._at(marker):
            if not found:
                raise _Malformed(f"cut off: no {marker} {where}")
            shown = found if isinstance(found, _Marker) else "text"
            raise _Malformed(f"{shown} {where}, where {marker} belongs")
        self.at += 1

    def _text(self) -> str:
        found = self._peek()
        if not found or isinstance(found, _Marker):
            return ""
        self.at += 1
        return found.strip(BLANK)

    def _conversation(self) -> None:
        while True:
            calls = self._turn()
            if self.at == len(self.pieces):
                return
            if not calls:
                raise _Malformed("something after the end")
            for _ in range(calls):
                self._take(TOOL, "after a call")
                self.results.append(self._text())
                self._take(END, "after a tool's result")
            self._take(ASSISTANT, "after the tools' results")

    def _turn(self) -> int:
        """One turn of the assistant; the number of its calls (0: it answers)."""
        if self.thinks:
            self._take(THINK, "at the start")
            self.think = self._text()
            self._take(THINK_END, "after the think part")
            if not self.think:
                raise _Malformed("the think part is empty")
        elif self._at(THINK):
            raise _Malformed("a think part in a form that has none")
        self.answer = self._text()
        calls = 0
        while self._at(CALL):
            if self.answer:
                raise _Malformed("text beside a call")
            self.at += 1
            self.calls.append(self._text())
            self._take(CALL_END, "after a call")
            self.answer = self._text()
            calls += 1
        if calls and self.answer:
            raise _Malformed("text beside a call")
        self._take(END, "after the answer")
        if not calls and not self.answer:
            raise _Malformed("the answer is empty")
        return calls

    def _guess(self) -> str:
        """What follows the last think part up to the next marker."""
        ends = [i for i, p in enumerate(self.pieces) if isinstance(p, _Marker) and p == THINK_END]
        last = max(ends, default=-1)
        if self.thinks and last < 0:
            return ""
        rest = self.pieces[last + 1 :]
        return "" if not rest or isinstance(rest[0], _Marker) else rest[0].strip(BLANK)
