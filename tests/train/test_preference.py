"""DPO: what a pair's loss is, the reference, bad pairs."""

from __future__ import annotations

import math
from pathlib import Path

import polars as pl
import pytest
import torch

import small_stages
from regrow.data.tables import parquet
from regrow.learn.model import files
from regrow.learn.train import dpo, runtime, stage
from regrow.learn.train.buckets import Buckets
from regrow.numerics.torch.install import install
from small_stages import STAGES, ids, inputs, params


@pytest.fixture(scope="module")
def model(world: Path) -> torch.nn.Module:
    runtime.prepare()
    return install(files.load(world / "pretrain/000020"))


def batch(given: list[dpo.Pair]) -> dpo.PairBatch:
    return dpo.Pairs(given, Buckets(dpo.lengths(given), len(given), "t"), len(given), pad=0).get(
        1, 0
    )


PAIRS = [
    dpo.Pair(ids("1+2="), ids("3"), ids("30 or so")),
    dpo.Pair(ids("How much is 2+2?"), ids("4, four"), ids("5")),
]


def test_log_sigmoid_at_both_ends() -> None:
    runtime.prepare()
    x = torch.tensor([-80.0, -1.0, 0.0, 1.0, 80.0])
    want = torch.tensor([-80.0, -math.log1p(math.e), -math.log(2), -math.log1p(1 / math.e), 0.0])
    torch.testing.assert_close(dpo.log_sigmoid(x), want)


def test_scores_are_mean_log_probabilities_of_the_answers(model: torch.nn.Module) -> None:
    rows = batch(PAIRS)
    with torch.no_grad():
        found = dpo.answer_scores(model, rows)
        for number, score in zip([*rows.numbers, *rows.numbers], found, strict=True):
            pair = PAIRS[number]
            answer = pair.chosen if score in found[: len(PAIRS)] else pair.rejected
            tokens = torch.tensor(pair.prompt + answer)
            logs = torch.log_softmax(model(tokens[None]).logits[0].double(), dim=-1)
            begin = len(pair.prompt)
            want = [float(logs[t - 1, tokens[t]]) for t in range(begin, len(tokens))]
            assert float(score) == pytest.approx(sum(want) / len(want), abs=1e-5)


def test_the_loss_starts_at_log_two_exactly_on_the_reference(model: torch.nn.Module) -> None:
    """Policy and reference have the same bits, whatever stands beside a pair."""
    reference = dpo.Reference(model)
    for pair in PAIRS:
        reference.scores(batch([pair]))
    alone = dpo.Reference(model)
    objective = dpo.Dpo(5.0, alone)
    _, parts = objective.loss(model, batch(PAIRS), 2)
    named = dict(zip(objective.names, map(float, parts), strict=True))
    assert named["loss"] == pytest.approx(math.log(2), rel=1e-6)
    assert named["margin"] == named["chosen_reward"] == named["rejected_reward"] == 0.0


def test_a_reference_scores_each_pair_once_with_the_same_bits(model: torch.nn.Module) -> None:
    calls = []

    def counting(**given: object) -> object:
        calls.append(given)
        return model(**given)

    reference = dpo.Reference(counting)
    together = reference.scores(batch(PAIRS))
    again = reference.scores(batch(PAIRS))
    assert len(calls) == 1 and torch.equal(together, again)
    rows = batch(PAIRS)
    with torch.no_grad():
        for place, number in enumerate(rows.numbers):
            alone = dpo.answer_scores(model, batch([PAIRS[number]]))
            assert torch.equal(alone, together[[place, place + 2]])


def test_training_prefers_the_chosen(world: Path, tmp_path: Path) -> None:
    rows = []
    values = params(steps=12, checkpoint_every=12)
    out = small_stages.train("dpo", world, tmp_path / "dpo", values, until=12)
    rows = parquet.read(out / "metrics.parquet")
    first, last = rows.row(0, named=True), rows.row(-1, named=True)
    assert first["margin"] == 0.0 and first["loss"] == pytest.approx(math.log(2), rel=1e-6)
    assert last["margin"] > 1.0 and last["accuracy"] == 1.0


def test_pairs_of_the_other_source_are_not_read(world: Path) -> None:
    runtime.prepare()
    _, plan, _, _ = STAGES["dpo"]
    named = {"stage": "dpo_delta", "settings": "dpo"}
    judged = plan(
        inputs("dpo", world), params(), **named | {"stage": "dpo"}, source="judged", seed=0
    )
    delta = plan(inputs("dpo", world), params(), **named, source="delta", seed=1)
    assert (len(judged.source.pairs), len(delta.source.pairs)) == (20, 10)
    assert (judged.name, delta.name) == ("dpo", "dpo_delta_seed1")
    assert isinstance(stage.assemble(delta).objective, dpo.Dpo)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chosen": []}, "pair 007: prompt, chosen or rejected is empty"),
        ({"rejected": [5] * 70}, "the model has 64 positions"),
        ({"chosen": [999]}, "token id 999 is outside the vocabulary of 384"),
        ({"rejected": [5, 384]}, "token id 384 is outside the vocabulary of 384"),
        ({"prompt": [5, -1]}, "token id -1 is outside the vocabulary of 384"),
        ({"chosen": [-100, 5]}, "token id -100 is outside the vocabulary of 384"),
        ({"source": "judged"}, "no pairs whose source is 'delta'"),
    ],
)
def test_bad_pairs_are_named(tmp_path: Path, change: dict, message: str) -> None:
    row = {"id": "007", "source": "delta", "prompt": [5], "chosen": [6], "rejected": [7]} | change
    schema = {"id": pl.String, "source": pl.String} | dict.fromkeys(
        ("prompt", "chosen", "rejected"), pl.List(pl.Int64)
    )
    parquet.write(pl.DataFrame([row], schema=schema), tmp_path / "pairs.parquet")
    with pytest.raises(ValueError, match=message):
        dpo.read(tmp_path / "pairs.parquet", "delta", context=64, vocabulary=384)
