"""The chapters of the page: which stages have one, in what order, and how its curve is read.

What a stage did and learned from is no text of this module: `chapters` takes it from the records.
"""

from __future__ import annotations

from dataclasses import dataclass

_LOSS = "The loss says how surprised the model is by the next token, in nats; lower is better."


@dataclass(frozen=True)
class About:
    """A chapter."""

    stage: str
    title: str = ""
    """of its record"""
    what: str = ""
    """what was done, and what it learned from, by its record"""
    loss: str = _LOSS
    beside: tuple[str, ...] = ()
    """stages of further runs on the same chart"""


ABOUT = (
    About("pretrain"),
    About("midtrain", beside=("midtrain_b",)),
    About("longcontext", beside=("longcontext_control",)),
    About("sft", beside=("sft_instruct",)),
    About(
        "dpo",
        loss="The loss of a pair is 0.69 while the model has no opinion beyond its starting point; lower means "
        "that it prefers the chosen answer.",
        beside=("dpo_delta",),
    ),
    About("rlvr"),
    About("rlzero", beside=("rlzero_random",)),
)
