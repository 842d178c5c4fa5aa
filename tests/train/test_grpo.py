"""GRPO over answers: dealing, masking, what the clip and the importance factor do."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.learn.model import files
from regrow.learn.train import checkpoint, metrics, runtime, stage
from regrow.learn.train.engine import Engine
from regrow.learn.train.grpo import Answer, Answers, Grpo
from regrow.learn.train.objective import answer_logprobs
from regrow.numerics.torch.install import install
from small_stages import STAGES, ids, inputs, logprobs, params


def answer(prompt: str, text: str, advantage: float, logprob: float = 0.0) -> Answer:
    tokens = ids(text)
    return Answer(ids(prompt), tokens, [logprob] * len(tokens), [advantage] * len(tokens))


@pytest.fixture(scope="module")
def model(world: Path) -> torch.nn.Module:
    runtime.prepare()
    return install(files.load(world / "pretrain/000020"))


def engine(world: Path) -> Engine:
    runtime.prepare()
    _, plan, _, options = STAGES["grpo"]
    made = stage.assemble(plan(inputs("grpo", world), params(), **options))
    checkpoint.begin(world / "pretrain/000020", made, carry_optimizer=False)
    return made


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(1, 30), max_size=40),
    st.sampled_from([1, 2, 4, 8]),
    st.integers(1, 3),
)
def test_every_answer_is_in_one_micro_batch(sizes: list[int], per_step: int, updates: int) -> None:
    made = [Answer([5], [7 + n % 9] * n, [0.0] * n, [1.0] * n) for n in sizes]
    source = Answers(made, per_step=per_step, updates=updates)
    batches = [source.get(1, index) for index in range(per_step * updates)]
    found = sorted(int(n) for b in batches for n in b.learned.sum(dim=1))
    assert found == sorted(sizes)
    assert sum(b.learned.sum() for b in batches) + len(sizes) == source.tokens(1)
    for update in range(updates):
        counts = [len(b.tokens) for b in batches[update * per_step : (update + 1) * per_step]]
        assert max(counts) - min(counts) <= 1


def test_answers_that_do_not_fit_are_refused() -> None:
    for bad in (
        Answer([], [1], [0.0], [0.0]),
        Answer([1], [], [], []),
        Answer([1], [2], [], [0.0]),
    ):
        with pytest.raises(ValueError, match="answer 0"):
            Answers([bad], per_step=1)


def test_the_log_probabilities_are_those_of_the_tokens(model: torch.nn.Module) -> None:
    source = Answers([answer("1+2=", "3!", 1.0), answer("Long: 5+5=", "10", 1.0)], per_step=1)
    batch = source.get(1, 0)
    with torch.no_grad():
        found = answer_logprobs(model, batch.tokens, batch.learned)
        for row in range(2):
            tokens = batch.tokens[row]
            want = torch.log_softmax(model(tokens[None]).logits[0].double(), dim=-1)
            for t in range(len(tokens)):
                expected = float(want[t - 1, tokens[t]]) if batch.learned[row, t] else 0.0
                assert float(found[row, t]) == pytest.approx(expected, abs=1e-5)


def test_a_raised_advantage_raises_the_answers_probability(world: Path) -> None:
    run = engine(world)
    given = [answer("1+2=", "3", 1.0), answer("1+2=", "8", -1.0)]
    history = []
    for _ in range(5):
        run.source = Answers(given, per_step=1)
        row = run.train_step()
        assert not row.skipped
        history.append(run.source.trainer_logprobs())
    assert history[-1][0][0] > history[0][0][0]
    assert history[-1][1][0] < history[0][1][0]


def test_a_batch_without_answers_changes_nothing_but_the_step(world: Path) -> None:
    run = engine(world)
    before = {name: value.clone() for name, value in run.tensors().items()}
    run.source = Answers([], per_step=4)
    row = run.train_step()
    assert row.skipped and run.step == 1 and run.optimizer.applied == 0
    assert all(torch.equal(before[name], value) for name, value in run.tensors().items())


def test_fewer_answers_than_micro_batches(world: Path) -> None:
    """Micro-batches left empty weigh nothing: the update is that of the answers alone."""
    weights = []
    for per_step in (1, 8):
        run = engine(world)
        run.source = Answers([answer("1+2=", "3", 1.0)], per_step=per_step)
        assert not run.train_step().skipped
        weights.append({name: value.clone() for name, value in run.tensors().items()})
    assert all(torch.equal(weights[0][name], value) for name, value in weights[1].items())


def loss_of(
    model: torch.nn.Module, advantage: float, *, old: float, sampler: float
) -> tuple[float, float]:
    """Loss and gradient norm for one token whose policy ratio is e^-old, factor e^(old-sampler)."""
    (now,) = logprobs(model, ids("1+2="), ids("3"))
    source = Answers([answer("1+2=", "3", advantage, now + sampler)], per_step=1)
    source.set_old([[now + old]])
    model.zero_grad(set_to_none=True)
    loss, _ = Grpo(clip_low=0.2, clip_high=0.272, importance_cap=2.0).loss(
        model, source.get(1, 0), 1
    )
    loss.backward()
    norm = math.sqrt(sum(float((p.grad.double() ** 2).sum()) for p in model.parameters()))
    return float(loss.detach()), norm


def test_the_clip_is_one_sided_and_the_importance_factor_is_capped(
    model: torch.nn.Module,
) -> None:
    up, down = math.log(1.5), math.log(0.5)
    assert loss_of(model, 1.0, old=0.0, sampler=0.0)[0] == pytest.approx(-1.0)
    loss, norm = loss_of(model, 1.0, old=-up, sampler=-up)  # ratio 1.5, wanted higher still
    assert (loss, norm) == (pytest.approx(-1.272, rel=1e-5), 0.0)
    loss, norm = loss_of(model, -1.0, old=-up, sampler=-up)  # ratio 1.5, wanted lower: learned
    assert loss == pytest.approx(1.5, rel=1e-5) and norm > 0
    loss, norm = loss_of(model, -1.0, old=-down, sampler=-down)  # ratio 0.5, wanted lower still
    assert (loss, norm) == (pytest.approx(0.8, rel=1e-5), 0.0)
    assert loss_of(model, 1.0, old=0.0, sampler=up)[0] == pytest.approx(-1 / 1.5, rel=1e-5)
    assert loss_of(model, 1.0, old=0.0, sampler=-3.0)[0] == pytest.approx(-2.0, rel=1e-5)


def test_the_gap_to_the_sampler_is_measured(world: Path) -> None:
    run = engine(world)
    run.source = Answers([answer("1+2=", "3", 1.0, -2.5)], per_step=1)
    row = run.train_step()
    found = run.source.trainer_logprobs()[0][0]
    assert row.extra["max_abs_logprob_difference"] == abs(found + 2.5)


def test_the_metrics_of_objective_and_source_are_columns(tmp_path: Path, world: Path) -> None:
    run = engine(world)
    rows = [run.train_step(), run.train_step()]
    metrics.write(rows, tmp_path / "metrics.parquet")
    assert metrics.read(tmp_path / "metrics.parquet") == rows
    assert set(rows[0].extra) == {"clipped", "truncated", "max_abs_logprob_difference"}
    assert rows[0].extra["max_abs_logprob_difference"] == 0.0
