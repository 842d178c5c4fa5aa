"""The filter step on a table of good and bad rows."""

from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from determinism import run_twice
from regrow.data.filters import step
from regrow.params.data import Filter

PROSE = (
    "The session keeps a list of the objects that have been changed and writes them to the "
    "database when it is flushed. Most programs never call flush themselves, because a commit "
    "does it for them, and so the order of the statements is that of their dependencies. Whoever "
    "wants another order has to flush by hand and then has to look after it alone."
)
PARAMS = SimpleNamespace(filter=Filter())
ROWS = [
    {"id": "a1", "url": "http://x.org/good", "text": f"{PROSE}\n\n\n\n{PROSE.swapcase()[:9]}\n"},
    {"id": "a2", "url": None, "text": PROSE},
    {"id": "a3", "url": "http://x.org/null", "text": None},
    {"id": "a4", "url": "http://x.org/blank", "text": " \n "},
    {"id": "a5", "url": "http://x.org/giant", "text": "x" * 3_000_000},
    {"id": "a6", "url": "http://x.org/casino", "text": PROSE},
    {"id": "a7", "url": "http://x.org/zeros", "text": "\x00" * 500},
    {"id": "a8", "url": "http://x.org/odd", "text": ("\ufffd\u202e\ufeff🙂 " * 200)},
]


def write(folder: Path, rows: list[dict[str, object]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    frame = pl.DataFrame(rows).with_columns(pl.lit("s").alias("source"))
    frame.write_parquet(folder / "documents.parquet")
    return folder


def test_every_row_is_kept_or_dropped_with_a_reason(tmp_path):
    counts = step.run({"text": write(tmp_path / "text", ROWS)}, PARAMS, tmp_path / "out")
    kept = pl.read_parquet(tmp_path / "out/documents.parquet")
    drops = pl.read_parquet(tmp_path / "out/drops.parquet")
    assert kept["id"].to_list() == ["a1", "a2"]
    assert kept["text"][0] == f"{PROSE}\n\n"  # the shouted line went
    assert kept["language"].to_list() == ["en", "en"]
    assert kept.columns == ["id", "url", "text", "source", "language", "language_score"]
    assert dict(zip(drops["id"], drops["reason"], strict=True)) == {
        "a3": "empty",
        "a4": "empty",
        "a5": "length.too_few_words",
        "a6": "url.word",
        "a7": "length.too_few_words",
        "a8": "length.too_few_words",
    }
    assert set(drops["step"]) == {"filter"}
    assert counts == {
        "in": 8,
        "kept": 2,
        "dropped": {"empty": 2, "length.too_few_words": 3, "url.word": 1},
    }


def test_order_of_rows_does_not_matter(tmp_path):
    for name, rows in (("one", ROWS), ("two", ROWS[::-1])):
        step.run({"text": write(tmp_path / name, rows)}, PARAMS, tmp_path / f"{name}-out")
    for file in ("documents.parquet", "drops.parquet"):
        assert (tmp_path / "one-out" / file).read_bytes() == (
            tmp_path / "two-out" / file
        ).read_bytes()


def test_no_rows_give_empty_tables(tmp_path):
    schema = {"id": pl.String, "url": pl.String, "text": pl.String}
    pl.DataFrame([], schema).write_parquet(tmp_path / "documents.parquet")
    counts = step.run({"text": tmp_path}, PARAMS, tmp_path / "out")
    assert counts == {"in": 0, "kept": 0, "dropped": {}}
    assert len(pl.read_parquet(tmp_path / "out/drops.parquet")) == 0


def test_a_missing_column_is_named(tmp_path):
    pl.DataFrame({"id": ["a"], "url": ["u"]}).write_parquet(tmp_path / "documents.parquet")
    with pytest.raises(ValueError, match=r"documents.parquet: no column \['text'\]"):
        step.run({"text": tmp_path}, PARAMS, tmp_path / "out")


def test_all_optional_filters_together_keep_the_account(tmp_path):
    params = SimpleNamespace(
        filter=Filter(languages=["any"], madlad=True, c4=True, fineweb=True, pdf=True, pii="mask")
    )
    mimes = ["text/html", "application/pdf", "text/x-python", None]
    rows = [
        {**row, "id": f"{row['id']}{i}", "mime": mime}
        for row in ROWS
        for i, mime in enumerate(mimes)
    ]
    counts = step.run({"text": write(tmp_path / "text", rows)}, params, tmp_path / "out")
    assert counts["in"] == len(rows) == counts["kept"] + sum(counts["dropped"].values())
    assert counts["kept"] == 1  # `a1` under the mime of C: its lines are short enough for code
    assert counts["dropped"] == {
        "c4.too_few_sentences": 6,
        "code.mean_line": 3,
        "code.too_long": 1,
        "empty": 8,
        "length.too_few_words": 9,
        "url.word": 4,
    }


CODE = """
import sys
from pathlib import Path
from types import SimpleNamespace
from regrow.data.filters import step
from regrow.params.data import Filter
params = SimpleNamespace(
    filter=Filter(
        madlad=True, madlad_min_sentences=1, c4=True, c4_min_sentences=1, fineweb=True, pdf=True, pii="mask"
    )
)
step.run({"text": Path(sys.argv[2])}, params, Path(sys.argv[1]))
"""


def test_same_bytes_under_other_settings(tmp_path):
    rows = [
        {**row, "mime": "text/x-c" if i % 3 == 0 else "text/html"} for i, row in enumerate(ROWS)
    ]
    rows.append({**ROWS[1], "id": "b1", "text": f"{PROSE} Write to ann@mail.org."})
    folder = write(tmp_path / "text", rows)
    assert set(run_twice(CODE, tmp_path, str(folder))) == {"documents.parquet", "drops.parquet"}
