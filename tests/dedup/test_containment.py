"""One text as a PDF and as pages: one copy stays, which one is a rule, and what only looks alike stays."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

import small_books as books
from determinism import hashes, run_twice
from regrow.data.dedup import sampling, signatures, step
from regrow.data.tables import stream
from regrow.params.data import Dedup

COLUMNS = ("id", "url", "source", "mime", "text")
SCHEMA = dict.fromkeys(COLUMNS, pl.String)
FULL = books.book("full", books.pages("full", 12))
HALF = books.book("half", books.pages("half", 12), left=0.5)
ALONE = books.book("alone", books.pages("alone", 6), left=0.0)
OTHERS = [
    books.row(f"source://books/other/{n}.html", " ".join(chapter), books.HTML)
    for n, chapter in enumerate(books.pages("other", 8))
]
ROWS = [*FULL, *HALF, *ALONE, *OTHERS]


def names(table: pl.DataFrame) -> set[str]:
    return {url.removeprefix("source://books/") for url in table["url"]}


def run(
    folder: Path, rows: list[dict[str, str]], containment: dict[str, Any] | None, parts: int = 0
) -> tuple[dict[str, Any], pl.DataFrame, pl.DataFrame]:
    """The step on rows, with signatures of so many parts, or without."""
    folder.mkdir(parents=True)
    params = SimpleNamespace(dedup=Dedup(containment=containment))
    pl.DataFrame(rows, SCHEMA).write_parquet(folder / "documents.parquet")
    inputs = {"filter": folder}
    for part in range(parts):
        place = folder / f"{part}"
        place.mkdir()
        signatures.write(iter(rows[part::parts]), params.dedup, place / "signatures.parquet")
        inputs[f"signatures.{part}"] = place
    counts = step.run(inputs, params, folder / "out")
    found = (pl.read_parquet(folder / f"out/{name}.parquet") for name in ("documents", "drops"))
    return counts, *found


def test_pages_stay_where_they_cover_the_pdf_and_the_pdf_where_they_do_not(tmp_path: Path) -> None:
    counts, kept, drops = run(tmp_path / "a", ROWS, {})
    assert counts["dropped"] == {"in_pages": 1, "in_pdf": 6}
    assert counts["in"] == counts["kept"] + 7 == len(ROWS)
    assert names(drops) == {"full.pdf", *(f"half/{n}.html" for n in range(6))}
    by_id = {row["id"]: row for row in ROWS}
    for row in drops.iter_rows(named=True):
        held, by = by_id[row["id"]]["url"], by_id[row["detail"]]["url"]
        assert row["value"] >= row["threshold"] == (0.75 if row["reason"] == "in_pages" else 0.8)
        assert by.startswith("source://books/full/") if held.endswith("full.pdf") else by.endswith("half.pdf")  # fmt: skip
        assert row["detail"] in kept["id"]


def test_the_pdf_stays_where_the_recipe_says_so(tmp_path: Path) -> None:
    counts, kept, drops = run(tmp_path / "a", ROWS, {"keep": "pdf"})
    assert counts["dropped"] == {"in_pdf": 18}
    assert {"full.pdf", "half.pdf", "alone.pdf"} <= names(kept)
    assert {f"full/{n}.html" for n in range(12)} <= names(drops)


def test_without_the_setting_both_copies_stay(tmp_path: Path) -> None:
    """MinHash compares whole documents, and a book is never like its chapter."""
    counts, kept, _ = run(tmp_path / "a", ROWS, None)
    assert counts["dropped"] == {} and kept.height == len(ROWS)
    frame = pl.read_parquet_schema(_signed(tmp_path / "s", None))
    assert "sample" not in frame and "sample" in pl.read_parquet_schema(_signed(tmp_path / "t", {}))


def _signed(folder: Path, containment: dict[str, Any] | None) -> Path:
    folder.mkdir()
    signatures.write(iter(ROWS[:3]), Dedup(containment=containment), folder / "s.parquet")
    return folder / "s.parquet"


@pytest.mark.parametrize(
    ("noise", "gone"), [(0.0, True), (0.01, True), (0.03, True), (0.12, False)]
)  # fmt: skip
def test_hyphens_are_borne_until_too_few_runs_of_five_words_are_left(
    tmp_path: Path, noise: float, gone: bool
) -> None:
    rows = books.book("noisy", books.pages("noisy", 10, 700), noise=noise)
    counts, _, _ = run(tmp_path / "a", [*rows, *OTHERS], {})
    assert counts["dropped"] == ({"in_pages": 1} if gone else {})


def test_short_pages_and_pages_of_one_form_stay(tmp_path: Path) -> None:
    """A page of fewer n-grams than the limit, and one that shares half of its text with the PDF."""
    chapters = books.pages("form", 5)
    half = [*chapters[0][:200], *books.words("own text", 250)]
    rows = [
        books.row("source://books/form.pdf", books.printed(chapters, 0.0, "form"), books.PDF),
        books.row("source://books/short.html", " ".join(chapters[2][:53]), books.HTML),
        books.row("source://books/long.html", " ".join(chapters[1][:54]), books.HTML),
        books.row("source://books/half.html", " ".join(half), books.HTML),
    ]
    _, _, drops = run(tmp_path / "a", rows, {})
    assert names(drops) == {"long.html"}


def test_a_copy_of_what_goes_names_it(tmp_path: Path) -> None:
    """An exact copy is dropped for its twin, and the twin for its pages."""
    twin = FULL[0] | {"id": "f" * 32, "url": FULL[0]["url"] + "?again"}
    counts, _, drops = run(tmp_path / "a", [*FULL, twin], {})
    assert counts["dropped"] == {"exact": 1, "in_pages": 1}
    exact = drops.filter(reason="exact").row(0, named=True)
    assert exact["detail"] in drops.filter(reason="in_pages")["id"]


def test_neither_order_nor_parts_nor_batches_decide(tmp_path: Path, monkeypatch: Any) -> None:
    copies = [row | {"id": f"{n:032d}", "url": row["url"] + "x"} for n, row in enumerate(FULL)]
    rows = [*ROWS, *copies]
    run(tmp_path / "0", rows, {})
    wanted = hashes(tmp_path / "0/out")
    mixed = random.Random(4).sample(rows, len(rows))
    for parts in (1, 3):
        run(tmp_path / f"parts{parts}", mixed, {}, parts)
        assert hashes(tmp_path / f"parts{parts}/out") == wanted
    monkeypatch.setattr(sampling, "HELD", 700)
    monkeypatch.setattr(sampling, "_HITS", 50)
    monkeypatch.setattr(signatures, "_GROUP", 1)
    monkeypatch.setattr(signatures, "_BATCH", 7)
    monkeypatch.setattr(stream, "GROUP_ROWS", 5)
    run(tmp_path / "small", mixed, {}, 2)
    assert hashes(tmp_path / "small/out") == wanted


def test_a_page_is_looked_for_in_the_likeliest_pdfs_only(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(sampling, "MOST", 1)
    chapters = books.pages("two", 6)
    rows = [
        books.row("source://books/all.pdf", books.printed(chapters, 0.0, "a"), books.PDF),
        books.row("source://books/rest.pdf", books.printed(chapters[3:], 0.08, "b"), books.PDF),
        *(books.row(f"source://books/{n}.html", " ".join(c), books.HTML) for n, c in enumerate(chapters)),
    ]  # fmt: skip
    _, _, drops = run(tmp_path / "a", rows, {"share": 0.5, "cover": 0.5})
    assert names(drops) == {"all.pdf"}
    monkeypatch.setattr(sampling, "MOST", 2)
    _, _, drops = run(tmp_path / "b", rows, {"share": 0.5, "cover": 0.5})
    assert names(drops) == {"all.pdf", "rest.pdf"}


CODE = """
import sys
from pathlib import Path
from types import SimpleNamespace
from regrow.data.dedup import step
from regrow.params.data import Dedup
step.run({"filter": Path(sys.argv[2])}, SimpleNamespace(dedup=Dedup(containment={})), Path(sys.argv[1]))
"""


def test_same_bytes_in_other_circumstances(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    pl.DataFrame(ROWS, SCHEMA).write_parquet(tmp_path / "in/documents.parquet")
    assert len(run_twice(CODE, tmp_path, str(tmp_path / "in"))) == 2
