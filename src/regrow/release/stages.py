"""The names of checkpoints and stages, and the form of their prompts.

What a stage did, and what it learned from, is in no table: `regrow.release.history` reads it off the records.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

Form = Literal["plain", "think", "instruct"]
"""of a prompt: plain text, the chat template with thinking, the chat template with short answers"""

_NAMED = re.compile(r"(?P<stage>[a-z][a-z0-9_]*)-(?P<step>\d+)")
_SEED = re.compile(r"(?P<stage>\w+?)_seed(?P<seed>\d+)")


@dataclass(frozen=True)
class Stage:
    """A training stage by name."""

    name: str
    """of the step in the flow"""
    title: str
    form: Form

    @property
    def chats(self) -> bool:
        """Whether its checkpoints answer in the chat template."""
        return self.form != "plain"


_ALL = (
    Stage("pretrain", "Pretraining", "plain"),
    Stage("midtrain", "Midtraining", "plain"),
    Stage("midtrain_b", "Midtraining, second data order", "plain"),
    Stage("soup", "Soup of the midtraining runs", "plain"),
    Stage("longcontext", "Long-context extension", "plain"),
    Stage("longcontext_control", "Control of the long-context extension", "plain"),
    Stage("sft", "Supervised fine-tuning, Think", "think"),
    Stage("sft_instruct", "Supervised fine-tuning, Instruct", "instruct"),
    Stage("dpo", "Preference tuning", "think"),
    Stage("dpo_delta", "Preference tuning on delta pairs", "think"),
    Stage("rlvr", "Reinforcement learning with verified rewards", "think"),
    Stage("rlzero", "Reinforcement learning from the base model", "plain"),
    Stage("rlzero_random", "Control of reinforcement learning", "plain"),
)
MAIN = ("pretrain", "midtrain", "soup", "longcontext", "sft", "dpo", "rlvr")
"""stages whose last checkpoint is the model that people want, the last one that was made first of all"""
LAST = MAIN[-1]
STAGES = {stage.name: stage for stage in _ALL}


def stage(name: str) -> Stage:
    """The stage of that name; `<stage>_seed<n>` is the stage under another seed.

    Raises:
        KeyError: there is none.
    """
    found = _SEED.fullmatch(name)
    if found is None or name in STAGES:
        return STAGES[name]
    base = STAGES[found["stage"]]
    return replace(base, name=name, title=f"{base.title}, seed {found['seed']}")


def split(instance: str) -> tuple[str, int]:
    """`rlvr-000080` -> ("rlvr", 80).

    Raises:
        ValueError: not of that form.
    """
    found = _NAMED.fullmatch(instance)
    if found is None:
        raise ValueError(f"`{instance}` is not called STAGE-NNNNNN, as checkpoints are")
    return found["stage"], int(found["step"])


def revision(instance: str) -> str:
    """The name of a checkpoint's branch on a hub: `rlvr-000080` -> `rlvr-step80`."""
    name, step = split(instance)
    return f"{name}-step{step}"
