"""Mix, tokenizer and pack read texts in parts: how a table is cut or sorted decides no byte, nor does its size the memory."""

from __future__ import annotations

import hashlib
from pathlib import Path
from tempfile import TemporaryFile
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import library_corpus as corpus
import recipes
from determinism import hashes, run_python
from regrow.data.mix import step as mix
from regrow.data.tables import groups
from regrow.data.tables.conservation import Lost
from regrow.data.tokens import bpe, given, pack, train
from regrow.data.tokens.instances import arranged, ordered
from regrow.data.tokens.stored import Stored, encoded
from regrow.params.data import Mix, Pack, Tokenizer

PARAMS = SimpleNamespace(
    mix=Mix(tokens=20_000, cutoff=0.2),
    tokenizer=Tokenizer(vocabulary=400, sample_bytes=30_000, task_share=0),
    pack=Pack(sequence_length=64),
)


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("bounded")
    corpus.write(root / "decontaminate", corpus.pages(4))
    train_table = pl.read_parquet(root / "decontaminate/train.parquet")
    scores = train_table.select(
        "id",
        topic=pl.when(pl.col("domain") == "manual").then(pl.lit("a")).otherwise(pl.lit("b")),
        quality=pl.int_range(pl.len()).cast(pl.Float64) / pl.len(),
    )
    (root / "classify").mkdir()
    scores.write_parquet(root / "classify/scores.parquet")
    (root / "tasks").mkdir()
    columns = dict.fromkeys(["id", "question", "trace", "answer"], pl.String)
    pl.DataFrame(schema=columns).write_parquet(root / "tasks/train.parquet")
    recipes.tokenizer(root / "given.json")
    return root


def _grown(root: Path, tables: Path, output: Path) -> dict[str, str]:
    """All steps behind the tables of decontaminate."""
    inputs = {name: root / name for name in ("classify", "tasks")} | {"decontaminate": tables}
    for name, run in (("mix", mix.run), ("tokenizer", train.run), ("pack", pack.run)):
        run(inputs, PARAMS, output / name)
        inputs[name] = output / name
    given.run(inputs | {"given": root / "given.json"}, PARAMS, output / "given")
    return hashes(output)


def test_rows_in_any_order_and_groups_give_the_same_bytes(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "decontaminate"
    other.mkdir()
    for name in ("train", "heldout"):
        frame = pl.read_parquet(root / "decontaminate" / f"{name}.parquet")
        frame = frame.sample(fraction=1, shuffle=True, seed=1)
        frame.write_parquet(other / f"{name}.parquet", row_group_size=3)
    one = _grown(root, root / "decontaminate", tmp_path / "one")
    assert one == _grown(root, other, tmp_path / "many")
    assert len(one) == 3 + 3 + 3 + 3


def test_the_order_of_instances_is_that_of_their_digests() -> None:
    ids, repeats = ["a", "b", "c", "d"], [2, 0, 1, 3]
    named = [
        f"regrow instance k {i} {r}" for i, n in zip(ids, repeats, strict=True) for r in range(n)
    ]
    named.sort(key=lambda name: hashlib.sha256(name.encode()).digest())
    order = arranged(pl.Series(ids), np.array(repeats, dtype=np.int32), "k")
    found = zip(order.rows.tolist(), order.repeats.tolist(), strict=True)
    assert [f"regrow instance k {ids[row]} {repeat}" for row, repeat in found] == named
    assert [
        f"regrow instance k {i} {r}" for i, r in ordered([("d", 3), ("c", 1), ("a", 2)], "k")
    ] == named
    assert ordered([], "k") == ordered([("a", 0)], "k") == []


def test_stored_tokens_come_back_in_any_order() -> None:
    with TemporaryFile() as file:
        stored = Stored(file, pl.Series(["a", "b", "c"]))
        for row, tokens in ((2, [7, 65_535]), (0, []), (1, [1, 2, 3])):
            stored.add(row, np.array(tokens, dtype=np.uint16))
        assert [stored.tokens(row).tolist() for row in (1, 2, 0, 1)] == [
            [1, 2, 3],
            [7, 65_535],
            [],
            [1, 2, 3],
        ]
        assert stored.sizes.tolist() == [0, 3, 2]


def test_tokens_stay_beside_what_they_belong_to(root: Path, monkeypatch) -> None:
    monkeypatch.setattr(bpe, "_BATCH_BYTES", 4)
    tokenizer = bpe.Tokenizer.from_file(str(root / "given.json"))
    texts = ["one", "", "two words", "3", "the last of five"]
    found = dict(encoded(tokenizer, enumerate(texts)))
    assert [tokenizer.decode(found[i].tolist()) for i in range(5)] == texts


@pytest.mark.parametrize("lost", [True, False])
def test_a_document_that_is_missing_or_there_twice_is_named(
    root: Path, tmp_path: Path, lost: bool
) -> None:
    made = tmp_path / "made"
    _grown(root, root / "decontaminate", made)
    table = pl.read_parquet(root / "decontaminate/train.parquet")
    identity = pl.read_parquet(made / "mix/mix.parquet").filter(pl.col("repeats") > 0)["id"][3]
    same = pl.col("id") == identity
    table = table.filter(~same) if lost else pl.concat([table, table.filter(same)])
    table.write_parquet(tmp_path / "train.parquet")
    inputs = {"decontaminate": tmp_path, "tasks": root / "tasks"}
    inputs |= {name: made / name for name in ("mix", "tokenizer")}
    said = "1 without a trace" if lost else "1 too many"
    for name, run in (("pack", pack.run), ("tokenizer", train.run)):
        with pytest.raises(Lost, match=rf"{name}: .*{said} \({identity}\)"):
            run(inputs, PARAMS, tmp_path / "out")


def test_ids_that_differ_are_named() -> None:
    came, kept = pl.Series(["a", "b", "c"]), pl.Series(["c"])
    groups.conserved("mix", "documents", came, kept, pl.Series(["b", "a"]))
    assert kept.to_list() == ["c"]
    with pytest.raises(Lost, match=r"1 without a trace \(b\), 1 too many \(x\)"):
        groups.conserved("mix", "documents", came, kept, pl.Series(["a", "x"]))


MEMORY = """
import sys
from pathlib import Path
from types import SimpleNamespace
import polars as pl
from regrow.data.mix import step
from regrow.data.tables import stream
from regrow.data.tokens import train
from regrow.params.data import Mix
root = Path(sys.argv[1])
peak = lambda: int(dict(l.split(":") for l in open("/proc/self/status"))["VmHWM"].split()[0]) // 1024
mix = pl.DataFrame({"id": [f"{i:03d}" for i in range(300)], "repeats": [1] * 300}, schema_overrides={"repeats": pl.Int32})
columns = {"id": pl.String, "url": pl.String, "text": pl.String}
with stream.Writer(root / "decontaminate/train.parquet", columns) as writer:
    for name in mix["id"]:
        writer.add({"id": name, "url": name, "text": name * 333_333})
(root / "classify").mkdir()
mix.select("id", topic=pl.lit("t"), quality=pl.lit(0.5)).write_parquet(root / "classify/scores.parquet")
before = peak()
inputs = {"decontaminate": root / "decontaminate", "classify": root / "classify"}
step.run(inputs, SimpleNamespace(mix=Mix(tokens=100_000_000)), root / "mix")
texts = train._sampled(root / "decontaminate/train.parquet", mix, 5_000_000, 0)
print(sum(map(len, texts)), peak() - before)
"""


def test_three_hundred_megabytes_of_text_are_never_held(tmp_path: Path) -> None:
    done = run_python(MEMORY, str(tmp_path), cwd=tmp_path / "cwd", POLARS_MAX_THREADS="1")
    assert done.returncode == 0, done.stderr
    sampled, grown = map(int, done.stdout.split())
    assert sampled == 5_000_000
    assert grown < 100, "megabytes of 300"
