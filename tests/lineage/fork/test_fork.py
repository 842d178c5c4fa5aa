"""`regrow fork`: what is written, what is refused, and that nobody else's keys move."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from regrow.cli.main import main
from regrow.flow import jobs
from regrow.flow.table import STEPS
from regrow.lineage.errors import Unanswerable
from regrow.lineage.fork import documents
from regrow.lineage.fork.create import Wish, fork
from regrow.params import reading
from regrow.params.schema import Params, ParamsError, load
from small_tree import params


@pytest.fixture
def clone(tree: Path) -> Path:
    (tree / "params").mkdir()
    text = reading.dump(params().model_dump(mode="json", exclude={"fork"}))
    (tree / "params/demo.yaml").write_text("# mine\n" + text)
    return tree


def write(path: Path, rows: list[object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


ROWS = [
    {"text": "One text.", "licence": "MIT", "url": "http://a/1"},
    {"text": "Another.\r\nLine.", "license": "CC0-1.0", "source": "b"},
    {"text": "One text.", "licence": "MIT", "url": "http://a/1"},
    {"text": "  ", "licence": "MIT"},
]


def expanded(values: Params, steps: tuple = STEPS) -> dict[str, jobs.Job]:
    flow = replace(jobs.flow(), steps=steps)
    instances = {s.name: s.instances(values) for s in steps if s.instances}
    return jobs.expand(flow, instances, flow.taken(values))


def test_without_a_fork_the_flow_is_as_if_there_were_none() -> None:
    plain = tuple(
        replace(
            s,
            inputs=tuple(
                replace(i, instead="")
                for i in s.inputs
                if i.step not in ("forkmix", "forksft") and i.instance != "taken"
            ),
        )
        for s in STEPS
        if s.name not in ("forkmix", "forksft")
    )
    with_fork, without = expanded(Params()), expanded(Params(), plain)
    assert with_fork.keys() == without.keys()
    for name, job in with_fork.items():
        assert job.inputs == without[name].inputs and job.instance == without[name].instance


def test_a_fork_begins_at_the_checkpoint_and_reads_its_own_documents() -> None:
    values = Params.model_validate({"fork": {"name": "mine", "checkpoint": 288}})
    found = expanded(values)
    before = expanded(Params())
    assert "pretrain.000288" in found and "pretrain.000384" not in found
    assert not any(n in found for n in ("evaluate.pretrain-000480", "release.pretrain-000480"))
    for name in ("crawl", "mix", "pretrain.000288", "midmix", "evaluate.pretrain-000288"):
        assert found[name].inputs == before[name].inputs
    made = {i.name: (i.path, i.job) for i in found["midtrain.000200"].inputs}
    assert made["data"] == ("data/forkmix/mine", "forkmix.mine")
    assert made["base"][1] == "pretrain.000288"
    assert ("documents", "forks/mine/documents.parquet") in {(i.name, i.path) for i in found["forkmix.mine"].inputs}
    for name in ("soup.000400", "longmix"):
        assert "forkmix.mine" in found[name].upstream and "midmix" not in found[name].upstream


def test_a_fork_where_no_checkpoint_is(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("fork: {name: mine, checkpoint: 100}\n")
    with pytest.raises(ParamsError, match="no checkpoint of pretrain that can be forked"):
        load(tmp_path / "x.yaml")


def test_files_and_plan(clone: Path, tmp_path: Path) -> None:
    data = write(tmp_path / "notes.jsonl", ROWS)
    answer = fork(clone, Wish("pretrain-step4", data, "notes"))
    counted = answer["documents"]
    assert (counted["read"], counted["kept"], counted["empty"], counted["repeated"]) == (4, 2, 1, 1)
    assert counted["licences"] == {"CC0-1.0": 1, "MIT": 1}
    text = (clone / "params/notes.yaml").read_text()
    assert text.startswith("# mine\n")
    assert load(clone / "params/notes.yaml").fork.checkpoint == 4
    plan = answer["plan"]
    assert {"crawl", "midmix", "pretrain.000004"} <= set(plan["known"])
    assert "forkmix.notes" in plan["anew"] and "rlvr.000004" in plan["anew"]
    assert not set(plan["known"]) & set(plan["anew"])
    with pytest.raises(Unanswerable, match="there already"):
        fork(clone, Wish("pretrain-step4", data, "notes"))
    with pytest.raises(Unanswerable, match="a fork itself"):
        fork(clone, Wish("pretrain-step4", data, "other", params_file="params/notes.yaml"))


def test_the_same_documents_give_the_same_table(tmp_path: Path) -> None:
    one = documents.read(write(tmp_path / "a.jsonl", ROWS), "s", None)[0]
    two = documents.read(write(tmp_path / "b.jsonl", ROWS[::-1]), "s", None)[0]
    assert one.equals(two)
    pl.DataFrame(ROWS).write_parquet(tmp_path / "c.parquet")
    assert documents.read(tmp_path / "c.parquet", "s", None)[0].equals(one)
    folder = tmp_path / "d/sub"
    folder.mkdir(parents=True)
    (folder / "x.md").write_text("A page.")
    (folder / "x.bin").write_bytes(b"\xff")
    found = documents.read(tmp_path / "d", "s", "MIT")[0].to_dicts()
    assert [(row["url"], row["text"]) for row in found] == [("file:sub/x.md", "A page.")]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.jsonl", b'{"text": "a"}\n', "line 1: the document has no licence"),
        ("x.jsonl", b'{"text": "a", "licence": "MIT"}\n{"text"\n', "line 2: not JSON"),
        ("x.jsonl", b"[1]\n", "must be an object"),
        ("x.jsonl", b'{"text": 3, "licence": "MIT"}\n', "must be a string, got 3"),
        ("x.jsonl", b"\xff\xfe", "not UTF-8"),
        ("x.jsonl", b"", "no document with text"),
        ("x.parquet", b"PAR0", "not a Parquet file"),
        ("x.docx", b"x", r"give a folder, \.jsonl"),
    ],
)
def test_documents_that_cannot_be_used(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Unanswerable, match=words):
        documents.read(tmp_path / name, "s", None)


def test_refusals_write_nothing(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write(tmp_path / "notes.jsonl", ROWS)
    monkeypatch.chdir(clone)
    for args, words in (
        (["midtrain", "--data", str(data)], "cannot be forked"),
        (["pretrain-step4", "--data", str(tmp_path / "none")], "no such file"),
        (["pretrain-step4", "--data", str(data), "--name", "../up"], "lower-case letters"),
        (["pretrain-step4", "--data", str(data), "--share", "2"], "less than or equal to 1"),
    ):
        assert main(["fork", *args]) in (1, 2)
        assert words in capsys.readouterr().err
    demo = clone / "params/demo.yaml"
    demo.write_text(demo.read_text().replace("cutoff: 0.4", "cutoff: 0.3"))
    assert main(["fork", "pretrain-step4", "--data", str(data)]) == 1
    assert "`mix` is not what pretrain.000004 was made under" in capsys.readouterr().err
    assert not (clone / "forks").exists() and not (clone / "params/notes.yaml").exists()
