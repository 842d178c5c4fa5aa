"""Pairs of both sources: what is preferred, what is dropped, equal bytes."""

import dataclasses
import hashlib
import json
from types import SimpleNamespace

import polars as pl
import pytest

import determinism
import small_policy
from regrow.data.tables import parquet
from regrow.learn.rl import pairs
from regrow.learn.rl.pairs import NoPair, delta_pair, judged_pair, score
from regrow.learn.train import dpo
from regrow.learn.verifiers.judge import judge
from small_policy import answer

CODE = (
    determinism.AS_A_JOB
    + """
import sys
from pathlib import Path
sys.path[:0] = [sys.argv[3]]
import small_policy
from regrow.learn.rl import difficulty, pairs
inputs, params, output = small_policy.inputs(Path(sys.argv[2])), small_policy.params(), Path(sys.argv[1])
pairs.run(inputs, params, output / "pairs", seed=0)
difficulty.run(inputs, params, output / "difficulty", form="plain", seed=2)
"""
)


@pytest.fixture(scope="module")
def made(world, tmp_path_factory):
    output = tmp_path_factory.mktemp("pairs")
    counts = pairs.run(small_policy.inputs(world), small_policy.params(), output, seed=0)
    return SimpleNamespace(folder=output, counts=counts)


def test_tables_say_what_the_contract_says(world, made):
    folders = small_policy.inputs(world)
    strong, weak = (
        hashlib.sha256((folders[n] / "model.safetensors").read_bytes()).hexdigest()
        for n in ("strong", "weak")
    )
    arguments = {row["id"]: row for row in parquet.read(world / "tasks/train.parquet").to_dicts()}
    for name in ("pairs", "heldout"):
        table = parquet.read(made.folder / f"{name}.parquet")
        assert dict(table.schema) == pairs.SCHEMA
        assert table["id"].is_sorted() and table["id"].n_unique() == table.height
        for row in table.to_dicts():
            task = arguments[row["task"]]
            verdicts = [
                judge(task["verifier"], json.loads(task["arguments"]), row[f"{side}_text"], "think")
                for side in ("chosen", "rejected")
            ]
            assert verdicts[0].passed
            assert row["chosen"] != row["rejected"]
            for verdict, side in zip(verdicts, ("chosen", "rejected"), strict=True):
                price = 0.0025 * len(row[side])
                assert row[f"{side}_score"] == pytest.approx(float(verdict.passed) - price)
            assert row["delta"] == row["chosen_score"] - row["rejected_score"]
            assert row["chosen_model"] == strong
            assert row["rejected_model"] == (strong if row["source"] == "judged" else weak)
            if row["source"] == "judged":
                assert row["delta"] > 0
    for source in ("judged", "delta"):
        assert dpo.read(made.folder / "pairs.parquet", source, context=96, vocabulary=384)


def test_every_prompt_is_a_pair_or_a_counted_drop(made):
    counts, dropped = made.counts, made.counts["dropped"]
    assert counts["pairs"]["judged"] > 3 and counts["pairs"]["delta"] > 3
    assert counts["heldout"]["judged"] > 0 and counts["heldout"]["delta"] > 0
    for source, asked in (("judged", 24 + 8), ("delta", 16 + 8)):
        kept = counts["pairs"][source] + counts["heldout"][source]
        assert kept + sum(n for r, n in dropped.items() if r.startswith(source)) == asked
    drops = parquet.read(made.folder / "drops.parquet")
    assert drops.height == sum(dropped.values())
    assert set(drops["step"]) == {"pairs"}


def test_pairs_and_difficulty_have_equal_bytes_in_other_processes(world, tmp_path):
    found = determinism.run_twice(
        CODE, tmp_path, str(world), str(determinism.ROOT / "tests/support")
    )
    tables = {"pairs/pairs", "pairs/heldout", "pairs/drops"}
    tables |= {"difficulty/prompts", "difficulty/drops"}
    assert set(found) == {f"{name}.parquet" for name in tables}


def test_another_seed_asks_other_prompts(world, made, tmp_path):
    pairs.run(small_policy.inputs(world), small_policy.params(), tmp_path, seed=1)
    one, two = (parquet.read(f / "pairs.parquet") for f in (made.folder, tmp_path))
    assert set(one["id"]).isdisjoint(two["id"])
    assert set(one["task"]) != set(two["task"])


def test_no_pair_is_an_error(world, tmp_path):
    folders = small_policy.inputs(world)
    folders["strong"] = world / "base"  # never answers right
    with pytest.raises(ValueError, match="no judged pair from 24 prompts"):
        pairs.run(folders, small_policy.params(), tmp_path, seed=0)


def test_the_judge():
    assert score(answer(True, 10), 0.01) == pytest.approx(0.9)
    right, long, wrong = answer(True, 10), answer(True, 30), answer(False, 20)
    assert judged_pair([wrong, long, right], [], 0.01, True) == (right, wrong)
    assert judged_pair([long, right], [], 0.01, True) == (right, long)
    short = answer(False, 5)
    assert judged_pair([wrong, short], [], 0.01, False) == (short, wrong)
    with pytest.raises(NoPair, match="none_correct"):
        judged_pair([wrong, short], [], 0.01, True)
    with pytest.raises(NoPair, match="equal_scores"):
        judged_pair([right, dataclasses.replace(right)], [], 0.01, True)
    with pytest.raises(NoPair, match="equal_scores"):
        judged_pair([right, long], [], 0.0, True)


def test_delta_pairs_take_the_weak_models_answer_whatever_it_is():
    right, wrong, other = answer(True, 10), answer(False, 20), answer(True, 4)
    assert delta_pair([wrong, right], [wrong], 0.0, True) == (right, wrong)
    assert delta_pair([wrong, right], [other], 0.0, True) == (right, other)
    with pytest.raises(NoPair, match="same_answer"):
        delta_pair([right], [right], 0.0, True)
    with pytest.raises(NoPair, match="none_correct"):
        delta_pair([wrong], [other], 0.0, True)


def test_drops_are_a_table_of_the_flow(made):
    assert parquet.read(made.folder / "drops.parquet").schema == pl.Schema(parquet.DROPS)
