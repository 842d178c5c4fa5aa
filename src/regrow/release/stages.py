"""What each training stage is, in words: for the cards of its checkpoints, and for the talk with them."""

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
    """A training stage as a reader of its card should know it."""

    name: str
    """of the step in the flow"""
    title: str
    parents: tuple[str, ...]
    """stages whose last checkpoint it begins from"""
    form: Form
    method: str
    """what was minimised or maximised, one sentence"""
    reads: str
    """what it learned from"""

    @property
    def chats(self) -> bool:
        """Whether its checkpoints answer in the chat template."""
        return self.form != "plain"


_ALL = (
    Stage(
        "pretrain",
        "Pretraining",
        (),
        "plain",
        "Next-token prediction from random weights.",
        "the crawled text after filters, deduplication and mixing",
    ),
    Stage(
        "midtrain",
        "Midtraining",
        ("pretrain",),
        "plain",
        "Next-token prediction with the learning rate falling to zero.",
        "the best text of pretraining, questions with worked answers, instruction-like and "
        "retrieval text",
    ),
    Stage(
        "midtrain_b",
        "Midtraining, second data order",
        ("pretrain",),
        "plain",
        "As midtraining, with the data in another order: the other half of the soup.",
        "the midtraining mix",
    ),
    Stage(
        "soup",
        "Soup of the midtraining runs",
        ("midtrain", "midtrain_b"),
        "plain",
        "The mean of the weights of two midtraining runs, or the better of the two where the mean "
        "does not win on held-out data.",
        "nothing: weights only",
    ),
    Stage(
        "longcontext",
        "Long-context extension",
        ("soup",),
        "plain",
        "Next-token prediction at a longer context, with YaRN on the full-attention layers and "
        "attention within documents only.",
        "long documents, counting and retrieval tasks over them, and midtraining text",
    ),
    Stage(
        "longcontext_control",
        "Control of the long-context extension",
        ("soup",),
        "plain",
        "The same tokens cut to the short length, without YaRN.",
        "the long-context mix, cut short",
    ),
    Stage(
        "sft",
        "Supervised fine-tuning, Think",
        ("longcontext",),
        "think",
        "Next-token prediction on the answers (thinking included) of chat examples.",
        "examples whose thinking and answers come from programs and were verified, and a few of a "
        "small teacher model",
    ),
    Stage(
        "sft_instruct",
        "Supervised fine-tuning, Instruct",
        ("sft",),
        "instruct",
        "Next-token prediction on the answers of chat examples without thinking, some with tool "
        "calls.",
        "verified short answers and tool calls",
    ),
    Stage(
        "dpo",
        "Preference tuning",
        ("sft",),
        "think",
        "Length-normalised direct preference optimisation.",
        "pairs of the model's own answers, best against worst by verifier and length",
    ),
    Stage(
        "dpo_delta",
        "Preference tuning on delta pairs",
        ("sft",),
        "think",
        "Length-normalised direct preference optimisation.",
        "pairs of a stronger and a weaker checkpoint's answers",
    ),
    Stage(
        "rlvr",
        "Reinforcement learning with verified rewards",
        ("dpo",),
        "think",
        "Group-relative policy optimisation: answers that a verifier accepts become likelier.",
        "its own answers to prompts of middling difficulty, and the verifiers' verdicts",
    ),
    Stage(
        "rlzero",
        "Reinforcement learning from the base model",
        ("longcontext",),
        "plain",
        "Group-relative policy optimisation without fine-tuning before it.",
        "its own answers to prompts of middling difficulty, and the verifiers' verdicts",
    ),
    Stage(
        "rlzero_random",
        "Control of reinforcement learning",
        ("longcontext",),
        "plain",
        "The same with rewards drawn at random.",
        "its own answers, and coin tosses",
    ),
)
LAST = "rlvr"
"""the stage whose last checkpoint is the model that people want"""
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
    own = ("sft", "dpo", "rlvr")  # repeated under every seed; what comes before is shared
    end = f"_seed{found['seed']}"
    parents = tuple(f"{parent}{end}" if parent in own else parent for parent in base.parents)
    return replace(base, name=name, title=f"{base.title}, seed {found['seed']}", parents=parents)


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


def chain(name: str) -> list[Stage]:
    """The stages that led to `name`, it included, in the order of training; each once."""
    found: dict[str, Stage] = {}

    def visit(at: str) -> None:
        here = stage(at)
        for parent in here.parents:
            visit(parent)
        found.setdefault(at, here)

    visit(name)
    return list(found.values())
