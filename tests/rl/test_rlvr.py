"""Reinforcement learning end to end on a small policy: rewards, advantages, log-probabilities, bytes."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import determinism
import small_policy
from regrow.data.tables import parquet
from regrow.learn.rl import rlvr, table
from regrow.learn.rl.groups import Group, random, verified
from regrow.learn.rl.prompts import Prompt
from regrow.learn.train import checkpoint, metrics, stage
from regrow.learn.verifiers.judge import judge
from regrow.numerics import exact
from regrow.params.kinds.rl import Rlvr
from regrow.params.train import Optimizer
from small_policy import answer

OPTIONS = {"stage": "rlvr", "settings": "rlvr", "form": "think", "reward": "verified", "seed": 0}

CODE = (
    determinism.AS_A_JOB
    + """
import sys
from pathlib import Path
sys.path[:0] = [sys.argv[3]]
import small_policy
from regrow.learn.rl import rlvr
root, output = Path(sys.argv[2]), Path(sys.argv[1])
scratch = output.parent / "scratch"
scratch.mkdir()
inputs = {
    "data": root / "difficulty_plain",
    "tokenizer": root / "tokenizer",
    "base": small_policy.inputs(root)["strong"],
}
for step in ("000003", "000006"):
    rlvr.run(
        inputs, small_policy.params(updates=2), output / step, instance=step, scratch=scratch,
        stage="rlzero", settings="rlzero", form="plain", reward="verified", seed=1,
    )
    inputs["previous"] = output / step
"""
)


def inputs(world, form="think"):
    return {
        "data": world / f"difficulty_{form}",
        "tokenizer": world / "tokenizer",
        "base": small_policy.inputs(world)["strong"],
    }


def train(world, output, params, instance="000006", form="think", scratch=None, **options):
    scratch = scratch or output.parent / f"{output.name}-scratch"
    scratch.mkdir(exist_ok=True, parents=True)
    return rlvr.run(
        inputs(world, form),
        params,
        output,
        instance=instance,
        scratch=scratch,
        **(OPTIONS | {"form": form} | options),
    )


@pytest.fixture(scope="module")
def made(world, tmp_path_factory):
    output = tmp_path_factory.mktemp("rlvr") / "000006"
    counts = train(world, output, small_policy.params(checkpoint_every=6))
    return SimpleNamespace(folder=output, counts=counts, rows=table.read(output).to_dicts())


def groups(rows):
    found = {}
    for row in rows:
        found.setdefault((row["step"], row["group"]), []).append(row)
    return found


def test_sampler_and_trainer_agree_on_every_token_of_every_step(made):
    compared = 0
    for row in made.rows:
        assert len(row["tokens"]) == len(row["logprobs"])
        assert (row["trainer_logprobs"] is not None) == row["used"]
        if row["used"]:
            difference = np.array(row["logprobs"]) - np.array(row["trainer_logprobs"])
            assert np.abs(difference).max() == 0.0
            compared += len(difference)
    assert made.counts["logprobs_compared"] == compared > 500
    assert made.counts["max_abs_logprob_difference"] == 0.0
    for row in metrics.read(made.folder / "metrics.parquet"):
        assert row.extra["max_abs_logprob_difference"] == 0.0


def test_rewards_are_the_verifiers_and_advantages_are_centred(world, made):
    known = {p.task: p for p in rlvr.read(world / "difficulty_think/prompts.parquet")}
    for own in groups(made.rows).values():
        assert len(own) == 4 and [row["sample"] for row in own] == [0, 1, 2, 3]
        prompt = known[own[0]["task"]]
        for row in own:
            verdict = judge(prompt.verifier, prompt.needs(), row["text"], "think")
            assert row["reward"] == verdict.score and row["reason"] == verdict.reason
            assert row["prompt"] == prompt.tokens
        rewards = [row["reward"] for row in own]
        assert {row["used"] for row in own} == {len(set(rewards)) > 1}
        mean = exact.mean(rewards)
        assert [row["advantage"] for row in own] == [reward - mean for reward in rewards]


def test_groups_without_gradient_are_refilled(made):
    params = small_policy.params().rlvr
    by_step = {}
    for (step, number), own in groups(made.rows).items():
        by_step.setdefault(step, []).append((number, own[0]["used"]))
    assert set(by_step) == set(range(1, 7))
    for found in by_step.values():
        assert [number for number, _ in found] == list(range(len(found)))
        used = sum(used for _, used in found)
        assert used <= params.prompts
        first = sum(used for _, used in found[: params.prompts])
        # a second round asks exactly for what the first left open, a third likewise
        if first < params.prompts:
            second = found[params.prompts : 2 * params.prompts - first]
            assert len(second) == params.prompts - first
            left = params.prompts - first - sum(used for _, used in second)
            assert len(found) == 2 * params.prompts - first + left
        else:
            assert len(found) == params.prompts
    assert any(len(found) > params.prompts for found in by_step.values())


def test_counts_say_what_the_tables_say(made):
    counts = made.counts
    assert counts["rollouts"] == len(made.rows) == 4 * counts["groups"]
    assert counts["learned"] == sum(row["used"] for row in made.rows)
    assert counts["step"] == 6 and counts["skipped"] == 0
    tokens = sum(len(r["prompt"]) + len(r["tokens"]) for r in made.rows if r["used"])
    assert counts["tokens"] == tokens
    state = json.loads((made.folder / "state.json").read_text())
    assert state["stage"] == "rlvr" and state["step"] == 6
    json.dumps(counts)


def test_a_run_that_is_killed_and_resumed_gives_equal_bytes(world, made, tmp_path, monkeypatch):
    class Killed(Exception):
        pass

    monkeypatch.setattr(stage, "SAVE_EVERY", 2)
    begin = rlvr.Rollouts.begin

    def stop(self, engine, step):
        if step == 4:
            raise Killed
        begin(self, engine, step)

    scratch = tmp_path / "scratch"
    params = small_policy.params(checkpoint_every=6)
    monkeypatch.setattr(rlvr.Rollouts, "begin", stop)
    with pytest.raises(Killed):
        train(world, tmp_path / "killed", params, scratch=scratch)
    assert (scratch / "step-000000002" / "rollouts.parquet").is_file()
    asked = []

    def count(self, engine, step):
        asked.append(step)
        begin(self, engine, step)

    monkeypatch.setattr(rlvr.Rollouts, "begin", count)
    shutil.rmtree(tmp_path / "killed")
    assert train(world, tmp_path / "resumed", params, scratch=scratch) == made.counts
    assert asked == [3, 4, 5, 6]
    assert determinism.hashes(tmp_path / "resumed") == determinism.hashes(made.folder)


def test_two_segments_give_the_weights_of_one(world, made, tmp_path):
    params = small_policy.params()
    train(world, tmp_path / "000003", params, instance="000003")
    more = inputs(world) | {"previous": tmp_path / "000003"}
    (tmp_path / "scratch").mkdir()
    rlvr.run(
        more,
        params,
        tmp_path / "000006",
        instance="000006",
        scratch=tmp_path / "scratch",
        **OPTIONS,
    )
    one, two = (determinism.hashes(f) for f in (made.folder, tmp_path / "000006"))
    assert one["model.safetensors"] == two["model.safetensors"]
    assert one["optimizer.safetensors"] == two["optimizer.safetensors"]
    later = table.read(tmp_path / "000006")
    assert later["step"].unique().sort().to_list() == [4, 5, 6]
    assert later.to_dicts() == [row for row in made.rows if row["step"] > 3]


def test_equal_bytes_with_other_threads(world, tmp_path):
    """Two segments of RL-Zero with two updates per batch, plain prompts, another seed."""
    found = determinism.run_twice(
        CODE, tmp_path, str(world), str(determinism.ROOT / "tests/support")
    )
    assert {"000003/rollouts.parquet", "000006/model.safetensors"} <= set(found)


def test_two_processes_give_the_bytes_of_one(world, made, tmp_path, monkeypatch):
    monkeypatch.setenv("REGROW_PROCESSES", "2")
    counts = train(world, tmp_path / "two", small_policy.params(checkpoint_every=6))
    assert counts == made.counts
    assert determinism.hashes(tmp_path / "two") == determinism.hashes(made.folder)


def test_a_log_probability_that_differs_stops_the_run(world, tmp_path, monkeypatch):
    from regrow.learn.rl.groups import Sampler

    asked = Sampler.groups

    def off_by_a_bit(self, model, step):
        found = asked(self, model, step)
        group = next(g for g in found if g.used)
        drawn = group.answers[1].rollout
        drawn.logprobs[-1] = float(np.nextafter(np.float32(drawn.logprobs[-1]), np.float32(-100)))
        return found

    monkeypatch.setattr(Sampler, "groups", off_by_a_bit)
    with pytest.raises(RuntimeError, match="step 1: sampler and trainer differ"):
        train(world, tmp_path / "x", small_policy.params())


def test_seeds_and_rewards_make_runs_of_their_own(world, made, tmp_path):
    params = small_policy.params(steps=1, checkpoint_every=1)
    train(world, tmp_path / "seed", params, instance="000001", seed=1)
    control = {"stage": "rlvr_random", "reward": "random"}
    train(world, tmp_path / "coin", params, instance="000001", **control)
    seed, coin = table.read(tmp_path / "seed"), table.read(tmp_path / "coin")
    first = [row for row in made.rows if row["step"] == 1 and row["group"] < 8]
    assert seed["task"].to_list()[:32] != [row["task"] for row in first]
    # the control draws the same answers to the same prompts, and rewards them by chance
    assert coin["tokens"].to_list()[:32] == [row["tokens"] for row in first]
    assert set(coin["reward"]) == {0.0, 1.0}
    assert coin["reward"].to_list()[:32] != [row["reward"] for row in first]
    names = [checkpoint.state(tmp_path / n)["stage"] for n in ("seed", "coin")]
    assert names == ["rlvr_seed1", "rlvr_random"]


def test_verified_rewards_raise_the_pass_rate_and_coins_do_not(world, tmp_path):
    changes = {"steps": 24, "checkpoint_every": 24, "prompts": 16, "batch_sequences": 64}
    params = small_policy.params(
        **changes, optimizer=Optimizer(learning_rate=1e-3, betas=(0.9, 0.99), weight_decay=0.0)
    )
    rate = {}
    for reward in ("verified", "random"):
        train(world, tmp_path / reward, params, instance="000024", reward=reward)
        passed = [r.extra["passed"] for r in metrics.read(tmp_path / reward / "metrics.parquet")]
        rate[reward] = (sum(passed[:4]) / 4, sum(passed[-4:]) / 4)
    assert rate["verified"][1] > rate["verified"][0] + 0.05
    assert rate["random"][1] < rate["random"][0]


def test_domains_and_scale(world, tmp_path):
    params = small_policy.params(
        steps=1, checkpoint_every=1, domains={"repeat": 0.75}, reward_scale=10.0, max_refills=0
    )
    train(world, tmp_path / "x", params, instance="000001")
    rows = table.read(tmp_path / "x")
    assert rows.height == 32
    assert rows.filter(pl.col("family") == "repeat").height == 24
    assert set(rows["reward"]) == {0.0, 10.0}


def test_a_step_without_any_gradient_changes_no_weight(world, tmp_path):
    weak = world / "difficulty_think"
    made = tmp_path / "hard"
    shutil.copytree(weak, made)
    rows = parquet.read(made / "prompts.parquet").with_columns(
        verifier=pl.lit("exact"), arguments=pl.lit('{"answer": "never"}')
    )
    parquet.write(rows, made / "prompts.parquet")
    folders = inputs(world) | {"data": made}
    params = small_policy.params(steps=2, checkpoint_every=2, digest_every=1)
    (tmp_path / "s").mkdir()
    counts = rlvr.run(
        folders, params, tmp_path / "x", instance="000002", scratch=tmp_path / "s", **OPTIONS
    )
    assert counts["learned"] == 0 and counts["skipped"] == 2 and counts["rollouts"] == 2 * 96
    assert counts["max_abs_logprob_difference"] == 0.0 and counts["logprobs_compared"] == 0
    base = determinism.hashes(small_policy.inputs(world)["strong"])
    assert determinism.hashes(tmp_path / "x")["model.safetensors"] == base["model.safetensors"]


def test_prompts_that_do_not_fit_are_an_error(world, tmp_path):
    made = tmp_path / "long"
    shutil.copytree(world / "difficulty_think", made)
    rows = parquet.read(made / "prompts.parquet")
    long = [[5] * 200 for _ in range(rows.height)]
    parquet.write(rows.with_columns(prompt=pl.Series(long)), made / "prompts.parquet")
    with pytest.raises(ValueError, match="has 200 tokens; the model has 96 positions"):
        rlvr.plan(inputs(world) | {"data": made}, small_policy.params(), **OPTIONS)


def test_updates_must_divide_the_micro_batches():
    with pytest.raises(ValueError, match="updates"):
        Rlvr(prompts=8, group=4, batch_sequences=32, micro_batch_sequences=8, updates=3)


def test_group_and_rewards():
    prompt = Prompt("t", "f", "d", "q", [1], "exact", "{}")
    own = [answer(True, 2), answer(False, 3), answer(False, 1)]
    group = Group(0, prompt, own, [1.0, 0.0, 0.0], ["", "x", "x"])
    assert group.used and group.advantages() == [1 - 1 / 3, -1 / 3, -1 / 3]
    assert not Group(0, prompt, own, [0.5, 0.5, 0.5], ["x"] * 3).used
    assert verified(("k", 1), 0, own[0]) == (1.0, "")
    assert verified(("k", 1), 0, own[1]) == (0.0, "answer: x")
    coins = [random(("k", step, "t", 0), sample, own[1]) for step in range(40) for sample in (0, 1)]
    assert {value for value, _ in coins} == {0.0, 1.0}
    assert 20 < sum(value for value, _ in coins) < 60
    assert random(("k", 3, "t", 0), 1, own[0]) == random(("k", 3, "t", 0), 1, own[1])
