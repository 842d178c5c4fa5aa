"""Small inputs of the steps that make training data from tasks: tables, tokenizer, mix, evals."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import polars as pl

import library_corpus as corpus
from regrow.data.tables import parquet as tables
from regrow.data.tokens import train
from regrow.learn.tasks import step
from regrow.params.data import Tokenizer
from regrow.params.posttrain import MidtrainData, SftData, Tasks

TASKS = Tasks(train=120, dev=8, test=12)
MIDTRAIN_DATA = MidtrainData(
    tokens=40_000,
    sequence_length=256,
    component_tokens=4_000,
    heldout_tokens=4_000,
    top_buckets=1,
    facts=(1, 3),
)
SFTDATA = SftData(think=300, instruct=200)
VOCABULARY = 700
HEADINGS = """Library manual

1.2. How do I open a file?

Call the function that is named open and give it the path of the file. It returns an object that reads and
writes. Close the object when you are done with it, or let a context manager do that for you.

Reading and writing

A file object has the methods read and write, which take and give text or bytes as the mode of the file
says. The position moves with every call, and seek sets it to another place in the file.

Notes

This paragraph has a heading of one word only, so it is not taken for a request by anybody who reads it.
"""


def page(name: str, text: str) -> tuple[str, str]:
    return f"https://library.test/guide/{name}.html", text


def documents(root: Path) -> None:
    """decontaminate/ and mix/: real pages, a third in the top bucket, and a guide with headings."""
    rows = [*corpus.pages(7), *(page(str(i), HEADINGS + f"\n\nPage {i}.") for i in range(3))]
    folder = corpus.write(root / "decontaminate", rows)
    frame = tables.read(folder / "train.parquet").with_columns(
        pl.when(pl.col("url").str.ends_with(".html"))
        .then(pl.lit("text/html"))
        .otherwise(pl.col("mime"))
        .alias("mime")
    )
    tables.write(frame, folder / "train.parquet")
    mix = frame.select("id").with_columns(
        topic=pl.lit("library"),
        bucket=(pl.int_range(pl.len()) % 3).cast(pl.Int32),
        rate=(pl.int_range(pl.len()) % 4).cast(pl.Float64),
        repeats=(pl.int_range(pl.len()) % 4).cast(pl.Int32),
    )
    tables.write(mix, root / "mix/mix.parquet")


def evals(root: Path) -> None:
    """evals/: an item that is the end of a page of the mix, and one that nothing holds."""
    text = tables.read(root / "decontaminate/train.parquet").filter(
        pl.col("url").str.ends_with("2.html")
    )["text"]
    items = [
        {"id": "leak/0", "text": text[0] if len(text) else HEADINGS},
        {"id": "leak/1", "text": "forty seven unseen words " * 6},
    ]
    (root / "evals").mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(item) + "\n" for item in items)
    (root / "evals/leak.jsonl").write_text(lines)


def teacher(root: Path, rows: list[dict[str, object]] | None = None) -> None:
    """sources/teacher as `teacher/`: no file if `rows` is None."""
    (root / "teacher").mkdir(parents=True, exist_ok=True)
    if rows is not None:
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (root / "teacher/small.jsonl").write_text(lines)


def answer(number: int, response: str, **changes: object) -> dict[str, object]:
    """A line of a teacher's file."""
    row: dict[str, object] = {
        "id": f"{number:032x}",
        "teacher": "small",
        "seed": 1,
        "temperature": 0.7,
        "licence": "Apache-2.0",
        "prompt": f"Please tell me about thing number {number}.",
        "response": response,
        "finished": True,
    }
    return row | changes


def write(root: Path) -> dict[str, Path]:
    """All of them; the inputs by name."""
    documents(root)
    evals(root)
    teacher(root)
    step.run({}, SimpleNamespace(tasks=TASKS), root / "tasks")
    names = ("decontaminate", "mix", "tasks", "tokenizer", "evals", "teacher")
    inputs = {name: root / name for name in names}
    params = Tokenizer(vocabulary=VOCABULARY, sample_bytes=150_000)
    train.run(inputs, SimpleNamespace(tokenizer=params), root / "tokenizer")
    return inputs
