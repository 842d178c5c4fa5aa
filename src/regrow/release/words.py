"""Words about a record: texts with fields of the record in them, said as far as the record has them.

Words are JSON, so that they can be options of a step. They are one of:

* a text: `"Pretraining"`. A field of the record stands in braces, with a format behind it if need be:
  `" in groups of {params.group} answers"`. A text with a field that the record lacks is not said;
* a text with conditions, `{"text": ..., "when": {field: value}}`: not said where a field has another value;
* `{"first": [words, ...]}`: the first of these that can be said;
* a list: all of these that can be said, one behind the other.

Fields are `params.NAME` (in the section with the stage's settings), `options.NAME`, `counts.NAME`, `inputs.NAME` (true
where there is such an input with a record) and `runs` (how many runs were averaged). What is said names the fields that
it follows from.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from typing import Any

from regrow.release.records import Artifact
from regrow.release.sentence import get

Words = str | Mapping[str, Any] | list[Any]
Said = tuple[str, tuple[str, ...]]
"""text, and the fields of the record that it follows from, as evidence names them"""

_COUNT = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_ORDER = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


def say(words: Words, record: Artifact) -> Said | None:
    """The words on a record, None where they cannot be said."""
    if isinstance(words, str):
        return _text(words, record)
    if isinstance(words, list):
        parts = [said for part in words if (said := say(part, record))]
        return "".join(text for text, _ in parts), tuple(f for _, fields in parts for f in fields)
    if "first" in words:
        return next((said for one in words["first"] if (said := say(one, record))), None)
    for name, value in words["when"].items():
        found = _value(record, name)
        if found != value or isinstance(found, bool) != isinstance(value, bool):
            return None
    said = _text(str(words["text"]), record)
    by = tuple(evidence(record, name) for name in words["when"])
    return said and (said[0], (*said[1], *by))


def section(record: Artifact) -> tuple[str, Mapping[str, Any]]:
    """The params of the stage itself, with the section's name: the one that has an optimizer."""
    for name, value in record.params.items():
        if isinstance(value, Mapping) and "optimizer" in value:
            return name, value
    return "", {}


def evidence(record: Artifact, name: str) -> str:
    """A field of the words as a path into the record: `params.beta` is `params.dpo.beta`."""
    own = section(record)[0]
    return f"params.{own}.{name.removeprefix('params.')}" if own and "params." in name else name


def place(letter: Any) -> int:
    """Which run a letter names, from 0; -1 for what is no letter."""
    return ord(letter) - ord("a") if isinstance(letter, str) and len(letter) == 1 else -1


def ordinal(letter: Any) -> str:
    """Which run a letter names, in words: `a` is the first. Raises ValueError for what is none."""
    if not 0 <= place(letter) < len(_ORDER):
        raise ValueError(f"{letter!r} names no run")
    return _ORDER[place(letter)]


def _number(value: Any) -> str:
    return _COUNT[value] if value < len(_COUNT) else str(value)


_FORMATS: dict[str, Callable[[Any], str]] = {
    "ordinal": ordinal,
    "place": lambda letter: str(place(letter) + 1),
    "number": _number,
    "Number": lambda value: _number(value).capitalize(),
    "Word": lambda value: str(value).capitalize(),
}
"""formats beside Python's: run `b` is the second, at place 2; 2 is two, or Two; a word with a capital"""


def _text(text: str, record: Artifact) -> Said | None:
    found, fields = [], []
    for plain, name, form, _ in string.Formatter().parse(text):
        found.append(plain)
        if name is None:
            continue
        value = _value(record, name)
        if value is None or isinstance(value, bool):
            return None
        try:
            made = _FORMATS[form](value) if form in _FORMATS else format(value, form or "")
        except (TypeError, ValueError):
            return None
        found.append(made)
        if name != "runs":
            fields.append(evidence(record, name))
    return "".join(found), tuple(fields)


def _value(record: Artifact, name: str) -> Any:
    """A field of the record, None where it has none."""
    if name == "runs":
        return sum(len(source.name) == 1 for source in record.inputs)
    part, _, path = name.partition(".")
    if part == "inputs":
        return bool(record.made_by(path)) or None
    values = {"params": section(record)[1], "options": record.options, "counts": record.counts}
    return get(values.get(part), path)
