"""Lookups of tables against a plain scan; stale, damaged, made by two processes at once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regrow.ask.trace.answer import trace
from regrow.data.tables import parquet as tables
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.lookup import keys, store
from regrow.evidence.lookup import table as rows_of
from regrow.evidence.lookup.ask import Lookup
from regrow.evidence.lookup.store import FOLDER, code
from regrow.evidence.outputs import Outputs
from regrow.evidence.runs.open import last_runs
from regrow.evidence.runs.packs import Packs
from small_tree import ID, republish, url

hexes = st.text("0123456789abcdef", min_size=1, max_size=20)
words = st.text("abz é/:", max_size=6)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([hexes, words]).flatmap(lambda ids: st.lists(ids, max_size=30)),
    st.lists(st.none() | words.map(lambda w: f"https://{w}"), min_size=1, max_size=4),
    st.lists(hexes | words, max_size=5),
)
def test_equal_to_a_scan(ids: list[str], urls: list[str | None], asked: list[str]) -> None:
    table = [
        {
            "id": id,
            "url": urls[n % len(urls)],
            "item": id[::-1],
            "step": n % 3,
            "list": [n] * (n % 4),
        }
        for n, id in enumerate(ids)
    ]
    schema = {
        "id": pl.String,
        "url": pl.String,
        "item": pl.String,
        "step": pl.Int64,
        "list": pl.List(pl.Int64),
    }
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.parquet"
        tables.write(pl.DataFrame(table, schema=schema), path)
        rows = [row | {"list": len(row["list"])} for row in table]
        lookup = Lookup(Path(folder))
        for value in [*asked, *ids]:
            assert lookup.equal(path, "id", value) == [r for r in rows if r["id"] == value]
            assert lookup.equal(path, "item", value) == [r for r in rows if r["item"] == value]
            assert lookup.begins(path, "id", value[:3]) == [
                r for r in rows if r["id"].startswith(value[:3])
            ]
            assert lookup.numbers(path, "id", value) == [n for n, i in enumerate(ids) if i == value]
        for address in filter(None, urls):
            same = [r for r in rows if r["url"] and keys.bare(r["url"]) == keys.bare(address)]
            assert lookup.bare(path, address) == same
        assert lookup.equal(path, "step", 1) == [r for r in rows if r["step"] == 1]
        assert lookup.equal(path, "no such column", "x") == lookup.begins(path, "parent", "x") == []


def test_steps_and_documents_are_inverse_in_every_stage(finished: Path) -> None:
    """document -> steps by lookup, step -> documents by lookup, and both by reading everything."""
    outputs = Outputs(Ledger.load(finished))
    runs = last_runs(outputs)
    assert {type(run).__name__ for run in runs} == {"Packs", "Examples", "Pairs", "Rollouts"}
    for run in runs:
        saw: dict[str, Counter[int]] = {}
        for step in range(1, run.last_step + 1):
            for row in run.of_step(step):
                saw.setdefault(row["id"], Counter())[step] += 1
        for id, steps in saw.items():
            assert Counter(row["step"] for row in run.of(id)) == steps
        if isinstance(run, Packs):
            order = run.order.at(0, run.last_step * run.batch).tolist()
            plain = [
                (place // run.batch + 1, piece.id, piece.start, piece.end)
                for place, sequence in enumerate(order)
                for piece in run.pack.documents_of_sequence(sequence)
            ]
            looked_up = [
                (step, row["id"], row["start"], row["end"])
                for step in range(1, run.last_step + 1)
                for row in run.of_step(step)
            ]
            assert looked_up == plain


def test_a_table_that_was_changed_is_looked_up_anew(tree: Path) -> None:
    path = tree / "data/mix/mix.parquet"
    first = trace(Ledger.load(tree), url("joins"))
    old = path.stat()
    frame = pl.read_parquet(path)
    changed = frame.with_columns(
        pl.when(pl.col("id") == ID["joins"]).then(9).otherwise(pl.col("bucket")).alias("bucket")
    )
    tables.write(changed, path)
    os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))  # only ctime and bytes tell
    with pytest.raises(Unanswerable, match=r"data/mix/mix\.parquet is not what records/mix\.json"):
        trace(Ledger.load(tree), url("joins"))
    republish(tree, "mix")

    def bucket(answer: dict[str, Any]) -> int:
        return next(s["facts"]["bucket"] for s in answer["stops"] if s["step"] == "mix")

    second = trace(Ledger.load(tree), url("joins"))
    assert (bucket(first), bucket(second)) == (1, 9)
    tables.write(frame, path)
    republish(tree, "mix")
    assert bucket(trace(Ledger.load(tree), url("joins"))) == 1


@pytest.mark.parametrize("how", ["flip", "cut", "empty", "swap"])
def test_damaged_lookups_are_made_anew(
    tree: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(tree / ".regrow", ignore_errors=True)  # what other tests asked
    ledger = Ledger.load(tree)
    asked = (url("joins"), "train-add-0", "think-1", url("copy"))
    wanted = [trace(ledger, query) for query in asked]
    made = sorted(
        path for path in (tree / FOLDER / code()).iterdir() if path.suffix in (".tree", ".rows")
    )
    assert len(made) > 20
    contents = [path.read_bytes() for path in made]
    trees = [
        content for path, content in zip(made, contents, strict=True) if path.suffix == ".tree"
    ]
    for number, (path, content) in enumerate(zip(made, contents, strict=True)):
        if how == "flip":
            path.write_bytes(bytes(b ^ 0x55 if i % 211 == 7 else b for i, b in enumerate(content)))
        elif how == "cut":
            path.write_bytes(content[: len(content) * 2 // 3])
        elif how == "empty":
            path.write_bytes(b"")
        elif path.suffix == ".rows":  # of another kind of file
            path.write_bytes(trees[number % len(trees)])
    assert [trace(ledger, query) for query in asked] == wanted
    assert [path.read_bytes() for path in made] == contents, "made anew, to the same bytes"
    left = {path.name for path in (tree / FOLDER / code()).iterdir()}
    assert left == {path.name for path in made} | {"marks.json", "locks"}
    (tree / FOLDER / code() / "marks.json").write_bytes(b"{]")
    assert trace(ledger, asked[0]) == wanted[0]


CODE = """
import sys, json, time
from pathlib import Path
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.lookup import store
from regrow.evidence.lookup import rows
from regrow.ask.trace.answer import trace
made, write = [], rows.write
def slow(path, found):
    made.append(path.name)
    time.sleep(0.05)
    return write(path, found)
rows.write = slow
print("ready", flush=True)
sys.stdin.readline()
print(json.dumps([trace(Ledger.load(Path(sys.argv[1])), sys.argv[2]), made]))
"""


def test_two_processes_at_once_make_each_lookup_once(tree: Path) -> None:
    shutil.rmtree(tree / ".regrow", ignore_errors=True)
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", CODE, str(tree), ID["joins"]]
    both = [subprocess.Popen(command, **pipes) for _ in range(2)]
    assert [process.stdout.readline() for process in both if process.stdout] == ["ready\n"] * 2
    for process in both:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    answers = [json.loads(process.communicate(timeout=60)[0]) for process in both]
    wanted = trace(Ledger.load(tree), ID["joins"])
    assert [answer for answer, _ in answers] == [wanted, wanted]
    made = Counter(name.split(".")[1] for _, names in answers for name in names)
    assert made and set(made.values()) == {1}, "no lookup was made twice"


def test_what_a_killed_process_left_is_cleared(tree: Path) -> None:
    shutil.rmtree(tree / ".regrow", ignore_errors=True)
    ledger = Ledger.load(tree)
    trace(ledger, ID["joins"])
    (path,) = [p for p in (tree / FOLDER / code()).glob("*.rows")][:1]
    left = path.with_name(f".{path.name}.99999999")
    left.write_bytes(path.read_bytes()[:10])
    runs = path.with_name(f".{path.name}.99999999.abc")
    runs.mkdir()
    (runs / "0.run").write_bytes(b"x")
    path.unlink()
    for name in ("joins", "copy", "short", "held", "poor"):
        trace(Ledger.load(tree), ID[name])
    assert path.exists() and not left.exists() and not runs.exists()


def test_a_table_that_is_written_while_it_is_read_gives_no_lookup(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(tree / ".regrow", ignore_errors=True)
    path = tree / "data/mix/mix.parquet"
    read = rows_of.rows

    def write_in_between(table: Path) -> Any:
        found = list(read(table))
        if table == path:
            path.write_bytes(path.read_bytes() + b" ")
        return iter(found)

    monkeypatch.setattr(rows_of, "rows", write_in_between)
    with pytest.raises(Unanswerable, match="was written while it was read"):
        trace(Ledger.load(tree), ID["joins"])
    made = [p.name for p in (tree / FOLDER / code()).iterdir() if p.name.startswith(".")]
    assert made == []


def test_where_nothing_can_be_written_lookups_are_the_process_own(tree: Path) -> None:
    wanted = trace(Ledger.load(tree), ID["joins"])
    shutil.rmtree(tree / ".regrow")
    (tree / ".regrow").write_text("a file, so that no folder can be made")
    assert trace(Ledger.load(tree), ID["joins"]) == wanted


def test_lookups_of_other_code_are_not_read(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = trace(Ledger.load(tree), ID["joins"])
    old = {path.name: path for path in (tree / FOLDER / code()).iterdir()}
    monkeypatch.setattr(store, "code", lambda: "0" * 12)
    assert trace(Ledger.load(tree), ID["joins"]) == wanted
    left = {path.name for path in (tree / FOLDER).iterdir()}
    assert left == {"0" * 12, code()}, "those of today stay: another checkout may be asking"
    os.utime(tree / FOLDER / ("0" * 12), (1, 1))
    monkeypatch.setattr(store, "code", lambda: "1" * 12)
    assert trace(Ledger.load(tree), ID["joins"]) == wanted
    assert {path.name for path in (tree / FOLDER).iterdir()} == {"1" * 12, code()}
    made = {path.name for path in (tree / FOLDER / ("1" * 12)).iterdir()}
    assert made and made <= old.keys(), "the names say the tables"


HEAVY = {"polars", "numpy", "torch", "dvc", "snakemake", "jinja2", "pydantic"}
SLOW = {"difflib", "platform", "queue", "shutil", "tempfile"}
"""of Python's own, a millisecond each, which a question that is answered never needs"""
OTHER = {"regrow.evidence.runs.examples", "regrow.evidence.runs.rollouts", "regrow.ask.trace"}
"""what an answer about a step of pretraining does not need"""


@pytest.mark.parametrize(
    "command", [["trace", ID["joins"]], ["batch", "pretrain.000004", "--step", "2"]]
)
def test_an_answer_loads_no_heavy_library(finished: Path, command: list[str]) -> None:
    """Loading them takes longer than an answer may."""
    code = (
        "import sys; before = set(sys.modules); from regrow.cli.main import main; "
        f"assert main({command!r}) == 0; print(*sys.modules.keys() - before)"
    )
    for _ in range(2):  # the first makes the lookups
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=finished, capture_output=True, text=True, check=True
        )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not (HEAVY | SLOW) & loaded
    assert command[0] == "trace" or not OTHER & loaded
