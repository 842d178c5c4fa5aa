"""Loss by position, needles and preferences against direct computation."""

import math

import polars as pl
import pytest
import torch

import tiny_inputs
from regrow.data.tables import parquet
from regrow.data.tokens.reader import Packed
from regrow.learn.evaluate.long import needles, positions
from regrow.learn.evaluate.preference import preferences
from regrow.learn.evaluate.yarn import with_yarn
from regrow.learn.model.files import load
from regrow.learn.rollout.sampler import Request, sample
from regrow.numerics.torch.install import install


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return tiny_inputs.probes(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def model(inputs):
    return install(load(inputs["checkpoint"]))


@torch.no_grad()
def direct(model, tokens):
    """Log-probabilities of tokens 1.. from one forward pass, in float64."""
    logits = model(input_ids=torch.tensor([tokens])).logits[0, :-1].double()
    return torch.log_softmax(logits, -1)[range(len(tokens) - 1), tokens[1:]].tolist()


def test_loss_by_position_equals_direct_scoring_beyond_the_models_own_context(model, inputs):
    folder = inputs["longcontext_data"] / "heldout"
    found = positions(model, folder, most=3, width=64, short=64)
    windows = Packed(folder).take(range(3)).tolist()
    assert model.config.max_position_embeddings == 64 < len(windows[0])
    names = [("d0", 0), ("d1", 0), ("d1", 1)]
    for (identity, sample_), tokens in zip(names, windows, strict=True):
        logprobs = dict(enumerate(direct(model, tokens), start=1))
        rows = {i.family: i for i in found if (i.item, i.sample) == (identity, sample_)}
        for first in (0, 64, 128, 192):
            part = [logprobs[p] for p in range(first, first + 64) if p in logprobs]
            row = rows[f"{first}-{first + 63}"]
            assert row.probe == "loss_by_position"
            assert row.value == pytest.approx(-math.fsum(part) / len(part), rel=1e-5)
        beyond = [logprobs[p] for p in range(64, 256)]
        assert rows[""].probe == "loss_long"
        assert rows[""].value == pytest.approx(-math.fsum(beyond) / len(beyond), rel=1e-5)


def test_needles_are_found_exactly_where_greedy_decoding_says_the_answer(model, inputs, tmp_path):
    table = parquet.read(inputs["longcontext_data"] / "needles.parquet")
    requests = [Request(prompt=p, name=("x", i)) for i, p in enumerate(table["prompt"].to_list())]
    said = sample(model, requests, max_new_tokens=1, temperature=0, context=300)
    # Half of the answers become what the model says.
    answers = [
        r.tokens if i % 2 else a
        for i, (r, a) in enumerate(zip(said, table["answer"].to_list(), strict=True))
    ]
    table = table.with_columns(pl.Series("answer", answers, dtype=pl.List(pl.UInt16)))
    parquet.write(table, tmp_path / "needles.parquet")
    found = needles(model, tmp_path / "needles.parquet", most=9)
    expected = [float(r.tokens == a) for r, a in zip(said, answers, strict=True)]
    assert [i.value for i in found] == expected
    assert 0 < sum(expected) < len(expected)
    assert [i.item for i in found] == table["id"].to_list()
    assert len(needles(model, tmp_path / "needles.parquet", most=2)) == 4


def test_yarn_is_switched_on_for_full_attention_only_and_changes_the_loss(model, inputs):
    longer = with_yarn(inputs["checkpoint"], 256, 32.0)
    rope = longer.config.rope_parameters
    assert rope["full_attention"]["rope_type"] == "yarn"
    assert rope["full_attention"]["factor"] == 4.0
    assert rope["sliding_attention"]["rope_type"] == "default"
    folder = inputs["longcontext_data"] / "heldout"
    plain = positions(model, folder, most=1, width=64, short=64)
    with_it = positions(longer, folder, most=1, width=64, short=64, end="_yarn")
    assert {i.probe for i in with_it} == {"loss_by_position_yarn", "loss_long_yarn"}
    assert [i.value for i in plain] != [i.value for i in with_it]
    with pytest.raises(ValueError, match="longer than"):
        with_yarn(inputs["checkpoint"], 64, 32.0)


def test_preferences_are_length_normalised(model, inputs, tmp_path):
    path = inputs["pairs"] / "heldout.parquet"
    found = preferences(model, path, most=5)
    margins = {i.item: i.value for i in found if i.probe == "preference_margin"}
    assert len(margins) == 10
    for row in parquet.read(path).iter_rows(named=True):
        if row["id"] not in margins:
            continue
        sides = []
        for answer in (row["chosen"], row["rejected"]):
            values = direct(model, row["prompt"] + answer)[len(row["prompt"]) - 1 :]
            sides.append(math.fsum(values) / len(answer))
        assert margins[row["id"]] == pytest.approx(sides[0] - sides[1], abs=1e-4)
    chosen = {i.item: i.value for i in found if i.probe == "preference"}
    assert chosen == {item: float(value > 0) for item, value in margins.items()}
    assert {i.family for i in found} == {"delta", "judged"}


def test_pairs_that_do_not_fit_are_left_out(model, inputs, tmp_path):
    table = parquet.read(inputs["pairs"] / "heldout.parquet").with_columns(
        chosen=pl.when(pl.col("id").str.ends_with("1"))
        .then(pl.lit([7] * 70, dtype=pl.List(pl.UInt16)))
        .otherwise(pl.col("chosen"))
    )
    parquet.write(table, tmp_path / "heldout.parquet")
    found = preferences(model, tmp_path / "heldout.parquet", most=8)
    assert len({i.item for i in found}) == 14
