"""What a training step did, in words: said as far as the record has what the words need, with its evidence."""

from __future__ import annotations

from typing import Any

import pytest

from regrow.recipe.kind import first, when
from regrow.recipe.kinds import METHODS
from regrow.release import methods, words
from regrow.release.records import Artifact, Source

TRAIN = "regrow.learn.train."


def record(function: str, **more: Any) -> Artifact:
    return Artifact("a.000001", function=function, **more)


def runs(count: int) -> tuple[Source, ...]:
    return tuple(Source(letter, "", "", f"run_{letter}") for letter in "abcdefgh"[:count])


def settings(**values: Any) -> dict[str, Any]:
    return {"model": {"context": 1}, "mine": {"optimizer": {}, **values}}


@pytest.mark.parametrize(
    ("made", "title", "method", "by"),
    [
        (
            record(f"{TRAIN}kinds.pretrain:run"),
            "Pretraining", "Next-token prediction from random weights.", [],
        ),
        (
            record(f"{TRAIN}kinds.pretrain:run", inputs=(Source("base", "", "", "other.1"),)),
            "Pretraining", "Next-token prediction, from the weights named as its base.", ["inputs.base"],
        ),
        (
            record(f"{TRAIN}kinds.midtrain:run", options={"run": "a"}, params=settings(schedule="linear", final_lr=0.0)),
            "Midtraining", "Next-token prediction; the learning rate falls to zero (linear).",
            ["params.mine.final_lr", "params.mine.schedule"],
        ),
        (
            record(f"{TRAIN}kinds.midtrain:run", options={"run": "b"}, params=settings(schedule="cosine", final_lr=0.1)),
            "Midtraining, second data order", "Next-token prediction; the learning rate falls to 0.1 of its peak (cosine).",
            ["params.mine.final_lr", "params.mine.schedule"],
        ),
        (
            record(f"{TRAIN}kinds.midtrain:run", options={"run": "k"}, params=settings(schedule="constant", final_lr=1)),
            "Midtraining, data order 11", "Next-token prediction; the learning rate stays (constant).",
            ["params.mine.final_lr", "params.mine.schedule"],
        ),
        (
            record(f"{TRAIN}soup:run", inputs=runs(2), counts={"kept": "mean"}),
            "Soup of two runs",
            "Two runs and the mean of their weights compared on held-out text; kept: the mean of their weights.",
            ["counts.kept"],
        ),
        (
            record(f"{TRAIN}soup:run", inputs=runs(3), counts={"kept": "c"}),
            "Soup of three runs",
            "Three runs and the mean of their weights compared on held-out text; kept: the third run.",
            ["counts.kept"],
        ),
        (
            record(f"{TRAIN}soup:run", inputs=runs(2)),
            "Soup of two runs", "The mean of the weights of two runs, or the best of them.", [],
        ),
        (
            record(f"{TRAIN}kinds.longcontext:run", options={"length": "long"}, params=settings(context=1024, yarn_factor=4.0, document_mask=True)),
            "Long-context extension",
            "Next-token prediction at a context of 1,024 tokens, with YaRN × 4 and attention within documents only.",
            ["params.mine.context", "params.mine.document_mask", "params.mine.yarn_factor"],
        ),
        (
            record(f"{TRAIN}kinds.longcontext:run", options={"length": "short"}, params=settings(context=1024)),
            "Control of the long-context extension",
            "Next-token prediction on the same tokens cut short, without YaRN.", ["options.length"],
        ),
        (
            record(f"{TRAIN}kinds.sft:run", options={"branch": "think", "seed": 2}),
            "Supervised fine-tuning, Think, seed 2",
            "Next-token prediction on the answers (thinking included) of chat examples.", ["options.branch"],
        ),
        (
            record(f"{TRAIN}kinds.sft:run", options={"branch": "instruct"}),
            "Supervised fine-tuning, Instruct",
            "Next-token prediction on the answers of chat examples.", ["options.branch"],
        ),
        (
            record(f"{TRAIN}kinds.dpo:run", options={"source": "delta"}, params=settings(beta=0.25)),
            "Preference tuning on delta pairs",
            "Length-normalised direct preference optimisation, β = 0.25.", ["params.mine.beta"],
        ),
        (
            record(f"{TRAIN}kinds.dpo:run"),
            "Preference tuning", "Length-normalised direct preference optimisation.", [],
        ),
        (
            record("regrow.learn.rl.rlvr:run", options={"reward": "random"}, params=settings(group=8)),
            "Reinforcement learning with random rewards",
            "Group-relative policy optimisation in groups of 8 answers; rewards are drawn at random.",
            ["options.reward", "params.mine.group"],
        ),
        (
            record("regrow.learn.rl.rlvr:run", options={"reward": "verified"}),
            "Reinforcement learning with verified rewards",
            "Group-relative policy optimisation; the reward is a verifier's verdict.", ["options.reward"],
        ),
        (record("mine:run"), "a", "Made by the function `mine:run`.", []),
        (record(""), "a", "Made by the function `unknown`.", []),
    ],
)  # fmt: skip
def test_every_kind_says_what_its_record_shows(
    made: Artifact, title: str, method: str, by: list[str]
) -> None:
    assert methods.title(made, METHODS) == title
    said = methods.method(made, METHODS)
    assert said.text == method
    assert sorted(said.by) == sorted(["a.000001/function", *(f"a.000001/{name}" for name in by)])


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("plain {counts.n}", None),
        ("{options.odd}", None),
        ("{options.flag}", None),
        ("{options.text:,}", None),
        ("{options.text:ordinal}", None),
        ([" a", "{counts.n}", "b"], " ab"),
        (first("{counts.n}", when("x", text="other")), None),
        (first(when("x", text="a word"), "y"), "x"),
        (when("x", flag=1), None),
    ],
)
def test_what_a_record_does_not_show_is_not_said(given: words.Words, text: str | None) -> None:
    made = record("f", options={"text": "a word", "flag": True, "odd": None})
    said = words.say(given, made)
    assert (said and said[0]) == text
