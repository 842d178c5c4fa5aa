from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import small_tasks
from determinism import run_twice
from regrow.data.tables import parquet as tables
from regrow.data.tokens import bpe, chat
from regrow.data.tokens.reader import Packed
from regrow.learn.tasks import midtrain_data
from regrow.learn.tasks.mid import instructions, passages
from regrow.learn.tasks.mid.leaks import Leaks


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> dict[str, Path]:
    return small_tasks.write(tmp_path_factory.mktemp("inputs"))


def _run(inputs: dict[str, Path], output: Path, **changes) -> dict:
    params = small_tasks.MIDTRAIN_DATA.model_copy(update=changes)
    return midtrain_data.run(inputs, SimpleNamespace(midtrain_data=params), output)


@pytest.fixture(scope="module")
def made(inputs, tmp_path_factory) -> tuple[Path, dict]:
    output = tmp_path_factory.mktemp("midtrain_data")
    return output, _run(inputs, output)


def test_components_have_their_shares(made) -> None:
    output, counts = made
    p = small_tasks.MIDTRAIN_DATA
    longest = passages.PASSAGE
    for name, share in p.shares.items():
        tokens = counts["components"][name]["tokens"]
        assert share * p.tokens - 1 <= tokens <= share * p.tokens + longest, name
    packed = Packed(output)
    assert counts["tokens"] == packed.sequences * p.sequence_length
    assert abs(counts["tokens"] - p.tokens) < 2 * longest + p.sequence_length


def test_the_packs_hold_the_texts(inputs, made) -> None:
    output, _ = made
    tokenizer, _ = bpe.load(inputs["tokenizer"])
    documents = {row["id"]: row for row in tables.read(output / "documents.parquet").to_dicts()}
    folders = [output, *(output / "components" / name for name in midtrain_data.COMPONENTS)]
    for folder in folders:
        packed = Packed(folder)
        index = tables.read(folder / "index.parquet")
        for row, identity in enumerate(index["id"].to_list()[:-1]):
            tokens = packed.instance(row).tolist()
            assert tokens[-1] == packed.eos
            assert chat.decode(tokenizer, tokens[:-1]) == documents[identity]["text"]
        if folder != output:
            kinds = {documents[i]["component"] for i in index["id"]}
            assert kinds == {folder.name}
            assert (
                len(packed) * 256 <= small_tasks.MIDTRAIN_DATA.component_tokens + passages.PASSAGE
            )
    kinds = Counter(documents[i]["component"] for i in tables.read(output / "index.parquet")["id"])
    assert set(kinds) == set(midtrain_data.COMPONENTS)


def test_every_text_says_where_it_is_from(inputs, made) -> None:
    output, _ = made
    frame = tables.read(output / "documents.parquet")
    assert dict(frame.schema) == midtrain_data.DOCUMENTS
    assert frame["id"].is_unique().all() and frame["id"].is_sorted()
    train = tables.read(inputs["decontaminate"] / "train.parquet")
    best = tables.read(inputs["mix"] / "mix.parquet").filter(pl.col("repeats") > 0)
    rows = train.join(best, on="id")
    texts = dict(zip(rows["id"], rows["text"], strict=True))
    buckets = dict(zip(rows["id"], rows["bucket"], strict=True))
    tasks = set(tables.read(inputs["tasks"] / "train.parquet")["id"])
    for row in frame.to_dicts():
        assert row["licence"] and row["source"]
        if row["component"] in ("quality", "pretraining"):
            assert row["generator"] is None
            assert all(part in texts[row["parent"]] for part in row["text"].split("\n\n"))
            assert (buckets[row["parent"]] == 2) == (row["component"] == "quality")
        elif row["component"] == "questions":
            assert row["parent"] in tasks
            assert row["text"].startswith("Question: ") and row["text"].endswith("\n\n")
        elif row["component"] == "retrieval":
            assert row["parent"] in texts
            stated, *asked = row["text"].split("Question: What is the code word for ")
            for question in asked:
                key = question.split("?")[0]
                value = question.rsplit(" is ", 1)[1].split(".")[0]
                assert f"The code word for {key} is {value}.\n" in stated
            assert (
                small_tasks.MIDTRAIN_DATA.facts[0]
                <= len(asked)
                <= small_tasks.MIDTRAIN_DATA.facts[1]
            )


def test_no_chat_token_is_in_the_mix(made) -> None:
    output, _ = made
    control = set(range(2, 11))
    packed = Packed(output)
    assert not control & set(packed.take(range(len(packed))).reshape(-1).tolist())


def test_heldout_packs_hold_other_documents_and_dev_tasks(inputs, made) -> None:
    output, _ = made
    tokenizer, _ = bpe.load(inputs["tokenizer"])
    packed = Packed(output / "heldout/tasks")
    stream = chat.decode(tokenizer, packed.take(range(len(packed))).reshape(-1).tolist())
    questions = tables.read(inputs["tasks"] / "dev.parquet")["question"].to_list()
    found = [q for q in questions if f"Question: {q}\n\n" in stream]
    meta = json.loads((output / "heldout/tasks/meta.json").read_text())
    # What lies behind the cut at the end of the stream, and the one that the cut runs through.
    assert len(found) >= len(questions) - meta["dropped_tail_instances"] - 1
    assert meta["instances"] + meta["dropped_tail_instances"] == len(questions)
    packed = Packed(output / "heldout/documents")
    stream = chat.decode(tokenizer, packed.take(range(len(packed))).reshape(-1).tolist())
    held = tables.read(inputs["decontaminate"] / "heldout.parquet")["text"].to_list()
    first = stream.split("<|endoftext|>")[0]
    assert any(first.split("\n\n")[0] in text for text in held)


def test_what_leaks_is_dropped_with_its_reason(inputs, made, tmp_path: Path) -> None:
    output, counts = made
    drops = tables.read(output / "drops.parquet")
    kept = tables.read(output / "documents.parquet")
    assert counts["dropped"].get("leak.eval", 0) > 0
    assert set(drops.filter(pl.col("reason") == "leak.eval")["detail"]) == {"leak/0"}
    assert not set(drops["id"]) & set(kept["id"])
    assert not any("Call the function that is named open" in text for text in kept["text"])
    # A train task with the content of a test task, in another wording.
    train = tables.read(inputs["tasks"] / "train.parquet")
    test = tables.read(inputs["tasks"] / "test.parquet")
    stray = test.filter(pl.col("family") == "add").head(1)
    changed = stray.with_columns(question=pl.lit("So what do these make?"), id=pl.lit("stray"))
    tables.write(pl.concat([train, changed]), tmp_path / "tasks/train.parquet")
    for name in ("dev", "test"):
        (tmp_path / f"tasks/{name}.parquet").write_bytes(
            (inputs["tasks"] / f"{name}.parquet").read_bytes()
        )
    _run(inputs | {"tasks": tmp_path / "tasks"}, tmp_path / "out")
    drops = tables.read(tmp_path / "out/drops.parquet").filter(pl.col("reason") == "leak.content")
    assert set(drops["detail"]) == {stray["id"][0]}
    texts = tables.read(tmp_path / "out/documents.parquet")["text"]
    assert not any("So what do these make?" in text for text in texts)


def test_a_page_that_quotes_a_test_question_leaks(inputs) -> None:
    leaks = Leaks(inputs["evals"], inputs["tasks"], 8, 0.5)
    test = tables.read(inputs["tasks"] / "test.parquet")
    long = max(test["question"].to_list(), key=lambda q: len(q.split()))
    found = leaks.find(f"Here is a riddle from a book. {long} I do not know.")
    assert found and found["reason"] == "leak.task"
    assert leaks.find("Nothing in this text was ever asked by anybody, as far as we know.") is None


def test_what_runs_out_comes_again(inputs, tmp_path: Path) -> None:
    shares = {"instructions": 1.0}
    counts = _run(inputs, tmp_path, shares=shares, tokens=100_000)
    assert counts["components"]["instructions"]["repeats"] > 1
    assert counts["components"]["quality"]["tokens"] == 0
    index = tables.read(tmp_path / "index.parquet")
    most = index.group_by("id").agg(pl.len()).get_column("len")
    assert most.max() - most.min() <= 2  # the cut at the end takes one more
    assert index.select("id", "repeat").is_unique().all()


def test_shares_and_facts_are_checked(inputs, tmp_path: Path) -> None:
    for changes, message in (
        ({"shares": {"poems": 0.1}}, r"midtrain_data\.shares: unknown \['poems'\]"),
        ({"shares": {"quality": -0.1}}, "must not be negative"),
        ({"shares": {"quality": 0.8, "questions": 0.3}}, "sum to 1.1"),
        ({"facts": (3, 2)}, "least and most"),
        ({"sequence_length": 1 << 20, "shares": {"questions": 1.0}}, "less than one sequence"),
        ({"facts": (16, 16)}, "no text for the component retrieval: set"),
    ):
        with pytest.raises(ValueError, match=message):
            _run(inputs, tmp_path, **changes)


def test_headings_become_requests() -> None:
    found = list(instructions.pairs(small_tasks.HEADINGS))
    assert [heading for heading, _ in found] == ["How do I open a file?", "Reading and writing"]
    assert found[1][1].startswith("A file object has") and found[1][1].endswith("in the file.")


@given(st.lists(st.text(alphabet="ab \n", max_size=4_000), max_size=6).map("\n\n".join))
def test_passages_make_up_the_document(text: str) -> None:
    found = passages.cut(text)
    paragraphs = [p for p in text.split("\n\n") if p.strip()]
    assert "\n\n".join(found) == "\n\n".join(paragraphs)
    assert all(len(passage) >= passages.PASSAGE for passage in found[:-1])


CODE = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
from regrow.params.posttrain import MidtrainData
from regrow.learn.tasks import midtrain_data
params = SimpleNamespace(midtrain_data=MidtrainData(**json.loads(sys.argv[3])))
inputs = {name: Path(path) for name, path in json.loads(sys.argv[2]).items()}
midtrain_data.run(inputs, params, Path(sys.argv[1]))
"""


def test_same_bytes_in_other_circumstances(inputs, tmp_path: Path) -> None:
    paths = json.dumps({name: str(path) for name, path in inputs.items()})
    values = json.dumps(small_tasks.MIDTRAIN_DATA.model_dump())
    assert len(run_twice(CODE, tmp_path, paths, values)) == 2 + 3 * (1 + 5 + 2)
