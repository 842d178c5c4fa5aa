"""What a training step did, in words: by the function, options and params of its record.

The words are of the kind of training (`regrow.recipe.kinds`) and are given: a step has them as an option. A function
that they do not know is named, and nothing is said of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regrow.release import words
from regrow.release.records import Artifact
from regrow.release.sentence import Sentence, whole

Methods = Mapping[str, Mapping[str, words.Words]]
"""function of a training step -> its `title` and `method` (`regrow.release.words`)"""


def run_named(letter: str) -> str:
    """What a soup keeps, by the name of its input: `a` is the first run; "" for what is none."""
    if letter == "mean":
        return "the mean of their weights"
    try:
        return f"the {words.ordinal(letter)} run"
    except ValueError:
        return ""


def title(record: Artifact, methods: Methods) -> str:
    """The stage's name in words, its step's name for a function that is not known."""
    said = (
        words.say(methods[record.function]["title"], record) if is_known(record, methods) else None
    )
    if said is None:
        return record.stage
    seed = whole(record.options.get("seed"))
    return f"{said[0]}, seed {seed}" if seed else said[0]


def method(record: Artifact, methods: Methods) -> Sentence:
    """What was optimised."""
    said = (
        words.say(methods[record.function]["method"], record) if is_known(record, methods) else None
    )
    function = f"{record.step}/function"
    if said is None:
        return Sentence(f"Made by the function `{record.function or 'unknown'}`.", (function,))
    text, fields = said
    return Sentence(text, (function, *(f"{record.step}/{name}" for name in fields)))


def is_known(record: Artifact, methods: Methods) -> bool:
    """Whether there are words about its function."""
    return record.function in methods


def form(record: Artifact, before: str) -> str:
    """The form of its prompts: what its options say, else that of the stage before it."""
    if record.options.get("form") in ("plain", "think", "instruct"):
        return str(record.options["form"])
    branch = record.options.get("branch")
    return str(branch) if branch in ("think", "instruct") else before


def section(record: Artifact) -> Mapping[str, Any]:
    """The params of the stage itself: the section that has an optimizer."""
    return words.section(record)[1]
