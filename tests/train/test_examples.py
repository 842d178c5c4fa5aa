"""Supervised fine-tuning: buckets, the loss on answers, bad examples."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from regrow.data.tables import parquet
from regrow.learn.model import files
from regrow.learn.train import examples, runtime
from regrow.learn.train import objective as objectives
from regrow.learn.train.buckets import Buckets
from regrow.learn.train.examples import Example, Examples
from regrow.learn.train.objective import LanguageModelling
from regrow.numerics.torch.install import install
from small_stages import ids


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(1, 50), min_size=4, max_size=80), st.integers(1, 4))
def test_an_epoch_holds_every_example_at_most_once(lengths: list[int], size: int) -> None:
    buckets = Buckets(lengths, size, "key")
    count = buckets.per_epoch
    for epoch in range(2):
        drawn = [i for place in range(count) for i in buckets.at(epoch * count + place)]
        assert len(drawn) == len(set(drawn)) == count * size
    ordered = sorted([lengths[i] for i in buckets.at(place)] for place in range(count))
    flat = [length for bucket in ordered for length in bucket]
    assert flat == sorted(flat), "buckets must be cut from one order by length"


def test_epochs_and_keys_group_the_examples_in_other_ways() -> None:
    lengths = [10 + i % 5 for i in range(64)]
    buckets = Buckets(lengths, 4, "key")
    first = {frozenset(buckets.at(i)) for i in range(16)}
    second = {frozenset(buckets.at(16 + i)) for i in range(16)}
    other = {frozenset(Buckets(lengths, 4, "other").at(i)) for i in range(16)}
    assert len(first & second) < 8 and len(first & other) < 8


def test_neighbouring_steps_do_not_go_by_length() -> None:
    buckets = Buckets(list(range(400)), 4, "key")
    starts = [buckets.at(place)[0] for place in range(100)]
    ups = sum(a < b for a, b in pairwise(starts))
    assert 30 < ups < 70


def test_too_few_examples() -> None:
    with pytest.raises(ValueError, match="do not fill a micro-batch of 4"):
        Buckets([1, 2, 3], 4, "key")


def made(count: int = 8) -> list[Example]:
    rows = []
    for i in range(count):
        prompt, answer = ids(f"question {'x' * i}?"), ids("yes" * (i % 3 + 1))
        rows.append(Example(prompt + answer, [False] * len(prompt) + [True] * len(answer)))
    return rows


def test_the_loss_is_the_mean_over_the_answers_tokens_of_the_step(world: Path) -> None:
    runtime.prepare()
    model = install(files.load(world / "pretrain/000020"))
    rows = made()
    source = Examples(rows, Buckets([len(r.tokens) for r in rows], 2, "k"), 8, eos=1, pad=0)
    objective = LanguageModelling(0.0, document_mask=False)
    batches = [source.get(1, index) for index in range(4)]
    total = sum(objective.weight(batch) for batch in batches)
    assert total == sum(sum(row.learned) for row in rows)
    with torch.no_grad():
        found = sum(float(objective.loss(model, batch, total)[0]) for batch in batches)
        want = 0.0
        for row in rows:
            logits = model(torch.tensor([row.tokens])).logits[0, :-1]
            begin = row.learned.index(True)
            entropy = functional.cross_entropy(
                logits[begin - 1 :], torch.tensor(row.tokens[begin:]), reduction="sum"
            )
            want += float(entropy)
    assert found == pytest.approx(want / total, rel=1e-5)
    assert source.tokens(1) == sum(len(row.tokens) for row in rows)


def test_the_questions_get_no_gradient_of_their_own(world: Path) -> None:
    """Changing a target that is not learned changes no bit of the loss (it is the last token)."""
    runtime.prepare()
    model = install(files.load(world / "pretrain/000020"))
    rows = [Example([*ids("a question?"), 7], [False] * 11 + [False]) for _ in range(2)]
    rows[0].learned[5] = rows[1].learned[5] = True
    rows[1].tokens[-1] = 9
    objective = LanguageModelling(1e-3, document_mask=False)
    losses = []
    for row in rows:
        source = Examples([row], Buckets([12], 1, "k"), 1, eos=1, pad=0)
        losses.append(objective.loss(model, source.get(1, 0), 1)[0].detach())
    assert torch.equal(losses[0], losses[1]) and float(losses[0]) > 0


def test_leaving_out_the_questions_logits_changes_no_bit(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime.prepare()
    model = install(files.load(world / "pretrain/000020"))
    rows = made()
    source = Examples(rows, Buckets([len(r.tokens) for r in rows], 8, "k"), 8, eos=1, pad=0)
    batch = source.get(1, 0)
    assert 1 < objectives.needed(batch.learned) < batch.tokens.shape[1] - 8
    found = []
    for keep in (objectives.needed, lambda learned: 0):
        monkeypatch.setattr(objectives, "needed", keep)
        model.zero_grad(set_to_none=True)
        loss, _ = LanguageModelling(1e-4, False).loss(model, batch, 7)
        loss.backward()
        found.append([loss.detach(), *(p.grad for p in model.parameters())])
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize(
    ("learned", "keep"),
    [(None, 0), ([[0, 0, 0, 1, 1], [0, 0, 1, 0, 0]], 4), ([[1, 1, 1, 1, 1]], 5), ([[1, 0, 0]], 1)],
)
def test_how_many_positions_predict_something(learned: list[list[int]] | None, keep: int) -> None:
    given = None if learned is None else torch.tensor(learned).bool()
    assert objectives.needed(given) == keep


@pytest.mark.parametrize(
    ("tokens", "mask", "message"),
    [
        ([5, 6], [True], "2 tokens, but a mask of 1"),
        ([5] * 70, [True] * 70, r"the model has 64 positions: lower sft_data\.max_tokens"),
        ([5, 6], [True, False], "nothing to learn"),
        ([5, 400], [False, True], "outside the vocabulary of 384"),
    ],
)
def test_bad_examples_are_named(
    tmp_path: Path, tokens: list[int], mask: list[bool], message: str
) -> None:
    table = pl.DataFrame({"id": ["x9"], "tokens": [tokens], "mask": [mask]})
    parquet.write(table, tmp_path / "think.parquet")
    with pytest.raises(ValueError, match=rf"think\.parquet: example x9: .*{message}"):
        examples.read(tmp_path / "think.parquet", context=64, vocabulary=384)
