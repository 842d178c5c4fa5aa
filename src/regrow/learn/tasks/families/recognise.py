"""Which family a question belongs to, by its wording alone."""

from __future__ import annotations

import re
from functools import cache
from string import Formatter

from regrow.learn.tasks.families import FAMILIES
from regrow.learn.tasks.families.family import Family


def recognise(question: str) -> str | None:
    """The name of the family that asks like this; None where none does.

    A question counts as of a family only if what stands in its fields is of the kind that the family
    draws: `What is 3 + 4?` is, `What is the capital of France?` is not. The answer may still be
    wrong, and a family may never draw these very numbers.
    """
    said = " ".join(question.split())
    return next((name for name in FAMILIES if _pattern(name).fullmatch(said)), None)


@cache
def _pattern(name: str) -> re.Pattern[str]:
    family = FAMILIES[name]
    return re.compile("|".join(f"(?:{_wording(family, wording)})" for wording in family.wordings))


def _wording(family: Family, wording: str) -> str:
    parts = []
    for literal, name, _, _ in Formatter().parse(wording):
        parts.append(re.escape(literal))
        if name is not None:
            parts.append(family.slots[name])
    return "".join(parts)
