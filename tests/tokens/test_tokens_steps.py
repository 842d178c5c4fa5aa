from __future__ import annotations

import itertools
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import library_corpus as corpus
from determinism import run_twice
from regrow.data.tables import parquet as tables
from regrow.data.tokens import bpe, pack, template, train
from regrow.data.tokens.instances import Instance, ordered
from regrow.data.tokens.reader import Packed
from regrow.params.data import Pack
from regrow.params.data import Tokenizer as Params

PARAMS = Params(vocabulary=600, sample_bytes=200_000)
ODD = [
    ("https://library.test/odd/control", "a text with <|endoftext|> and <|pad|> in it " * 20),
    ("https://library.test/odd/nul", "NUL \x00 bytes \x00 " * 30),
    ("https://library.test/odd/empty", ""),
    ("https://library.test/odd/script", "Κείμενο और पाठ 文字 🜚 " * 30),
]


def _mix(folder: Path, train_table: Path, repeats: list[int]) -> None:
    ids = tables.read(train_table, ["id"])["id"]
    counts = [repeats[i % len(repeats)] for i in range(len(ids))]
    frame = pl.DataFrame({"id": ids, "repeats": counts}, schema_overrides={"repeats": pl.Int32})
    tables.write(frame, folder / "mix.parquet")


def _tasks(folder: Path, count: int) -> None:
    """Tasks that spell words of four letters, as the tasks step writes them (what is read of it)."""
    letters = [chr(ord("a") + (7 * i + i // 26) % 26) for i in range(4 * count)]
    words = [" ".join(letters[4 * i : 4 * i + 4]) for i in range(count)]
    frame = pl.DataFrame(
        {
            "id": [f"{i:04d}" for i in range(count)],
            "question": [f"Write {word} backwards." for word in words],
            "trace": ["From the last letter to the first."] * count,
            "answer": [word[::-1] for word in words],
        },
        schema=dict.fromkeys(["id", "question", "trace", "answer"], pl.String),
    )
    tables.write(frame, folder / "train.parquet")


def _pack(root: Path, mix: str, output: Path, **values) -> dict:
    inputs = {name: root / name for name in ("decontaminate", "tokenizer")} | {"mix": root / mix}
    return pack.run(inputs, SimpleNamespace(pack=Pack(**values)), output)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("tokens")
    corpus.write(root / "decontaminate", corpus.pages(5) + ODD)
    _mix(root / "mix", root / "decontaminate/train.parquet", [1, 0, 2, 3])
    _tasks(root / "tasks", 600)
    inputs = {name: root / name for name in ("decontaminate", "mix", "tasks")}
    train.run(inputs, SimpleNamespace(tokenizer=PARAMS), root / "tokenizer")
    _pack(root, "mix", root / "pack", sequence_length=64)
    return root


@pytest.fixture(scope="module")
def encoded(made: Path) -> dict[str, list[int]]:
    documents = tables.read(made / "decontaminate/train.parquet", ["id", "text"])
    tokenizer, _ = bpe.load(made / "tokenizer")
    rows = zip(documents["id"], bpe.encode(tokenizer, documents["text"].to_list()), strict=True)
    return {identity: [*tokens.tolist(), 1] for identity, tokens in rows}


def test_autotokenizer_loads_it(made: Path) -> None:
    from transformers import AutoTokenizer

    loaded = AutoTokenizer.from_pretrained(made / "tokenizer")
    assert (loaded.pad_token_id, loaded.eos_token_id, len(loaded)) == (0, 1, 600)
    text = "Hello 123\n\n  world \x00 Ω"
    assert loaded.decode(loaded(text)["input_ids"]) == text
    tokenizer, _ = bpe.load(made / "tokenizer")
    assert loaded(text)["input_ids"] == tokenizer.encode(text).ids
    assert loaded.convert_tokens_to_ids("<|assistant|>") == 4


def test_statistics(made: Path) -> None:
    stats = json.loads((made / "tokenizer/stats.json").read_text())
    train_table = tables.read(made / "decontaminate/train.parquet")
    mix = tables.read(made / "mix/mix.parquet").filter(pl.col("repeats") > 0)
    used = train_table.join(mix, on="id")
    assert set(stats["mix"]) == set(used["domain"])
    for domain, row in stats["mix"].items():
        mine = used.filter(pl.col("domain") == domain)
        assert row["bytes"] == mine["text"].str.len_bytes().sum()
        assert row["documents"] == mine.height
    assert stats["mix"]["manual"]["bytes_per_token"] > 1.8
    assert set(stats["heldout"]) == set(
        tables.read(made / "decontaminate/heldout.parquet")["domain"]
    )
    assert stats["sample_bytes"] + stats["sample_task_bytes"] <= PARAMS.sample_bytes


def test_the_sample_holds_tasks_up_to_their_share(made: Path) -> None:
    stats = json.loads((made / "tokenizer/stats.json").read_text())
    share = PARAMS.sample_bytes * PARAMS.task_share
    assert share - 100 < stats["sample_task_bytes"] <= share
    tokenizer, config = bpe.load(made / "tokenizer")
    assert all(tokenizer.token_to_id(f"Ġ{letter}") for letter in "qxz")
    assert config["chat_template"] == template.JINJA


def test_sample_is_cut_to_its_size(made: Path) -> None:
    mix = tables.read(made / "mix/mix.parquet")
    texts = dict(tables.read(made / "decontaminate/train.parquet", ["id", "text"]).iter_rows())
    chosen = train.sample(mix, texts, 10_001, 0)
    assert 9_998 <= sum(len(text.encode()) for text in chosen) <= 10_001
    full = train.sample(mix, texts, 1 << 40, 0)
    assert train.sample(mix, texts, 0, 0) == []
    assert len(full) == mix["repeats"].sum()
    assert chosen[:-1] == full[: len(chosen) - 1]


@given(
    st.lists(
        st.tuples(st.uuids().map(str), st.integers(0, 4)), max_size=20, unique_by=lambda x: x[0]
    )
)
def test_instances_are_all_there_and_keep_their_order(mix: list[tuple[str, int]]) -> None:
    order = ordered(mix, "k")
    assert sorted(order) == sorted(Instance(i, r) for i, n in mix for r in range(n))
    assert order == ordered(mix[::-1], "k")
    without = [pair for pair in mix if pair != mix[0]] if mix else []
    assert ordered(without, "k") == [x for x in order if x.id != (mix[0][0] if mix else "")]


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=7).filter(any),
    st.sampled_from([16, 256, 2048]),
    st.integers(0, 5),
)
@settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_instance_comes_back(
    made: Path,
    encoded: dict[str, list[int]],
    tmp_path: Path,
    repeats: list[int],
    length: int,
    seed: int,
) -> None:
    train_table = made / "decontaminate/train.parquet"
    _mix(made / "mix2", train_table, repeats)
    _pack(made, "mix2", tmp_path, sequence_length=length, seed=seed)
    meta = json.loads((tmp_path / "meta.json").read_text())
    index = tables.read(tmp_path / "index.parquet")
    mix = tables.read(made / "mix2/mix.parquet")
    order = ordered(mix.select("id", "repeats").iter_rows(), f"pack {seed}")
    stream = [token for instance in order for token in encoded[instance.id]]

    assert meta["tokens"] == meta["sequences"] * length == len(stream) // length * length
    assert meta["dropped_tail_tokens"] == len(stream) - meta["tokens"] < length
    assert meta["instances"] + meta["dropped_tail_instances"] == len(order)
    packed = Packed(tmp_path)
    assert packed.take(range(len(packed))).reshape(-1).tolist() == stream[: meta["tokens"]]
    assert [Instance(*row) for row in index.select("id", "repeat").iter_rows()] == order[
        : index.height
    ]
    for row, identity in enumerate(index["id"].to_list()):
        tokens = packed.instance(row).tolist()
        whole = encoded[identity]
        assert tokens == (whole if row < index.height - 1 else whole[: len(tokens)])
    # Both directions agree, and pieces tile every sequence.
    seen: dict[str, list] = {}
    for i in range(len(packed)):
        pieces = packed.documents_of_sequence(i)
        assert pieces[0].start == 0 and pieces[-1].end == length
        assert all(a.end == b.start for a, b in itertools.pairwise(pieces))
        assert packed.boundaries(i) == [piece.start for piece in pieces]
        starts = [k + 1 for k, t in enumerate(packed.take(i)[:-1].tolist()) if t == 1]
        assert packed.boundaries(i) == [0, *starts]
        for piece in pieces:
            seen.setdefault(piece.id, []).append(piece)
    for identity in index["id"].unique().to_list():
        found = packed.sequences_of_document(identity)
        assert found == sorted(seen[identity], key=lambda piece: (piece.instance, piece.sequence))
    assert packed.sequences_of_document("nobody") == []


def test_odd_texts_hold_no_control_tokens(encoded: dict[str, list[int]]) -> None:
    for tokens in encoded.values():
        assert min(tokens[:-1], default=7) >= 7


def test_reader_refuses_what_does_not_fit(made: Path, tmp_path: Path) -> None:
    for name in ("meta.json", "index.parquet", "tokens.bin"):
        (tmp_path / name).write_bytes((made / "pack" / name).read_bytes())
    with (tmp_path / "tokens.bin").open("ab") as file:
        file.write(b"\0\0")
    with pytest.raises(ValueError, match=r"tokens\.bin: \d+ bytes, but meta\.json says"):
        Packed(tmp_path)
    with pytest.raises(IndexError, match="outside 0"):
        Packed(made / "pack").documents_of_sequence(-1)
    assert Packed(made / "pack").take([[0, 1]]).dtype == np.uint16


def test_an_empty_mix_is_refused_with_the_mend(made: Path, tmp_path: Path) -> None:
    _mix(made / "empty", made / "decontaminate/train.parquet", [0])
    with pytest.raises(ValueError, match=r"the mix holds 0 tokens.*raise mix\.tokens"):
        _pack(made, "empty", tmp_path)
    _tasks(tmp_path / "tasks", 0)
    inputs = {"decontaminate": made / "decontaminate", "mix": made / "empty"}
    inputs |= {"tasks": tmp_path / "tasks"}
    counts = train.run(inputs, SimpleNamespace(tokenizer=PARAMS), tmp_path / "tokenizer")
    nothing = dict.fromkeys(["documents", "bytes", "tasks", "task_bytes"], 0)
    assert counts == nothing | {"vocabulary": 256 + len(PARAMS.special_tokens)}


def test_special_tokens_are_checked(made: Path, tmp_path: Path) -> None:
    inputs = {"decontaminate": made / "decontaminate", "mix": made / "mix"}
    for wrong in (["<|pad|>"], ["<|pad|>", "<|pad|>"]):
        params = SimpleNamespace(tokenizer=PARAMS.model_copy(update={"special_tokens": wrong}))
        with pytest.raises(ValueError, match=r"tokenizer\.special_tokens"):
            train.run(inputs, params, tmp_path)


CODE = """
import sys
from pathlib import Path
from types import SimpleNamespace
from regrow.params.data import Pack, Tokenizer
from regrow.data.tokens import pack, train
output, root = Path(sys.argv[1]), Path(sys.argv[2])
params = SimpleNamespace(tokenizer=Tokenizer(vocabulary=600, sample_bytes=200_000), pack=Pack())
folders = {name: root / name for name in ("decontaminate", "mix", "tasks")}
folders["tokenizer"] = output / "tokenizer"
train.run(folders, params, output / "tokenizer")
pack.run(folders, params, output / "pack")
"""


def test_same_bytes_in_other_circumstances(made: Path, tmp_path: Path) -> None:
    assert len(run_twice(CODE, tmp_path, str(made))) == 6
