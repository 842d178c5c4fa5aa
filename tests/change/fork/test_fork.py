"""`regrow fork`: what is written, what is refused, and that nobody else's keys move."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import default_flow
from default_flow import STEPS
from regrow import yaml12
from regrow.change.fork import documents
from regrow.change.fork.create import Wish, fork
from regrow.cli.main import main
from regrow.engine import jobs
from regrow.evidence.errors import Unanswerable
from regrow.params.schema import Params, ParamsError, load
from small_tree import params


@pytest.fixture
def clone(tree: Path) -> Path:
    (tree / "params").mkdir()
    text = yaml12.dump(params().model_dump(mode="json", exclude={"fork"}))
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


def expanded(values: Params, steps: tuple = ()) -> dict[str, jobs.Job]:
    flow = default_flow.flow(values)
    flow = replace(flow, steps=steps or flow.steps)
    return jobs.expand(flow, flow.instances(values), flow.inherited(values))


def test_without_a_fork_the_flow_is_as_if_there_were_none() -> None:
    plain = tuple(
        replace(
            s,
            inputs=tuple(
                replace(i, substitute="")
                for i in s.inputs
                if i.step not in ("forkmix", "forksft") and i.instance != "inherited"
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
    for name in ("crawl", "mix", "pretrain.000288", "midtrain_data", "evaluate.pretrain-000288"):
        assert found[name].inputs == before[name].inputs
    made = {i.name: (i.path, i.job) for i in found["midtrain.000200"].inputs}
    assert made["data"] == ("data/forkmix/mine", "forkmix.mine")
    assert made["base"][1] == "pretrain.000288"
    assert ("documents", "forks/mine/documents.parquet") in {
        (i.name, i.path) for i in found["forkmix.mine"].inputs
    }
    for name in ("soup.000400", "longcontext_data"):
        assert (
            "forkmix.mine" in found[name].upstream and "midtrain_data" not in found[name].upstream
        )


def inputs_of(found: dict[str, jobs.Job], name: str) -> dict[str, str]:
    return {i.name: i.job or i.path for i in found[name].inputs}


def test_a_fork_in_midtraining_takes_what_came_before_and_goes_on_in_two_orders() -> None:
    raw = {"midtrain": {"steps": 400, "checkpoint_every": 100}}
    fork_block = {"name": "mine", "stage": "midtrain", "checkpoint": 200}
    found, before = (
        expanded(Params.model_validate(raw | more)) for more in ({"fork": fork_block}, {})
    )
    theirs = ["midtrain.000100", "midtrain.000200", "release.midtrain-000200", "pretrain.000480"]
    assert all(found[name].inputs == before[name].inputs for name in theirs)
    assert inputs_of(found, "midtrain.000300") == {
        "data": "forkmix.mine",
        "previous": "midtrain.000200",
        "base": "pretrain.000480",
    }
    assert inputs_of(found, "midtrain_b.000400")["previous"] == "midtrain.000200"
    assert "previous" not in inputs_of(before, "midtrain_b.000400")
    assert inputs_of(found, "soup.000400")["midtrain_data"] == "forkmix.mine"
    card = inputs_of(found, "release.midtrain-000300")
    assert card["forkmix.mine"] == card["record.forkmix.mine"] == "forkmix.mine"
    assert "forkmix.mine" not in inputs_of(found, "release.pretrain-000480")
    assert "forkmix.mine" in inputs_of(found, "release.rlzero-000060")


def test_a_fork_of_the_soup_reads_its_documents_in_the_long_context_stage() -> None:
    block = {"name": "mine", "stage": "soup", "checkpoint": 400}
    found, before = expanded(Params.model_validate({"fork": block})), expanded(Params())
    for name in ("midtrain.000400", "midtrain_b.000400", "soup.000400", "release.soup-000400"):
        assert found[name].inputs == before[name].inputs, name
    assert inputs_of(found, "longcontext_data")["midtrain_data"] == "forkmix.mine"
    assert "forksft.mine" not in found


def test_conversations_join_fine_tuning_and_nothing_before_it() -> None:
    block = {
        "name": "mine",
        "stage": "longcontext",
        "checkpoint": 120,
        "documents": False,
        "chats": True,
    }
    found, before = expanded(Params.model_validate({"fork": block})), expanded(Params())
    assert set(found) - set(before) == {"forksft.mine", "index.forksft-mine"}
    assert set(before) - set(found) == {"index.sft_data"}
    both = set(found) & set(before)
    changed = {name for name in both if found[name].inputs != before[name].inputs}
    assert {name for name in changed if not name.startswith("release")} == {
        *(name for name in before if name.startswith("sft") and name != "sft_data")
    }
    released = {name.partition(".")[2].partition("-")[0] for name in changed if "release" in name}
    assert released == {"sft", "sft_instruct", "dpo", "rlvr"}
    assert inputs_of(found, "sft_seed1.000720")["data"] == "forksft.mine"


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("checkpoint: 100", "no checkpoint of pretrain that can be forked"),
        ("checkpoint: 400, stage: midtrain", "no checkpoint of midtrain that can be forked"),
        ("checkpoint: 120, stage: longcontext", "no stage after longcontext reads documents"),
        ("checkpoint: 288, documents: false", "needs documents or chats"),
    ],
)
def test_a_fork_where_none_can_begin(tmp_path: Path, block: str, words: str) -> None:
    (tmp_path / "x.yaml").write_text(f"fork: {{name: mine, {block}}}\n")
    with pytest.raises(ParamsError, match=words):
        load(tmp_path / "x.yaml")


def test_files_and_plan(clone: Path, tmp_path: Path) -> None:
    data = write(tmp_path / "notes.jsonl", ROWS)
    answer = fork(clone, Wish("pretrain-step4", (data,), "notes"))
    counted = answer["documents"]
    assert (counted["read"], counted["kept"], counted["empty"], counted["repeated"]) == (4, 2, 1, 1)
    assert counted["licences"] == {"CC0-1.0": 1, "MIT": 1}
    assert answer["branch"] is None, "no git repository"
    text = (clone / "params/notes.yaml").read_text()
    assert text.startswith("# mine\n")
    assert load(clone / "params/notes.yaml").fork.checkpoint == 4
    plan = answer["plan"]
    assert {"crawl", "midtrain_data", "pretrain.000004"} <= set(plan["known"])
    assert "forkmix.notes" in plan["anew"] and "rlvr.000004" in plan["anew"]
    assert not set(plan["known"]) & set(plan["anew"])
    with pytest.raises(Unanswerable, match="there already"):
        fork(clone, Wish("pretrain-step4", (data,), "notes"))
    with pytest.raises(Unanswerable, match="--data THEIRS --data YOURS"):
        fork(clone, Wish("pretrain-step4", (data,), "other", params_file="params/notes.yaml"))


CHAT = {
    "messages": [
        {"role": "user", "content": "What is it?", "weight": 1},
        {"role": "assistant", "content": "A thing.", "reasoning_content": "I look."},
    ],
    "licence": "MIT",
    "url": "http://a/chat",
}


def test_what_a_fork_brings_follows_from_the_rows_and_the_mix_from_the_point(
    clone: Path, tmp_path: Path
) -> None:
    chats = write(tmp_path / "chats.jsonl", [CHAT, CHAT])
    both = fork(
        clone, Wish("release.midtrain-000002", (write(tmp_path / "a.jsonl", ROWS), chats), "both")
    )
    assert both["chats"]["kept"] == 1 and both["chats"]["repeated"] == 1
    block = load(clone / "params/both.yaml").fork
    assert (block.stage, block.checkpoint, block.documents, block.chats) == (
        "midtrain",
        2,
        True,
        True,
    )
    assert block.tokens == load(clone / "params/both.yaml").midtrain_data.tokens // 2
    assert {"midtrain.000002", "longcontext_data"} & set(both["plan"]["known"]) == {
        "midtrain.000002"
    }
    alone = fork(clone, Wish("longcontext", (chats,), "alone", share=0.1))
    block = load(clone / "params/alone.yaml").fork
    assert (block.stage, block.documents, block.chat_share) == ("longcontext", False, 0.1)
    assert "longcontext.000002" in alone["plan"]["known"] and "sft.000002" in alone["plan"]["anew"]
    row = pl.read_parquet(clone / "forks/alone/chats.parquet").to_dicts()[0]
    assert json.loads(row["messages"]) == [
        {"role": "user", "content": "What is it?"},
        {"role": "assistant", "content": "A thing.", "reasoning_content": "I look."},
    ]
    assert row["url"] == "http://a/chat" and not (clone / "forks/alone/documents.parquet").exists()


def git(root: Path, *args: str) -> str:
    config = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    done = subprocess.run(
        ["git", *config, *args], cwd=root, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_a_fork_is_a_git_branch_and_uncommitted_records_are_safe(
    clone: Path, tmp_path: Path
) -> None:
    git(clone, "init", "-q", "-b", "trunk")
    git(clone, "add", "params")
    git(clone, "commit", "-qm", "params")
    data = (write(tmp_path / "notes.jsonl", ROWS),)
    with pytest.raises(
        Unanswerable, match="not committed, and a run of the fork would replace them"
    ):
        fork(clone, Wish("pretrain-step4", data, "notes"))
    assert not (clone / "forks").exists() and git(clone, "branch", "--show-current") == "trunk"
    git(clone, "add", "records")
    git(clone, "commit", "-qm", "records")
    answer = fork(clone, Wish("pretrain-step4", data, "notes"))
    assert answer["branch"] == {"name": "notes", "from": "trunk"}
    assert git(clone, "branch", "--show-current") == "notes"
    assert git(clone, "status", "--porcelain", "forks", "params").splitlines() == [
        "?? forks/",
        "?? params/notes.yaml",
    ]
    git(clone, "switch", "-q", "trunk")
    (clone / "params/notes.yaml").unlink()
    (clone / "forks/notes/documents.parquet").unlink()
    (clone / "forks/notes").rmdir()
    with pytest.raises(Unanswerable, match="branch notes is there already"):
        fork(clone, Wish("pretrain-step4", data, "notes"))
    assert fork(clone, Wish("pretrain-step4", data, "notes", here=True))["branch"] is None


def test_the_same_documents_give_the_same_table(tmp_path: Path) -> None:
    def read(path: Path, licence: str | None = None) -> pl.DataFrame:
        return documents.read([path], "s", licence)["documents"].frame

    one = read(write(tmp_path / "a.jsonl", ROWS))
    two = read(write(tmp_path / "b.jsonl", ROWS[::-1]))
    assert one.equals(two)
    pl.DataFrame(ROWS).write_parquet(tmp_path / "c.parquet")
    assert read(tmp_path / "c.parquet").equals(one)
    halves = [write(tmp_path / "d.jsonl", ROWS[:1]), write(tmp_path / "e.jsonl", ROWS[1:])]
    assert documents.read(halves, "s", None)["documents"].frame.equals(one)
    folder = tmp_path / "d/sub"
    folder.mkdir(parents=True)
    (folder / "x.md").write_text("A page.")
    (folder / "x.bin").write_bytes(b"\xff")
    found = read(tmp_path / "d", "MIT").to_dicts()
    assert [(row["url"], row["text"]) for row in found] == [("file:sub/x.md", "A page.")]
    chats = documents.read([write(tmp_path / "f.jsonl", [CHAT])], "s", None)["chats"].frame
    pl.DataFrame([CHAT]).write_parquet(tmp_path / "g.parquet")
    assert documents.read([tmp_path / "g.parquet"], "s", None)["chats"].frame.equals(chats)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.jsonl", b'{"text": "a"}\n', "line 1: the document has no licence"),
        ("x.jsonl", b'{"text": "a", "licence": "MIT"}\n{"text"\n', "line 2: not JSON"),
        ("x.jsonl", b"[1]\n", "must be an object"),
        ("x.jsonl", b'{"text": 3, "licence": "MIT"}\n', "must be a string, got 3"),
        ("x.jsonl", b'{"messages": []}\n', "last message must be the assistant's"),
        (
            "x.jsonl",
            b'{"messages": [{"role": "bot", "content": "a"}]}\n',
            "message 1: `role` must be",
        ),
        (
            "x.jsonl",
            b'{"messages": [{"role": "user", "content": " "}]}\n',
            "role user says nothing",
        ),
        ("x.jsonl", b'{"messages": "a"}\n', "not JSON"),
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
        documents.read([tmp_path / name], "s", None)


def test_refusals_write_nothing(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write(tmp_path / "notes.jsonl", ROWS)
    chats = write(tmp_path / "chats.jsonl", [CHAT])
    monkeypatch.chdir(clone)
    for args, words in (
        (["midtrain", "--data", str(data)], "midtraining is at its end there"),
        (["longcontext", "--data", str(data)], "no later stage reads documents"),
        (["rlvr", "--data", str(data)], "With documents: pretrain.000000"),
        (["soup", "--data", str(chats)], "no stage before fine-tuning reads conversations"),
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
