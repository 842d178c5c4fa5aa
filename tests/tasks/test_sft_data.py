from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

import small_tasks
from determinism import run_twice
from regrow.data.tables import parquet as tables
from regrow.data.tokens import bpe, chat
from regrow.learn.tasks import sft_data
from regrow.learn.tasks.sft import example, filters, style
from regrow.learn.verifiers import tools
from regrow.learn.verifiers.calls import read
from regrow.learn.verifiers.judge import judge

GOOD = "A walk in the evening is a good way to end the day."
ANSWERS = [
    small_tasks.answer(1, GOOD),
    small_tasks.answer(2, "A clock shows the time of day with two hands and numbers."),
    small_tasks.answer(3, "As an AI language model, I cannot taste bread."),
    small_tasks.answer(4, "I was trained by a team of people in the city."),
    small_tasks.answer(5, "It is here. It is here. It is here."),
    small_tasks.answer(6, "The flour flour flour flour is in the big kitchen cupboard."),
    small_tasks.answer(7, "Je ne sais pas où se trouve la maison de mes parents."),
    small_tasks.answer(8, "这是一个很好的问题，我很高兴回答你。"),
    small_tasks.answer(9, GOOD + " You can see", finished=False),
    small_tasks.answer(10, "The answer of the long story is this. " + "word after word " * 90),
    small_tasks.answer(11, GOOD, prompt=small_tasks.HEADINGS.split("\n\n")[2]),
    small_tasks.answer(1, GOOD),
    small_tasks.answer(12, GOOD, licence=None),
    small_tasks.answer(13, GOOD, prompt="Please tell me about thing number 1.", seed=2),
    small_tasks.answer(14, "..."),
    small_tasks.answer(15, small_tasks.HEADINGS.split("\n\n")[2].replace("\n", " ")),
]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("inputs")
    found = small_tasks.write(root)
    small_tasks.teacher(root, ANSWERS)
    with (root / "teacher/small.jsonl").open("a") as file:
        file.write("not json\n\n[1]\n")
    return found


def _run(inputs: dict[str, Path], output: Path, **changes) -> dict:
    params = small_tasks.SFTDATA.model_copy(update=changes)
    return sft_data.run(inputs, SimpleNamespace(sft_data=params), output)


@pytest.fixture(scope="module")
def made(inputs, tmp_path_factory) -> tuple[Path, dict]:
    output = tmp_path_factory.mktemp("sft_data")
    return output, _run(inputs, output)


def _rows(folder: Path, branch: str) -> list[dict]:
    return tables.read(folder / f"{branch}.parquet").to_dicts()


def test_branches_are_filled(made) -> None:
    output, counts = made
    for branch in sft_data.BRANCHES:
        wanted = getattr(small_tasks.SFTDATA, branch)
        rows = _rows(output, branch)
        assert counts[branch]["examples"] == len(rows) == wanted
        assert [row["id"] for row in rows] == sorted({row["id"] for row in rows})
        assert dict(tables.read(output / f"{branch}.parquet").schema) == sft_data.SCHEMA
    share = small_tasks.SFTDATA.tool_share * small_tasks.SFTDATA.instruct
    assert counts["instruct"]["kinds"]["tool"] == share
    assert "tool" not in counts["think"]["kinds"]
    families = counts["think"]["families"]
    sizes = [count for name, count in families.items() if name != "style"]
    assert len(sizes) == 7 and max(sizes) - min(sizes) <= 1


def test_tokens_and_mask_are_those_of_the_messages(inputs, made) -> None:
    tokenizer, _ = bpe.load(inputs["tokenizer"])
    for branch in sft_data.BRANCHES:
        for row in _rows(made[0], branch):
            messages = json.loads(row["messages"])
            tokens, mask = chat.example(tokenizer, messages)
            assert (row["tokens"], row["mask"]) == (tokens, mask)
            assert len(tokens) <= small_tasks.SFTDATA.max_tokens
            assert tokens[-1:] == chat.end_tokens(tokenizer, branch) and mask[-1]


def test_every_answer_of_a_task_is_verified_and_named(inputs, made) -> None:
    tokenizer, _ = bpe.load(inputs["tokenizer"])
    tasks = {row["id"]: row for row in tables.read(inputs["tasks"] / "train.parquet").to_dicts()}
    for branch in sft_data.BRANCHES:
        for row in _rows(made[0], branch):
            assert row["licence"] and row["teacher"]
            if row["kind"] == "style":
                assert row["teacher"] == "small" and row["task"] is None
                continue
            task = tasks[row["task"]]
            assert row["teacher"] == f"regrow.learn.tasks.families.{task['family']}"
            prompt = chat.prompt(tokenizer, task["question"], branch)
            if row["kind"] == "tool":
                prompt = chat.prompt(tokenizer, task["question"], branch, task["tools"])
            assert row["tokens"][: len(prompt)] == prompt
            text = chat.decode(tokenizer, row["tokens"][len(prompt) :])
            verifier, arguments = task["verifier"], json.loads(task["arguments"])
            if row["kind"] == "tool":
                verifier = "tool"
                arguments = {"calls": [task["tool_call"]], "answer": task["answer"]}
            assert judge(verifier, arguments, text, branch).passed


def test_tool_conversations_describe_and_execute(made) -> None:
    rows = [row for row in _rows(made[0], "instruct") if row["kind"] == "tool"]
    for row in rows:
        system, _, call, result, answer = json.loads(row["messages"])
        name = read(call["tool_calls"][0]).name
        assert f"\n{name}(" in system["content"]
        assert tools.execute(read(call["tool_calls"][0])) == result["content"]
        assert result["content"].strip("[]") == answer["content"]
    short = {row["task"] for row in _rows(made[0], "instruct") if row["kind"] == "task"}
    assert not short & {row["task"] for row in rows}


def test_each_dropped_answer_has_its_reason(made) -> None:
    output, counts = made
    drops = tables.read(output / "drops.parquet")
    reasons = dict(drops.group_by("reason").agg(pl.len()).iter_rows())
    assert counts["dropped"] == dict(sorted(reasons.items()))
    # Every answer that reaches the filters is looked at in both branches.
    assert reasons == {
        "malformed": 4,
        "truncated": 1,
        "identity": 4,
        "repetition.sentence": 2,
        "repetition.word": 2,
        "language.other": 2,
        "language.han": 2,
        "too_long": 2,
        "leak.eval": 4,
        "duplicate": 2,
        "empty": 2,
    }
    kept = [row for row in _rows(output, "think") if row["kind"] == "style"]
    assert len(kept) == counts["think"]["kinds"]["style"] == 2
    assert {row["seed"] for row in kept} == {1}


def test_no_content_of_dev_or_test_is_learned(inputs, made) -> None:
    held = {
        row["id"]
        for name in ("dev", "test")
        for row in tables.read(inputs["tasks"] / f"{name}.parquet").to_dicts()
    }
    for branch in sft_data.BRANCHES:
        assert not held & {row["task"] for row in _rows(made[0], branch)}


def test_wrong_and_leaked_tasks_are_dropped(inputs, tmp_path: Path) -> None:
    train = tables.read(inputs["tasks"] / "train.parquet")
    test = tables.read(inputs["tasks"] / "test.parquet").filter(pl.col("family") == "add").head(1)
    wrong = train.filter(pl.col("family") == "sort").head(1)
    changed = pl.concat(
        [
            train.filter(~pl.col("id").is_in(wrong["id"].to_list())),
            wrong.with_columns(answer=pl.lit("1, 2")),
            test,
        ]
    )
    tables.write(changed, tmp_path / "tasks/train.parquet")
    for name in ("dev", "test"):
        data = (inputs["tasks"] / f"{name}.parquet").read_bytes()
        (tmp_path / f"tasks/{name}.parquet").write_bytes(data)
    _run(inputs | {"tasks": tmp_path / "tasks"}, tmp_path / "out", think=900)
    drops = tables.read(tmp_path / "out/drops.parquet")
    assert drops.filter(pl.col("reason") == "wrong")["detail"].str.starts_with("answer: ").any()
    assert test["id"][0] in drops.filter(pl.col("reason") == "leak.content")["detail"].to_list()
    learned = {row["task"] for row in _rows(tmp_path / "out", "think")}
    assert not learned & {wrong["id"][0], test["id"][0]}


@pytest.mark.parametrize("folder", ["empty", "absent"])
def test_no_teacher_works(inputs, tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    counts = _run(inputs | {"teacher": tmp_path / folder}, tmp_path / "out", think=50, instruct=20)
    assert counts["think"]["kinds"] == {"task": 50}
    assert counts["instruct"]["kinds"] == {"task": 14, "tool": 6}


@pytest.mark.parametrize(
    "text",
    [
        "I'm a helpful assistant.",
        "My name is Sam.",
        "I am just an AI.",
        "As a digital assistant, I do not eat.",
        "I was created by OpenAI.",
        "Ask ChatGPT about it.",
        "My knowledge cut-off is in March.",
        "I'm not familiar with the name of the AI.",
    ],
)
def test_claims_to_be_somebody_are_found(text: str) -> None:
    assert filters.problem(text)[0] == "identity"


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "She said that she was a teacher and that the house was built in a year.",
        "Aid came by air to the people on the main road.",
        "A claim is what one says is true. A fact is what one can show.",
    ],
)
def test_plain_answers_pass(text: str) -> None:
    assert filters.problem(text) is None


def test_a_think_part_is_added_to_a_teachers_answer() -> None:
    row = small_tasks.answer(1, " Hello to you. ")
    turn = style.example(row, "think").messages[-1]
    assert turn == {
        "role": "assistant",
        "content": "Hello to you.",
        "reasoning_content": style.NO_STEPS,
    }
    assert "reasoning_content" not in style.example(row, "instruct").messages[-1]


def test_tasks_come_in_turn_whatever_their_order() -> None:
    tasks = [{"id": f"{f}{i}", "family": f} for f, n in (("a", 3), ("b", 1)) for i in range(n)]
    order = list(example.in_turn(tasks, "k"))
    assert [task["family"] for task in order] == ["a", "b", "a", "a"]
    assert order == list(example.in_turn(tasks[::-1], "k"))


CODE = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
from regrow.params.posttrain import SftData
from regrow.learn.tasks import sft_data
inputs = {name: Path(path) for name, path in json.loads(sys.argv[2]).items()}
params = SimpleNamespace(sft_data=SftData(think=80, instruct=60))
sft_data.run(inputs, params, Path(sys.argv[1]))
"""


def test_same_bytes_in_other_circumstances(inputs, tmp_path: Path) -> None:
    paths = json.dumps({name: str(path) for name, path in inputs.items()})
    assert len(run_twice(CODE, tmp_path, paths)) == 3
