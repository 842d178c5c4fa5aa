"""The offline filter by pass rate."""

import json
import shutil

import pytest

import small_policy
from regrow.data.tables import parquet
from regrow.learn.rl import difficulty
from regrow.learn.rl.ask import Asker
from regrow.learn.rl.prompts import load_tokenizer
from regrow.learn.rl.rlvr import read
from regrow.params.posttrain import Difficulty


@pytest.mark.parametrize("form", ["think", "plain"])
def test_prompts_above_the_rate_are_dropped(world, form):
    table = parquet.read(world / f"difficulty_{form}" / "prompts.parquet")
    assert dict(table.schema) == difficulty.SCHEMA
    assert table["task"].is_sorted() and table.height == 40
    assert set(table["samples"]) == {4} and 0 < table["passes"].max() <= 4
    for row in table.to_dicts():
        assert row["kept"] == (row["passes"] / 4 <= 0.85)
    drops = parquet.read(world / f"difficulty_{form}" / "drops.parquet")
    assert sorted(drops["id"]) == sorted(table.filter(~table["kept"])["task"])
    assert (drops["value"] > drops["threshold"]).all()


def test_passes_are_what_the_verifier_says(world):
    from regrow.learn.model import files
    from regrow.numerics.torch.install import install

    rows = {
        row["task"]: row
        for row in parquet.read(world / "difficulty_think/prompts.parquet").to_dicts()
    }
    prompts = [p for p in read(world / "difficulty_think/prompts.parquet")][:6]
    tokenizer = load_tokenizer(world / "tokenizer")
    model = install(files.load(small_policy.inputs(world)["policy"]))
    asker = Asker(tokenizer, "think", max_new_tokens=40, temperature=1.0)
    names = [("difficulty think 0", prompt.task) for prompt in prompts]
    for prompt, answers in zip(prompts, asker.ask(model, prompts, 4, names), strict=True):
        assert rows[prompt.task]["passes"] == sum(a.verdict.passed for a in answers)
        assert json.loads(rows[prompt.task]["arguments"]) == prompt.needs()


def test_counts_and_errors(world, tmp_path):
    params = small_policy.params()
    params.difficulty = Difficulty(prompts=30, samples=2, max_new_tokens=40, max_pass_rate=0.5)
    counts = difficulty.run(small_policy.inputs(world), params, tmp_path, form="think", seed=0)
    assert counts["in"] == 30 == counts["kept"] + counts["dropped"]["too_easy"]
    assert set(counts["passes"]) == {"larger", "repeat"}
    assert all(row["samples"] == 30 for row in counts["passes"].values())
    easy = tmp_path / "easy"
    shutil.copytree(tmp_path, easy)
    table = parquet.read(easy / "prompts.parquet")
    parquet.write(table.with_columns(kept=False), easy / "prompts.parquet")
    with pytest.raises(ValueError, match="no prompt was kept"):
        read(easy / "prompts.parquet")
