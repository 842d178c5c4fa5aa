"""A field of the document: a question of the template, its answer, and who answers for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

OPEN = "to be filled in by the provider"
TICKED = {True: "Yes", False: "No"}


@dataclass(frozen=True)
class Table:
    """Rows under headings. Numbers stay numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Choice:
    """Boxes of the template, one of them ticked, or none yet."""

    options: tuple[str, ...]
    chosen: str | None


@dataclass(frozen=True)
class Field:
    """One question."""

    key: str
    """stable name in the JSON"""
    label: str
    """the template's words"""
    value: str | Choice | Table | tuple[str, ...] | None
    by: Literal["records", "provider", "open"]
    evidence: tuple[str, ...] = ()
    """records that the answer follows from"""
    note: str = ""
    """what a reader should know beside it"""


@dataclass(frozen=True)
class Section:
    """A numbered section."""

    number: str
    title: str
    fields: tuple[Field, ...]
    intro: str = ""


def known(key: str, label: str, value: Any, evidence: Sequence[str] = (), note: str = "") -> Field:
    """An answer that follows from the records; open where it does not."""
    if value is None or value == "" or value == ():
        return Field(key, label, None, "open", (), note)
    return Field(key, label, value, "records", tuple(dict.fromkeys(evidence)), note)


def told(key: str, label: str, value: str | Sequence[str] | None, note: str = "") -> Field:
    """An answer that only the provider can give. The note says what the records show meanwhile."""
    if value is None or value == "" or value == [] or value == ():
        return Field(key, label, None, "open", (), note)
    return Field(
        key, label, value if isinstance(value, str) else tuple(value), "provider", (), note
    )


def asked(key: str, label: str, value: bool | None, note: str = "") -> Field:
    """A yes-or-no question to the provider."""
    chosen = None if value is None else TICKED[value]
    choice = Choice(tuple(TICKED.values()), chosen)
    return Field(key, label, choice, "open" if value is None else "provider", (), note)


def ticked(
    key: str, label: str, value: bool, evidence: Sequence[str] = (), note: str = ""
) -> Field:
    """A yes-or-no question that the records answer."""
    choice = Choice(tuple(TICKED.values()), TICKED[value])
    return Field(key, label, choice, "records", tuple(dict.fromkeys(evidence)), note)


def modality(key: str = "modality") -> Field:
    """The modality of everything in this flow."""
    return known(key, "Modality(ies) of the content covered", ("Text",))
