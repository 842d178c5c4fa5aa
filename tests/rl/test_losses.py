"""A prompt that the pairs step or the difficulty step loses, renames or counts twice stops the step."""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from regrow.data.tables import parquet
from regrow.data.tables.conservation import Lost
from regrow.learn.rl import difficulty, pairs
from regrow.learn.rl.prompts import Prompt
from regrow.params.posttrain import Difficulty, Pairs
from small_policy import answer

PROMPTS = [
    Prompt(f"task{k}", "sum", "maths", f"What is {k} + 1?", [1, 2, k], "number", "{}")
    for k in range(8)
]
RIGHT = Counter({f"task{k}": k % 5 for k in range(8)})
"""right answers of four, by task: 4 of 4 for task4 alone"""
Rows = Iterator[tuple[Any, ...]]


class Asker:
    """In the place of a model: right answers first, then wrong ones, each longer than the last.

    The weak model, which is asked once, is always wrong.
    """

    def __init__(self, *given: Any, **more: Any) -> None:
        pass

    def ask(self, model: Any, prompts: Any, samples: int, *more: Any) -> list[list[Any]]:
        if samples == 1:
            return [[answer(False, 20)] for _ in prompts]
        return [
            [answer(i < RIGHT[prompt.task], 5 + i) for i in range(samples)] for prompt in prompts
        ]


def _losing(*parts: Any, strict: bool = False) -> Rows:
    return iter([*builtins.zip(*parts, strict=strict)][:-1])


def _doubling(*parts: Any, strict: bool = False) -> Rows:
    rows = [*builtins.zip(*parts, strict=strict)]
    return iter([*rows, rows[0]])


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = SimpleNamespace(config=SimpleNamespace(max_position_embeddings=96))
    for module in (difficulty, pairs):
        monkeypatch.setattr(module, "Asker", Asker)
        monkeypatch.setattr(module, "choose", lambda *a, count, **m: (PROMPTS[:count], []))
        monkeypatch.setattr(module, "load_tokenizer", lambda folder: None)
        monkeypatch.setattr(module.runtime, "prepare", lambda: None)
    monkeypatch.setattr(difficulty.files, "load", lambda folder: policy)
    monkeypatch.setattr(difficulty, "install", lambda model: model)
    monkeypatch.setattr(pairs.Party, "load", lambda folder: pairs.Party(policy, "0f" * 32))


def _difficulty(output: Path) -> dict[str, Any]:
    params = SimpleNamespace(difficulty=Difficulty(prompts=8, samples=4, max_pass_rate=0.7))
    folders = dict.fromkeys(("policy", "tasks", "tokenizer"), output)
    return difficulty.run(folders, params, output, form="think", seed=0)


def _pairs(output: Path) -> dict[str, Any]:
    values = Pairs(prompts=8, samples=4, delta_prompts=4, heldout=2)
    folders = dict.fromkeys(("strong", "weak", "tasks", "tokenizer"), output)
    return pairs.run(folders, SimpleNamespace(pairs=values), output, seed=0)


def _renamed(row: Prompt) -> dict[str, Any]:
    values = vars(row)
    return values | ({"task": "elsewhere"} if row.task == "task2" else {})


def _as_short(name: str, where: str) -> Callable[..., Any]:
    """`Maker._ask` that loses the last prompt's answers of one model in one split."""
    real = pairs.Maker._ask

    def ask(self: Any, party: Any, model: str, split: str, *more: Any) -> Any:
        found = real(self, party, model, split, *more)
        return found[:-1] if (model, split) == (name, where) else found

    return ask


def test_difficulty_keeps_or_drops_every_prompt(tmp_path: Path, no_model: None) -> None:
    counts = _difficulty(tmp_path)
    # By hand: task3 is passed by 3 of 4 and task4 by 4 of 4, more than 0.7.
    assert (counts["in"], counts["kept"], counts["dropped"]) == (8, 6, {"too_easy": 2})
    drops = parquet.read(tmp_path / "drops.parquet")
    assert dict(zip(drops["id"], drops["value"], strict=True)) == {"task3": 0.75, "task4": 1.0}


@pytest.mark.parametrize(
    ("name", "fault", "says"),
    [
        (
            "zip",
            _losing,
            "8 prompts in, 5 kept and 2 dropped: 1 without a trace (task7), 0 too many",
        ),
        ("zip", _doubling, "7 kept and 2 dropped: 0 without a trace, 1 too many (task0)"),
        ("asdict", _renamed, "1 without a trace (task2), 1 too many (elsewhere)"),
    ],
)
def test_a_planted_loss_in_difficulty(
    tmp_path: Path,
    no_model: None,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    fault: Callable[..., Any],
    says: str,
) -> None:
    monkeypatch.setattr(difficulty, name, fault, raising=False)
    with pytest.raises(Lost) as lost:
        _difficulty(tmp_path)
    assert str(lost.value).startswith("difficulty: ") and says in str(lost.value)
    assert not (tmp_path / "prompts.parquet").exists()


def test_pairs_are_made_of_every_prompt_or_it_is_dropped(tmp_path: Path, no_model: None) -> None:
    counts = _pairs(tmp_path)
    # By hand: of task0 to task7, task0 and task5 have no right answer.
    assert counts["pairs"] == {"judged": 8 - 2, "delta": 4 - 1}
    assert counts["heldout"] == {"judged": 2 - 1, "delta": 2 - 1}
    assert counts["dropped"] == {"judged.none_correct": 2 + 1, "delta.none_correct": 1 + 1}


@pytest.mark.parametrize(
    ("model", "split", "says"),
    [
        ("strong", "train", r"pairs: 12 prompts \(train\) in, .*: \+1 without a trace"),
        ("weak", "train", r"pairs: 12 prompts \(train\) in, .*: \+1 without a trace"),
        ("strong", "dev", r"pairs: 4 prompts \(dev\) in, .*: \+2 without a trace"),
        ("weak", "dev", r"pairs: 4 prompts \(dev\) in, .*: \+1 without a trace"),
    ],
)
def test_answers_that_one_model_loses(
    tmp_path: Path,
    no_model: None,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    split: str,
    says: str,
) -> None:
    """`zip` stops at the shorter: without the count, the prompt would leave no row."""
    monkeypatch.setattr(pairs.Maker, "_ask", _as_short(model, split))
    with pytest.raises(Lost, match=f"^{says}"):
        _pairs(tmp_path)


def test_a_pair_that_is_made_twice(
    tmp_path: Path, no_model: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairs, "zip", _doubling, raising=False)
    with pytest.raises(Lost, match=r"^pairs: 12 prompts \(train\) in, .*: -2 without a trace"):
        _pairs(tmp_path)
