"""Which probes a checkpoint gets: the recipe says them, by its kinds (`regrow.recipe.kinds`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Form = Literal["plain", "think", "instruct"]

_INSTANCE = re.compile(r"(?P<stage>[a-z][a-z0-9_]*?)(?:_seed(?P<seed>[0-9]+))?-(?P<step>[0-9]{6})")


@dataclass(frozen=True, kw_only=True)
class Probes:
    """The probes of a stage."""

    form: Form
    """of the prompts"""
    text: bool = False
    """bits per byte of held-out documents by domain, and of the tasks' right answers"""
    answers: Literal["none", "few", "all"] = "all"
    """answers to the tasks, greedy and drawn: to `evaluate.few` tasks per family (greedy only) or to all"""
    untrained: Form | None = None
    """a form that the model has not been trained on, probed with few tasks: the next stage's `before`"""
    tools: bool = False
    """tasks with tools at hand"""
    long: bool = False
    """loss by position and needles, at the long context"""
    yarn: bool = False
    """loss by position again with YaRN switched on at evaluation only"""
    preferences: bool = False
    """which answer of a held-out pair is likelier"""
    tasks: bool = True
    """the tasks that `evaluate.tasks` names"""


@dataclass(frozen=True)
class Checkpoint:
    """What an instance `STAGE-NNNNNN` or `STAGE_seedN-NNNNNN` names."""

    stage: str
    seed: int
    step: int


def checkpoint(instance: str) -> Checkpoint:
    """Take an instance's name apart.

    Raises:
        ValueError: not such a name.
    """
    found = _INSTANCE.fullmatch(instance)
    if found is None:
        raise ValueError(f"{instance!r} is not called STAGE-NNNNNN, such as rlvr-000080")
    return Checkpoint(found["stage"], int(found["seed"] or 0), int(found["step"]))
