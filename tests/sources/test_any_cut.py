"""From files to packed tokens: random corpora give the same bytes however their rows are cut, ordered and shared out."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from determinism import hashes
from regrow import selection
from regrow.data.dedup import decontaminate, signatures
from regrow.data.dedup import step as dedup
from regrow.data.filters import step as filters
from regrow.data.mix import classify
from regrow.data.mix import step as mix
from regrow.data.sources import gather
from regrow.data.sources.kinds import jsonl, parquet
from regrow.data.tables import stream
from regrow.data.tokens import pack, train
from regrow.params.schema import Params, check

PARAMS: Params = check(
    {
        "stages": ["pretrain"],
        "filter": {
            "max_top_ngram": {}, "max_duplicate_ngram": {}, "language_min_score": 0.0, "min_characters": 40, "min_words": 5,
            "c4_min_sentences": 1, "pii": "mask",
        },
        "decontaminate": {"heldout_min": 1, "heldout_share": 0.1},
        "classify": {"buckets": 256, "epochs": 1, "topics": {"a": ["h/a"], "b": ["h/b"]}},
        "mix": {"tokens": 2_000},
        "pack": {"sequence_length": 16},
        "tokenizer": {"vocabulary": 300, "sample_bytes": 20_000},
    },
    "x",
)  # fmt: skip
Row = dict[str, str | None]
COLUMNS = ("text", "id", "url", "licence", "date", "note")


def _prose(seed: int, edit: str = "") -> str:
    rng = random.Random(seed)
    words = ["stone", "river", "garden", "letters", "of", "and", "house", "stones", "gardens"]
    said = [
        "The " + " ".join([*rng.choices(words, k=6), f"own{seed}x{n}"]) + " of the day."
        for n in range(8)
    ]
    return "\n".join([*said[:4], *([edit] if edit else []), *said[4:]])


TEXTS = [
    *(_prose(n) for n in range(6)),
    *(_prose(n, "And one more line of the day, at the end.") for n in range(3)),
    _prose(7, "Write to jane.doe@mail.org today, she is the one."),
    _prose(8, "A NUL \0 and a mark \ufeff and an emoji \U0001f33f."),
    "Too short.", " ", "", None,
]  # fmt: skip
ROWS = st.builds(
    lambda *values: dict(zip(COLUMNS, values, strict=True)),
    st.sampled_from(TEXTS),
    st.sampled_from([None, "1", "2"]),
    st.sampled_from([None, None, "http://h/a/1", "http://h/b/2", "http://h/c", "no address"]),
    st.sampled_from([None, "MIT", "CC0-1.0"]),
    st.sampled_from([None, "2026"]),
    st.sampled_from([None, "x", "y"]),
)


@dataclass(frozen=True)
class Cut:
    """How rows become files, and files parts."""

    files: int
    shards: int
    seed: int
    group: int
    """rows of a row group"""


WHOLE = Cut(1, 1, 0, 1_000)
CUTS = st.builds(
    Cut, st.integers(1, 6), st.sampled_from([1, 2, 7, 32]), st.integers(1, 99), st.integers(1, 3)
)


def _jsonl(place: Path, rows: list[Row], cut: Cut) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    place.with_suffix(".jsonl.gz").write_bytes(gzip.compress(lines.encode()))


def _parquet(place: Path, rows: list[Row], cut: Cut) -> None:
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    table = pa.Table.from_pylist(rows, schema)
    for name in COLUMNS[1:] if cut.seed % 2 else ():
        if table[name].null_count == len(table):
            table = table.drop_columns(name)
    pq.write_table(table, place.with_suffix(".parquet"), row_group_size=cut.group)


def _files(folder: Path, rows: list[Row], cut: Cut, write: Any) -> None:
    rows = rows[:]
    random.Random(cut.seed).shuffle(rows)
    folder.mkdir(parents=True)
    for n in range(cut.files):
        write(folder / f"{cut.seed}-{n:02d}", rows[n :: cut.files], cut)


KINDS = {"lines": (jsonl, _jsonl), "table": (parquet, _parquet)}


def _run(root: Path, corpora: dict[str, list[Row]], cut: Cut) -> dict[str, str]:
    """All steps from the files to the pack; hashes of what they wrote."""
    read: dict[str, Path] = {}
    kept: dict[str, Path] = {}
    signed: dict[str, Path] = {}
    out, told = root / "out", []
    for name, rows in corpora.items():
        reader, write = KINDS[name]
        kind = reader.__name__.rpartition(".")[2]
        _files(root / name, rows, cut, write)
        entry = {
            "name": name, "kind": kind, "files": ["x"], "licence": f"LicenseRef-{name}", "origin": "x",
            "metadata": ["note"],
        }  # fmt: skip
        told.append({key: entry[key] for key in ("name", "kind", "files", "licence", "origin")})
        for n in range(cut.shards):
            part = selection.instance(n, cut.shards)
            place = root / (f"{name}#{part}" if cut.shards > 1 else name)
            if cut.shards > 7 and not selection.files(place) and n > 1:
                continue  # an empty part is tried with fewer shards
            at = f"{name}.{part}"
            read[at], kept[at] = root / "read" / at, root / "kept" / at
            signed[f"signatures.{at}"] = root / "signatures" / at
            reader.run({"files.000": place}, PARAMS, read[at], source=entry, instance=part)
            filters.run({"text": read[at]}, PARAMS, kept[at])
            signatures.run({"filter": kept[at]}, PARAMS, signed[f"signatures.{at}"])
    counts = {"text": gather.text(read, PARAMS, out / "text", sources=told)}
    (root / "text.json").write_text(json.dumps({"counts": counts["text"]}))
    counts["filter"] = gather.filtered({"text": root / "text.json", **kept}, PARAMS, out / "filter")
    counts["dedup"] = dedup.run({"filter": out / "filter", **signed}, PARAMS, out / "dedup")
    beside = {name: _beside(root / name, name) for name in ("evals", "tasks")}
    inputs = {"dedup": out / "dedup", **beside}
    counts["decontaminate"] = decontaminate.run(inputs, PARAMS, out / "decontaminate")
    inputs = {"decontaminate": out / "decontaminate"}
    counts["classify"] = classify.run(inputs, PARAMS, out / "classify")
    inputs["classify"] = out / "classify"
    counts["mix"] = mix.run(inputs, PARAMS, out / "mix")
    inputs |= {"mix": out / "mix", "tokenizer": root.parent / "tokenizer"}
    try:
        counts["pack"] = pack.run(inputs, PARAMS, out / "pack")
    except ValueError as error:
        counts["pack"] = str(error)
    (out / "counts.json").write_text(json.dumps(counts, sort_keys=True))
    _balanced(counts, sum(map(len, corpora.values())))
    return hashes(out)


def _beside(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True)
    if name == "evals":
        (folder / "a.jsonl").write_text('{"id": "e", "text": "river own5x3 of the day"}\n')
    else:
        for split in ("dev", "test"):
            pl.DataFrame({"id": ["t"], "question": ["own4x1 own4x2"]}).write_parquet(
                folder / f"{split}.parquet"
            )
    return folder


def _balanced(counts: dict[str, Any], came: int) -> None:
    """Every row that came is kept or dropped, from step to step."""
    for step in ("text", "filter", "dedup", "decontaminate", "mix"):
        assert counts[step]["in"] == came
        assert came == counts[step]["kept"] + sum(counts[step]["dropped"].values())
        came = counts[step]["kept"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a tokenizer that knows all texts."""
    root = tmp_path_factory.mktemp("cut")
    texts = [text for text in TEXTS if text]
    ids = [f"{n:03d}" for n in range(len(texts))]
    for name, frame in (
        ("decontaminate/train", pl.DataFrame({"id": ids, "text": texts, "domain": ["d"] * len(ids)})),
        ("mix/mix", pl.DataFrame({"id": ids, "repeats": [1] * len(ids)}, {"id": pl.String, "repeats": pl.Int32})),
        ("tasks/train", pl.DataFrame({"id": ["t"], "question": ["a b"], "trace": ["c"], "answer": ["d"]})),
    ):  # fmt: skip
        (root / name).parent.mkdir()
        frame.write_parquet(root / f"{name}.parquet")
    (root / "decontaminate/heldout.parquet").write_bytes(
        (root / "decontaminate/train.parquet").read_bytes()
    )
    inputs = {name: root / name for name in ("decontaminate", "mix", "tasks")}
    train.run(inputs, PARAMS, root / "tokenizer")
    yield root


SAME = [dict(zip(COLUMNS, values, strict=True)) for values in (
    (TEXTS[0], "1", "http://h/a/1", "MIT", None, None), (TEXTS[0], "2", "http://h/a/1", None, "2026", "x"),
    (TEXTS[0], "1", None, None, None, None), (TEXTS[0], "1", None, "CC0-1.0", None, "y"),
)]  # fmt: skip


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    lines=st.lists(ROWS, max_size=20),
    table=st.lists(ROWS, max_size=20),
    shared=st.lists(ROWS, max_size=5),
    cut=CUTS,
    small=st.booleans(),
)
@example(lines=[], table=[], shared=[], cut=Cut(2, 2, 1, 1), small=False)
@example(lines=[], table=[], shared=SAME, cut=Cut(4, 7, 5, 1), small=True)
@example(lines=[{"text": ""}], table=[], shared=[], cut=Cut(1, 1, 1, 1), small=True)
def test_no_cut_decides_a_byte(
    place: Path, lines: list[Row], table: list[Row], shared: list[Row], cut: Cut, small: bool
) -> None:
    corpora = {"lines": lines + shared, "table": table + shared}
    with pytest.MonkeyPatch.context() as patch:
        if small:
            for limit, value in (
                ("SMALL", 4_000),
                ("GROUP_ROWS", 3),
                ("GROUP_SIZE", 2_000),
                ("FAN_IN", 2),
                ("BATCH", 900),
            ):
                patch.setattr(stream, limit, value)
        with TemporaryDirectory(dir=place) as one, TemporaryDirectory(dir=place) as other:
            whole = _run(Path(one), corpora, WHOLE)
            assert _run(Path(other), corpora, cut) == whole
