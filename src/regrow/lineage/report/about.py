"""The training stages in words, for a newcomer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class About:
    """A chapter's fixed words."""

    stage: str
    title: str
    learns: str
    """two or three words"""
    what: str
    """for a newcomer"""
    loss: str = "The loss says how surprised the model is by the next token that it trains on, in nats; lower is better."
    beside: tuple[tuple[str, str], ...] = ()
    """further runs on the same chart: stage, name"""


ABOUT = (
    About(
        "pretrain",
        "Pretraining",
        "learns the language",
        "From random weights: predict the next token of the crawled text, again and again.",
    ),
    About(
        "midtrain",
        "Midtraining",
        "learns skills",
        "A smaller and better diet, more than half of it questions with worked answers, while the learning "
        "rate falls to zero. Two runs differ in the order of their data; their mean goes on if it is better.",
        beside=(("midtrain_b", "second data order"),),
    ),
    About(
        "longcontext",
        "Long context",
        "looks further back",
        "Texts four times as long; the layers that see everything stretch their sense of position (YaRN). A "
        "control reads the same tokens cut short, to tell long sight from mere further training.",
        beside=(("longcontext_control", "control, cut short"),),
    ),
    About(
        "sft",
        "Supervised fine-tuning",
        "learns to chat",
        "Example talks: a question, thinking between tags, an answer. Only what the assistant says is learned.",
        beside=(("sft_instruct", "Instruct branch"),),
    ),
    About(
        "dpo",
        "Preference tuning",
        "learns taste",
        "Pairs of its own answers to one question: the better is made likelier, the worse less likely.",
        loss="The loss of a pair is 0.69 while the model has no opinion beyond its starting point; lower means "
        "that it prefers the chosen answer.",
        beside=(("dpo_delta", "pairs of a strong and a weak model"),),
    ),
    About(
        "rlvr",
        "Reinforcement learning",
        "learns by trying",
        "It answers, a program checks the answer, and what passed becomes likelier. Nobody shows it how.",
    ),
    About(
        "rlzero",
        "Reinforcement learning from the base",
        "control experiment",
        "The same without fine-tuning before it, and beside it a control whose rewards are coin tosses: a gain "
        "that the control has as well would prove nothing.",
        beside=(("rlzero_random", "random rewards"),),
    ),
)
