"""Reinforcement learning on verified rewards, and its control with drawn ones."""

from __future__ import annotations

from typing import Any

from regrow.recipe.kind import Entry, Gain, Kind, first, when


def _priority(entry: Entry) -> int:
    if entry["reward"] == "random":
        return 0
    return 5 if entry["form"] == "plain" else 10


def _length(params: Any, stage: Any) -> int:
    return int(getattr(params, stage.settings).max_new_tokens)


KIND = Kind(
    name="rl",
    function="regrow.learn.rl.rlvr:run",
    doc="GRPO on verified rewards, with every rollout kept.",
    title=first(
        when("Reinforcement learning with random rewards", reward="random"),
        "Reinforcement learning with verified rewards",
    ),
    method=[
        "Group-relative policy optimisation",
        " in groups of {params.group} answers",
        first(
            when("; rewards are drawn at random", reward="random"),
            when("; the reward is a verifier's verdict", reward="verified"),
            "",
        ),
        ".",
    ],
    part="post",
    data="difficulty",
    options=lambda entry: {"form": entry["form"], "reward": entry["reward"]},
    control=("reward", "random"),
    control_doc="The control: the same with random rewards, which must not help.",
    tokenizer=True,
    unit="answers",
    length=_length,
    # Every answer is drawn (one forward pass per token), refills as well.
    forwards=lambda block: 1.0 + block.max_refills,
    run="regrow.evidence.runs.rollouts:Rollouts",
    gains=(
        Gain("pass_rate", controlled=True),
        Gain("exact_match", controlled=True),
        Gain("pass_rate", of_control=True, note="the control itself"),
    ),
    chart="regrow.publish.report.pictures:reinforced",
    loss="",  # a policy gradient's loss shows nothing
    probes=lambda entry, every: {"form": entry["form"]},
    short=lambda options: (
        "RL from the base" if options.get("form") == "plain" else "RL, verified rewards"
    ),
    priority=_priority,
)
