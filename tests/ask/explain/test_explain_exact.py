"""What `explain` counts is what the training code feeds, step by step, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from regrow.ask.explain.answer import Explainer
from regrow.data.tokens.order import Order
from regrow.learn.train import dpo, examples
from regrow.learn.train.batch_source import BatchSource
from regrow.learn.train.buckets import Buckets
from regrow.learn.train.data import Packed, Sequences
from small_tree import params

Fed = dict[str, list[list[int]]]
"""stage -> the rows of all its steps, padding left out"""


def source(root: Path, stage: str) -> BatchSource:
    """Where the stage's micro-batches come from, as `regrow.learn.train.kinds` makes it."""
    values, data = params(), root / "data"
    if stage in ("sft", "sft_instruct"):
        block: Any = getattr(values, stage)
        branch = {"sft": "think", "sft_instruct": "instruct"}[stage]
        found = examples.read(data / f"sft_data/{branch}.parquet", context=4096, vocabulary=4096)
        lengths = [len(example.tokens) for example in found]
        buckets = Buckets(lengths, block.micro_batch_sequences, f"{stage} order seed {block.seed}")
        return examples.Examples(found, buckets, block.batch_sequences, eos=1, pad=0)
    if stage in ("dpo", "dpo_delta"):
        kind = {"dpo": "judged", "dpo_delta": "delta"}[stage]
        pairs = dpo.read(data / "pairs/pairs.parquet", kind, context=4096, vocabulary=4096)
        size = values.dpo.micro_batch_sequences
        buckets = Buckets(dpo.lengths(pairs), size, f"{stage} order seed {values.dpo.seed}")
        return dpo.Pairs(pairs, buckets, values.dpo.batch_sequences, pad=0)
    name = {"pretrain": "pack", "midtrain": "midtrain_data", "midtrain_b": "midtrain_data"}.get(
        stage, "longcontext_data"
    )
    block = getattr(values, stage.removesuffix("_b").removesuffix("_control"))
    times = 1
    folder = data / name
    if stage == "longcontext_control":
        folder, times = folder / "short", 2
    sequences = Sequences(folder)
    seed = block.second_seed if stage == "midtrain_b" else block.seed
    order = Order(sequences.count, seed, stage)
    return Packed(
        sequences, order, times * block.batch_sequences, times * block.micro_batch_sequences
    )


def fed(root: Path, explainer: Explainer) -> Fed:
    """Every row that the steps up to a checkpoint took, by stage."""
    found: Fed = {}
    for data in explainer.data:
        for run in data.exposures:
            skipped = {7}  # small_tree: step 7 of every stage was dropped as an outlier
            rows = found.setdefault(run.stage, [])
            if run.stage.startswith("rl"):
                for file in sorted((root / f"data/{run.stage}").glob("0*/rollouts.parquet")):
                    table = pl.read_parquet(file).filter("used", pl.col("step") <= run.last_step)
                    rows += [p + t for p, t in table.select("prompt", "tokens").iter_rows()]
                continue
            feed = source(root, run.stage)
            for step in set(range(1, run.last_step + 1)) - skipped:
                for index in range(feed.per_step):
                    for row in feed.get(step, index).tokens.tolist():
                        while row and row[-1] == 0:
                            row.pop()
                        rows.append(row)
    return found


def count(rows: list[list[int]], span: list[int]) -> int:
    n = len(span)
    return sum(row[at : at + n] == span for row in rows for at in range(len(row) - n + 1))


def queries(rows: Fed, number: int) -> Iterator[list[int]]:
    """Pieces of what was fed, every other one with a token exchanged."""
    draw = random.Random(number)
    stages = sorted(stage for stage, fed_rows in rows.items() if fed_rows)
    for turn in range(number):
        row = draw.choice(rows[draw.choice(stages)])
        query = row[(begin := draw.randrange(len(row))) : begin + draw.randint(4, 20)] * (
            1 + turn % 2
        )
        if turn % 2:
            query[draw.randrange(len(query))] = draw.randrange(14, 300)
        yield query


@pytest.mark.parametrize(
    "name",
    ["pretrain.000004", "pretrain.000008", "midtrain.000004", "longcontext_control.000002",
     "sft_instruct.000002", "dpo.000002", "dpo_delta.000002", "rlvr.000002", "rlvr.000004"],
)  # fmt: skip
def test_every_span_is_counted_as_often_as_training_took_it(
    texts: Path, explainers: dict[str, Explainer], name: str
) -> None:
    explainer = explainers[name]
    rows = fed(texts, explainer)
    spans = 0
    for query in queries(rows, 12):
        answer = explainer.explain(np.array(query, dtype=np.uint16), 2, top=1)
        covered = [False] * len(query)
        for span in answer["spans"]:
            begin, end = span["first_token"], span["first_token"] + span["tokens"]
            spans += 1
            covered[begin:end] = [True] * (end - begin)
            told = {run["stage"]: run["views"] for data in span["data"] for run in data["runs"]}
            wanted = {stage: count(fed_rows, query[begin:end]) for stage, fed_rows in rows.items()}
            assert told == {stage: n for stage, n in wanted.items() if n}
            assert span["views"] == sum(told.values())
            # Maximal: with one token more on either side it stands nowhere.
            for low, high in ((begin - 1, end), (begin, end + 1)):
                if low >= 0 and high <= len(query):
                    assert not any(count(fed_rows, query[low:high]) for fed_rows in rows.values())
        for at in range(len(query) - 1):  # whatever is there twice over is in a span
            if any(count(fed_rows, query[at : at + 2]) for fed_rows in rows.values()):
                assert covered[at] and covered[at + 1]
        assert answer["covered"]["2"] == round(sum(covered) / len(query), 4)
    assert spans > 10


def test_what_no_step_has_reached_is_not_found(explainers: dict[str, Explainer]) -> None:
    early, late = explainers["pretrain.000004"], explainers["pretrain.000008"]
    pack = late.data[0]
    only_late = np.flatnonzero((pack.times > 0) & (early.data[0].times == 0))
    never = np.flatnonzero(pack.times == 0)
    assert only_late.size and never.size
    for row, there in ((int(only_late[0]), True), (int(never[0]), False)):
        tokens = pack.index.row(row)
        assert late.explain(tokens, len(tokens))["spans"] != [] or not there
        for explainer in (early, *([] if there else [late])):
            for span in explainer.explain(tokens, 2)["spans"]:
                for entry in span["found_in"]:
                    assert all(s["steps"][-1] <= 8 for s in entry["seen"])
                assert span["tokens"] < len(tokens) or row_again(explainer, tokens)


def row_again(explainer: Explainer, tokens: Any) -> bool:
    """Whether another row that was taken holds the same tokens."""
    data = explainer.data[0]
    rows, _ = data.index.places(tokens, data.times > 0)
    return bool(len(rows))


def test_the_initialisation_has_seen_nothing(texts: Path) -> None:
    from regrow.evidence.ledger import Ledger

    ledger = Ledger.load(texts)
    answer = Explainer(ledger, ledger.by_name["pretrain.000000"]).explain("A join takes rows", 1)
    assert answer["spans"] == [] and answer["data"] == [] and answer["covered"]["4"] == 0.0


def test_a_dropped_step_left_nothing(explainers: dict[str, Explainer]) -> None:
    [run] = explainers["pretrain.000008"].data[0].exposures
    order = Order(len(run.times), params().pretrain.seed, "pretrain")
    positions = [p for p in range(16) if p // 2 + 1 != 7]
    wanted = np.bincount([int(order.at(p)[0]) for p in positions], minlength=len(run.times))
    assert run.times.tolist() == wanted.tolist()
    assert 7 not in run.steps(np.arange(len(run.times)))
    assert run.steps(np.arange(len(run.times))) == [1, 2, 3, 4, 5, 6, 8]
