"""Which probes a checkpoint of which stage gets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Form = Literal["plain", "think", "instruct"]

_INSTANCE = re.compile(r"(?P<stage>[a-z][a-z0-9_]*?)(?:_seed(?P<seed>[0-9]+))?-(?P<step>[0-9]{6})")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The probes of a stage."""

    form: Form
    """of the prompts"""
    text: bool = False
    """bits per byte of held-out documents by domain, and of the tasks' right answers"""
    answers: Literal["few", "all"] = "all"
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


PLANS: dict[str, Plan] = {
    "pretrain": Plan(form="plain", text=True, answers="few"),
    "midtrain": Plan(form="plain", text=True),
    "midtrain_b": Plan(form="plain", text=True),
    "soup": Plan(form="plain", text=True, long=True),
    "longcontext_control": Plan(form="plain", text=True, long=True, yarn=True),
    "longcontext": Plan(form="plain", text=True, long=True, untrained="think"),
    "rlzero": Plan(form="plain"),
    "rlzero_random": Plan(form="plain"),
    "sft": Plan(form="think", preferences=True, untrained="instruct"),
    "sft_instruct": Plan(form="instruct", tools=True),
    "dpo": Plan(form="think", preferences=True),
    "dpo_delta": Plan(form="think", preferences=True),
    "rlvr": Plan(form="think"),
}


@dataclass(frozen=True)
class Checkpoint:
    """What an instance `STAGE-NNNNNN` or `STAGE_seedN-NNNNNN` names."""

    stage: str
    seed: int
    step: int

    @property
    def plan(self) -> Plan:
        """The probes of its stage."""
        return PLANS[self.stage]


def checkpoint(instance: str) -> Checkpoint:
    """Take an instance's name apart.

    Raises:
        ValueError: not such a name, or a stage that has no plan here.
    """
    found = _INSTANCE.fullmatch(instance)
    if found is None:
        raise ValueError(f"{instance!r} is not called STAGE-NNNNNN, such as rlvr-000080")
    if found["stage"] not in PLANS:
        raise ValueError(
            f"{instance}: stage {found['stage']!r} has no probes; add it to regrow.evaluate.probes"
        )
    return Checkpoint(found["stage"], int(found["seed"] or 0), int(found["step"]))
