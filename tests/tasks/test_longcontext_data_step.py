"""The longcontext_data step on a small corpus."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import tiny_inputs
from determinism import run_twice
from regrow.data.tables import parquet
from regrow.data.tables.conservation import Lost
from regrow.data.tokens import bpe
from regrow.data.tokens.reader import Packed
from regrow.learn.tasks import longcontext_data
from regrow.params.posttrain import LongContextData

LENGTH = 256
VALUES = {
    "tokens": 40 * LENGTH,
    "sequence_length": LENGTH,
    "short_length": 64,
    "min_tokens": 200,
    "shares": {"long": 0.4, "aggregation": 0.1, "retrieval": 0.2, "midtraining": 0.3},
    "max_sections": 1,
    "words": 2,
    "min_facts": 1,
    "max_facts": 2,
    "heldout_windows": 6,
    "needles": 4,
}


NAMES = ("decontaminate", "mix", "midtrain_data", "tokenizer", "tasks", "evals")


def inputs(root: Path) -> dict[str, Path]:
    """What the steps before write, from Python's own manual."""
    from pydoc_data.topics import topics

    found = tiny_inputs.documents().with_columns(pl.lit("text/plain").alias("mime"))
    more = [
        {
            "id": f"{i:032x}",
            "url": f"https://docs.example/more/{name}",
            "domain": "more",
            "text": text,
            "source": "more-1.0",
            "licence": "PSF-2.0",
            "host": "docs.example",
        }
        for i, (name, text) in enumerate(sorted(topics.items())[14:44])
    ]
    train = pl.concat([found.drop("mime"), pl.DataFrame(more)], how="diagonal").sort("id")
    heldout = train.filter(pl.col("text").str.len_bytes() > 4_000).head(3)
    train = train.join(heldout, on="id", how="anti").sort("id")
    parquet.write(train, root / "decontaminate/train.parquet")
    parquet.write(heldout, root / "decontaminate/heldout.parquet")
    rates = [0.0 if i % 5 == 0 else 1.0 for i in range(train.height)]
    mix = train.select("id").with_columns(pl.Series("rate", rates))
    parquet.write(mix, root / "mix/mix.parquet")
    rows = [
        {
            "id": f"questions-{i:06d}",
            "component": "questions",
            "source": "regrow",
            "generator": "sum",
            "licence": "Apache-2.0",
            "parent": None,
            "text": f"Question: What is {i} + 1?\n\nAnswer: {i + 1}\n\n" * (1 + i % 3),
        }
        for i in range(200)
    ]
    parquet.write(pl.DataFrame(rows), root / "midtrain_data/documents.parquet")
    tiny_inputs.tokenizer(root / "tokenizer")
    (root / "evals").mkdir()
    held(root / "tasks", "Sort 45, 64.")
    return {name: root / name for name in NAMES}


def held(folder: Path, question: str) -> Path:
    """Tasks of dev and test: one of each."""
    for split in ("dev", "test"):
        row = {"id": split, "family": "sort", "content": split, "question": f"{question} ({split})"}
        parquet.write(pl.DataFrame([row]), folder / f"{split}.parquet")
    return folder


def params(**changes: object) -> SimpleNamespace:
    return SimpleNamespace(longcontext_data=LongContextData(**(VALUES | changes)))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("longcontext_data")
    given = inputs(root)
    counts = longcontext_data.run(given, params(), root / "output")
    return SimpleNamespace(inputs=given, output=root / "output", counts=counts)


def test_the_pack_is_full_and_reads_back(made):
    packed = Packed(made.output)
    assert (packed.sequences, packed.sequence_length) == (40, LENGTH)
    assert made.counts["padding"] == 0 and made.counts["filler"] < 0.1 * 40 * LENGTH
    for i in range(40):
        pieces = packed.documents_of_sequence(i)
        assert pieces[0].start == 0 and pieces[-1].end == LENGTH
        assert all(a.end == b.start for a, b in pairwise(pieces))
        tokens = packed.take(i).tolist()
        # every piece but the last ends its document: attention is masked at the eos token
        assert all(tokens[piece.end - 1] == packed.eos for piece in pieces[:-1])
        assert [j + 1 for j, t in enumerate(tokens[:-1]) if t == packed.eos] == [
            piece.end for piece in pieces[:-1]
        ]


def test_components_have_their_shares(made):
    assert made.counts["lacking"] == {}
    for component, share in VALUES["shares"].items():
        assert made.counts["components"][component] == pytest.approx(
            share * 40 * LENGTH, abs=2.5 * LENGTH
        )


def test_pieces_are_where_the_index_says(made):
    tokenizer, _ = bpe.load(made.inputs["tokenizer"])
    train = parquet.read(made.inputs["decontaminate"] / "train.parquet")
    texts = dict(zip(train["id"].to_list(), train["text"].to_list(), strict=True))
    index = parquet.read(made.output / "index.parquet").filter(pl.col("component") == "long")
    stream = np.fromfile(made.output / "tokens.bin", dtype="<u2")
    assert index.height > 10
    for row in index.to_dicts():
        (whole,) = bpe.encode(tokenizer, [texts[row["id"]]])
        tokens = stream[row["start"] : row["end"]].tolist()
        offset = row["offset"]
        assert tokens == [*whole.tolist(), 1][offset : offset + len(tokens)]


def test_every_long_document_is_kept_or_dropped_with_a_reason(made):
    drops = parquet.read(made.output / "drops.parquet")
    train = parquet.read(made.inputs["decontaminate"] / "train.parquet")
    mix = parquet.read(made.inputs["mix"] / "mix.parquet")
    assert set(drops["reason"]) == {"quality", "short", "compressible", "incompressible"}
    assert drops.height + made.counts["long"] == train.height == made.counts["in"]
    unwanted = mix.filter(pl.col("rate") == 0.0)["id"].to_list()
    assert drops.filter(pl.col("reason") == "quality")["id"].to_list() == sorted(unwanted)
    ratios = {
        reason: drops.filter(pl.col("reason") == reason)["value"].to_list()
        for reason in ("compressible", "incompressible")
    }
    assert max(ratios["compressible"]) < min(ratios["incompressible"])
    index = parquet.read(made.output / "index.parquet")
    assert not set(drops["id"]) & set(index["id"])


def test_long_documents_and_what_is_made_of_them_are_searched_for_items_and_tasks(made, tmp_path):
    table = pl.read_parquet(made.inputs["decontaminate"] / "train.parquet")
    index = pl.read_parquet(made.output / "index.parquet")
    long = index.filter(pl.col("component") == "long")["id"].unique().sort().to_list()
    texts = dict(table.select("id", "text").iter_rows())
    quoted = " ".join(texts[long[0]].split()[40:46])
    (tmp_path / "evals").mkdir()
    item = {"id": "item", "text": " ".join(texts[long[1]].split()[60:90])}
    (tmp_path / "evals/a.jsonl").write_text(json.dumps(item) + "\n")
    changed = {"tasks": tmp_path / "tasks", "evals": tmp_path / "evals"}
    row = {"id": "t", "family": "f", "content": "c", "question": quoted}
    for split in ("dev", "test"):
        parquet.write(pl.DataFrame([row]), tmp_path / f"tasks/{split}.parquet")
    counts = longcontext_data.run(made.inputs | changed, params(), tmp_path / "out")
    drops = parquet.read(tmp_path / "out/drops.parquet")
    leaks = drops.filter(pl.col("reason").str.starts_with("leak."))
    assert {(long[0], "leak.task"), (long[1], "leak.eval")} <= set(
        leaks.select("id", "reason").iter_rows()
    )
    assert counts["in"] == counts["long"] + leaks.height + sum(
        n for reason, n in counts["dropped"].items() if not reason.startswith("leak.")
    )
    assert not {long[0], long[1]} & set(parquet.read(tmp_path / "out/index.parquet")["id"])


def test_the_control_has_the_same_tokens(made):
    assert (made.output / "tokens.bin").read_bytes() == (
        made.output / "short/tokens.bin"
    ).read_bytes()
    packed = Packed(made.output / "short")
    assert (packed.sequences, packed.sequence_length) == (160, 64)
    assert packed.documents_of_sequence(3)


def test_held_out_windows_and_needles_are_held_out(made):
    heldout = parquet.read(made.inputs["decontaminate"] / "heldout.parquet")
    packed = Packed(made.output / "heldout")
    assert len(packed) == 6
    windows = [packed.documents_of_sequence(i) for i in range(6)]
    assert all(len(pieces) == 1 and pieces[0].end == LENGTH for pieces in windows)
    assert {pieces[0].id for pieces in windows} == set(heldout["id"])
    needles = parquet.read(made.output / "needles.parquet")
    assert needles["kind"].unique().sort().to_list() == ["multi_needle", "needle"]
    for row in needles.to_dicts():
        assert len(row["prompt"]) + len(row["answer"]) <= LENGTH
        at = len(row["prompt"]) - row["distance"]
        assert row["prompt"][at : at + len(row["answer"])] == row["answer"]
        arguments = json.loads(row["arguments"])
        assert arguments["document"] in set(heldout["id"])
        assert row["answer"] in arguments["value_tokens"]


def test_made_documents_name_their_parents(made):
    documents = parquet.read(made.output / "documents.parquet")
    index = parquet.read(made.output / "index.parquet")
    assert set(documents["id"]) == set(index["id"])
    own = documents.filter(pl.col("component").is_in(["aggregation", "retrieval"]))
    train = parquet.read(made.inputs["decontaminate"] / "train.parquet")
    licences = dict(zip(train["id"].to_list(), train["licence"].to_list(), strict=True))
    assert own.height > 8
    for row in own.to_dicts():
        assert row["licence"] == licences[row["parent"]] and row["text"]


def test_supplies_that_run_out_are_counted(made, tmp_path):
    shares = {"long": 0.0, "aggregation": 0.0, "retrieval": 0.0, "midtraining": 1.0}
    counts = longcontext_data.run(made.inputs, params(shares=shares, tokens=400 * LENGTH), tmp_path)
    assert counts["lacking"]["midtraining"] > 0
    assert 0 < counts["sequences"] < 400


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shares": {"long": 1.0, "poems": 0.0}}, "poems"),
        ({"shares": {"long": 0.5}}, "sum to 1"),
        ({"shares": {"long": 1.5, "retrieval": -0.5}}, "negative"),
        ({"min_facts": 3}, "min_facts"),
        ({"tokens": 1_000, "sequence_length": 1_024}, "tokens"),
    ],
)
def test_unusable_parameters_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        longcontext_data.check(params(**changes).longcontext_data)


def test_short_length_must_divide(made, tmp_path):
    with pytest.raises(ValueError, match="short_length"):
        longcontext_data.run(made.inputs, params(short_length=96), tmp_path)


def test_same_bytes_in_other_circumstances(made, tmp_path):
    code = """
import sys
from pathlib import Path
from test_longcontext_data_step import params
from regrow.learn.tasks import longcontext_data
root = Path(sys.argv[2])
names = ("decontaminate", "mix", "midtrain_data", "tokenizer", "tasks", "evals")
longcontext_data.run({name: root / name for name in names}, params(), Path(sys.argv[1]))
"""
    here = Path(__file__).resolve().parent
    code = f"import sys; sys.path[:0] = [{str(here)!r}, {str(here.parent / 'support')!r}]\n" + code
    root = made.inputs["mix"].parent
    found = run_twice(code, tmp_path, str(root))
    assert {"tokens.bin", "short/index.parquet", "heldout/meta.json", "needles.parquet"} <= set(
        found
    )


def test_a_piece_that_is_packed_twice_stops_the_step(made, tmp_path, monkeypatch):
    fullest = longcontext_data.fullest

    def twice(*given):
        bins = fullest(*given)
        return [*bins[:-1], [*bins[-1], bins[0][0]]]

    monkeypatch.setattr(longcontext_data, "fullest", twice)
    with pytest.raises(
        Lost, match=r"^longcontext_data: \d+ pieces in, .* left_over: -1 without a trace"
    ):
        longcontext_data.run(made.inputs, params(), tmp_path / "output")
