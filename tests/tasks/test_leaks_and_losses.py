"""No stage learns an item or a held-out task, whoever brings it; no stage loses a text without a word."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

import small_tasks
from planted_items import SPELLINGS
from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import Lost
from regrow.data.tokens import chat, pack
from regrow.data.tokens.reader import Packed
from regrow.learn.tasks import forkmix, forksft, midtrain_data, sft_data, step
from regrow.learn.tasks.mid.leaks import Leaks, everything
from regrow.params.data import Pack
from regrow.params.fork import Fork
from regrow.params.posttrain import Tasks


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("inputs")
    made = small_tasks.write(root)
    small_tasks.teacher(root, [small_tasks.answer(1, "The river is long and slow.")])
    midtrain_data.run(
        made, SimpleNamespace(midtrain_data=small_tasks.MIDTRAIN_DATA), root / "midtrain_data"
    )
    sft_data.run(made, SimpleNamespace(sft_data=small_tasks.SFTDATA), root / "sft_data")
    return {**made, "midtrain_data": root / "midtrain_data", "sft_data": root / "sft_data"}


def heldout(folder: Path) -> list[dict[str, Any]]:
    return [r for s in ("dev", "test") for r in tables.read(folder / f"{s}.parquet").to_dicts()]


def plain(task: dict[str, Any]) -> str:
    return chat.plain(task["question"], task["trace"], task["answer"])


def messages(task: dict[str, Any]) -> list[dict[str, Any]]:
    answer = {"role": "assistant", "reasoning_content": task["trace"], "content": task["answer"]}
    return [{"role": "user", "content": task["question"]}, answer]


def test_every_task_of_dev_and_test_is_found_in_every_form(tmp_path: Path, inputs) -> None:
    """As many as the demo has: 7 families x (60 + 120)."""
    step.run({}, SimpleNamespace(tasks=Tasks(train=100, dev=60, test=120)), tmp_path)
    tasks = heldout(tmp_path)
    leaks = Leaks(inputs["evals"], tmp_path)
    assert len(tasks) == 1_260 == len(leaks) - 2
    for form in (
        plain,
        lambda task: everything(messages(task)),
        lambda task: f"{task['question'].upper()}\n{task['answer']}",
        lambda task: f"He asked: **{task['question']}** And she said {task['answer']}.",
    ):
        missed = [task["question"] for task in tasks if not leaks.find(form(task))]
        assert not missed, missed[:5]
    train = tables.read(tmp_path / "train.parquet").to_dicts()
    of_ours = [leaks.find(plain(task), ((task["family"], task["content"]),)) for task in train]
    assert not any(of_ours), "train tasks share their wording with test tasks"
    foreign = [task for task in train if leaks.find(plain(task))]
    assert len(foreign) < 0.02 * len(train)
    assert {task["family"] for task in foreign} <= {
        "words"
    }  # `…, but not hat` holds a bare question


def fork_of(
    inputs: dict[str, Path], texts: list[str], folder: Path, **changes: Any
) -> tuple[Path, dict[str, Any]]:
    rows = [
        {"id": f"{n:032x}", "url": None, "source": "me", "licence": "CC0-1.0", "text": text}
        for n, text in enumerate(texts)
    ]
    frame = pl.DataFrame(rows, schema_overrides={"url": pl.String})
    tables.write(frame, folder / "documents.parquet")
    params = SimpleNamespace(
        fork=Fork(name="mine", checkpoint=0, **changes), midtrain_data=small_tasks.MIDTRAIN_DATA
    )
    given = {**inputs, "documents": folder / "documents.parquet"}
    return folder / "out", forkmix.run(given, params, folder / "out", instance="mine")


def chats_of(
    inputs: dict[str, Path], talks: list[list[dict[str, Any]]], folder: Path, **changes: Any
) -> dict[str, Any]:
    rows = [
        {"id": f"{n:032x}", "url": None, "source": "me", "licence": "CC0-1.0"}
        | {"messages": json.dumps(talk)}
        for n, talk in enumerate(talks)
    ]
    frame = pl.DataFrame(rows, schema_overrides={"url": pl.String})
    tables.write(frame, folder / "chats.parquet")
    params = SimpleNamespace(
        fork=Fork(name="mine", checkpoint=0, chats=True, **changes), sft_data=small_tasks.SFTDATA
    )
    given = {**inputs, "chats": folder / "chats.parquet"}
    return forksft.run(given, params, folder / "chats", instance="mine")


def test_of_a_fork_made_of_test_tasks_nothing_enters(inputs, tmp_path: Path) -> None:
    tasks = tables.read(inputs["tasks"] / "test.parquet").to_dicts()
    own = "The lighthouse of page {} was built of grey stone by people from the island."
    texts = [plain(task) for task in tasks] + [own.format(n) for n in range(30)]
    output, counts = fork_of(inputs, texts, tmp_path, heldout_share=0.2)
    assert counts["dropped"] == {"leak.task": len(tasks)}
    outcomes = (
        tables.read(output / "contributions.parquet")["outcome"]
        .value_counts()
        .sort("outcome")
        .rows()
    )
    assert sum(n for fate, n in outcomes if fate != "dropped") == 30
    mine = tables.read(output / "documents.parquet").filter(pl.col("component") == "own")
    assert mine.height and mine["text"].str.starts_with("The lighthouse").all()
    with pytest.raises(ValueError, match="no document of forks/mine may enter"):
        fork_of(inputs, texts[: len(tasks)], tmp_path / "all", heldout_share=0.2)


HIDDEN = ("capitals", "typographic quotes", "full width", "soft hyphens", "zero width")
HIDDEN += ("control characters", "format controls")


def test_no_spelling_lets_a_task_into_a_fork(inputs, tmp_path: Path) -> None:
    """As documents and as conversations; what is nobody's task enters, tasks of train too."""
    tasks, train = (
        tables.read(inputs["tasks"] / f"{split}.parquet")
        .filter(pl.col("family").is_in(["add", "larger", "repeat"]))
        .to_dicts()
        for split in ("test", "train")
    )
    assert {task["family"] for task in tasks} == {"add", "larger", "repeat"}
    spelled = [
        {**task, **{name: SPELLINGS[how](task[name]) for name in ("question", "trace", "answer")}}
        for task in tasks
        for how in ("verbatim", *HIDDEN)
    ]
    spelled = list({plain(task): task for task in spelled}.values())
    control = train[:40]
    texts = [plain(task) for task in [*spelled, *control]]
    output, counts = fork_of(inputs, texts, tmp_path, heldout_share=0.2)
    assert counts["dropped"] == {"leak.task": len(spelled)}
    outcomes = tables.read(output / "contributions.parquet")["outcome"].value_counts().rows()
    assert sum(n for fate, n in outcomes if fate != "dropped") == len(control)

    talks = [messages(task) for task in [*spelled, *control]]
    counts = chats_of(inputs, talks, tmp_path, chat_tokens=5_000)
    assert counts["dropped"] == {"leak.task": 2 * len(spelled)}
    assert counts["kept"] == 2 * len(control)
    assert counts["in"] == counts["kept"] + sum(counts["dropped"].values())


def test_an_item_that_a_cut_parts_does_not_enter(inputs, tmp_path: Path) -> None:
    item = "forty seven unseen words " * 6
    half = len(item) // 2
    text = f"{'Much other text. ' * 200}\n\n{item[:half]}"
    text += f"\n\n{item[half:]}{' Much more text.' * 200}"
    small = [f"The lighthouse of page {n} was built of grey stone." for n in range(30)]
    _, counts = fork_of(inputs, [text, *small], tmp_path, heldout_share=0.0)
    assert counts["dropped"] == {"leak.eval": 1}


def test_a_fork_looks_at_no_more_than_it_reads(inputs, tmp_path: Path, monkeypatch) -> None:
    looked: list[str] = []
    find = Leaks.find

    def counting(self: Leaks, text: str, contents: Any = ()) -> Any:
        looked.append(text)
        return find(self, text, contents)

    monkeypatch.setattr(Leaks, "find", counting)
    texts = [" ".join(f"w{n}x{k}" for k in range(60)) for n in range(1_500)]
    output, counts = fork_of(inputs, texts, tmp_path, share=0.1, heldout_share=0.0)
    wanted = Packed(inputs["midtrain_data"]).sequences * 256 * 0.1
    assert wanted - 256 <= counts["own"]["tokens"] < wanted + 2_000
    assert len(looked) < 400  # a passage and its document, and at most a batch too many
    about = tables.read(output / "contributions.parquet")
    assert counts["own"]["unused"] == about.filter(pl.col("outcome") == "unused").height > 1_000
    assert about.height == 1_500


def test_a_conversation_that_holds_a_task_anywhere_does_not_enter(inputs, tmp_path: Path) -> None:
    task = tables.read(inputs["tasks"] / "test.parquet").to_dicts()[0]
    asked = task["question"]
    hello, well = {"role": "user", "content": "Good day."}, {"role": "assistant", "content": "Yes."}
    talks = [
        messages(task),
        [hello, {**well, "reasoning_content": f"They may ask: {asked}"}],
        [{"role": "system", "content": asked}, hello, well],
        [hello, {"role": "assistant", "tool_calls": [f'say("{asked}")']}],
        [hello, {**well, "content": f"“{asked.upper()}”"}],
    ]
    clean = [[{"role": "user", "content": f"Where is thing {n}?"}, well] for n in range(5)]
    counts = chats_of(inputs, [*talks, *clean], tmp_path)
    # The Instruct branch leaves thoughts out, so there the second conversation may enter,
    # and the third, which says the same but for its system message, repeats it.
    assert counts["dropped"] == {"leak.task": 2 * len(talks) - 2, "duplicate": 1}
    assert counts["in"] == counts["kept"] + sum(counts["dropped"].values()) == 20


@pytest.mark.parametrize("name", ["midtrain_data", "sft_data", "forkmix", "forksft"])
def test_a_planted_loss_is_caught(name: str, inputs, tmp_path: Path, monkeypatch) -> None:
    """A drop that names another text than the one that is lost."""
    lost = {"id": "elsewhere", "reason": "leak.eval"}
    monkeypatch.setattr(Leaks, "find", lambda self, text, contents=(): dict(lost))
    with pytest.raises(Lost, match=rf"^{name}: .* without a trace .*1? too many \(elsewhere\)"):
        if name == "midtrain_data":
            midtrain_data.run(
                inputs, SimpleNamespace(midtrain_data=small_tasks.MIDTRAIN_DATA), tmp_path
            )
        elif name == "sft_data":
            sft_data.run(inputs, SimpleNamespace(sft_data=small_tasks.SFTDATA), tmp_path)
        elif name == "forkmix":
            fork_of(inputs, ["Some text of my own."] * 2, tmp_path)
        else:
            talk = json.dumps(
                [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]
            )
            row = {"id": "a", "url": "u", "source": "s", "licence": "CC0-1.0", "messages": talk}
            tables.write(pl.DataFrame([row]), tmp_path / "chats.parquet")
            params = SimpleNamespace(
                fork=Fork(name="mine", checkpoint=0, chats=True), sft_data=small_tasks.SFTDATA
            )
            given = {**inputs, "chats": tmp_path / "chats.parquet"}
            forksft.run(given, params, tmp_path / "out", instance="mine")


@pytest.mark.parametrize("name", ["pack", "midtrain_data"])
def test_a_document_of_the_mix_that_is_not_there_is_an_error(name, inputs, tmp_path: Path) -> None:
    mix = tables.read(inputs["mix"] / "mix.parquet")
    ghost = mix.filter(pl.col("repeats") > 0).head(1).with_columns(id=pl.lit("ghost"))
    tables.write(pl.concat([mix, ghost]), tmp_path / "mix/mix.parquet")
    given = {**inputs, "mix": tmp_path / "mix"}
    with pytest.raises(Lost, match=rf"^{name}: .* 1 without a trace \(ghost\)"):
        if name == "pack":
            pack.run(given, SimpleNamespace(pack=Pack(sequence_length=64)), tmp_path / "out")
        else:
            midtrain_data.run(
                given, SimpleNamespace(midtrain_data=small_tasks.MIDTRAIN_DATA), tmp_path / "out"
            )


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"seed": ' + "9" * 5_000 + "}", "too many digits"),
        (json.dumps(small_tasks.answer(5, "x", seed=2**70)), "seed must fit 64 bits"),
        (json.dumps(small_tasks.answer(5, "\ud800 x")), "half a surrogate"),
        (json.dumps(small_tasks.answer(5, " ")), "must say something"),
    ],
)
def test_one_odd_line_of_a_teacher_is_a_drop(inputs, tmp_path: Path, line: str, why: str) -> None:
    good = json.dumps(
        small_tasks.answer(1, "The river is long\u2028and slow\x85today."), ensure_ascii=False
    )
    (tmp_path / "small.jsonl").write_text(f"\ufeff{good}\n{line}\n", encoding="utf-8")
    params = SimpleNamespace(sft_data=small_tasks.SFTDATA)
    sft_data.run({**inputs, "teacher": tmp_path}, params, tmp_path / "out")
    drops = tables.read(tmp_path / "out/drops.parquet").filter(pl.col("reason") == "malformed")
    assert drops["id"].to_list() == ["small.jsonl, line 2"] and why in drops["detail"][0]
    think = tables.read(tmp_path / "out/think.parquet").filter(pl.col("kind") == "style")
    assert "long\u2028and slow\x85today" in think["messages"][0]
