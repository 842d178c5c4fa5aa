"""What a filter sees of a document, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from regrow.data.filters import words


@dataclass(frozen=True)
class Drop:
    """A document is dropped: why, by which measurement, against which threshold."""

    reason: str
    value: float | None = None
    threshold: float | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Document:
    """The text of a page and where it comes from, with its cuts made once for all filters."""

    text: str
    url: str = ""
    mime: str = ""
    language: str | None = None
    language_score: float | None = None
    pii: str | None = None
    """what was masked, as `regrow.data.filters.pii.written` says it"""

    @cached_property
    def words(self) -> list[str]:
        """Words as `regrow.data.filters.words.tokens` cuts them, case kept."""
        return words.tokens(self.text)

    @cached_property
    def word_count(self) -> int:
        """Number of words, scripts without spaces included (`regrow.data.filters.words.count`)."""
        return words.count(self.text, self.words)

    @cached_property
    def spaced(self) -> list[str]:
        """Pieces between white space, with their punctuation, of scripts that write spaces."""
        return words.spaced(self.text)

    @cached_property
    def lines(self) -> list[str]:
        """Lines that hold more than white space."""
        return [*filter(str.strip, self.text.split("\n"))]

    @cached_property
    def paragraphs(self) -> list[str]:
        """Runs of lines between blank lines."""
        return [*filter(str.strip, self.text.split("\n\n"))]
