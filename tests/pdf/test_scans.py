"""Scanned pages are counted apart, and what OCR read on them is used where it belongs to the PDF."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from layout_pdf import ABOUT, RIVER, Sheet, document, wrapped
from regrow.data.pdf import ocr
from regrow.data.pdf.extract import ScannedError, extract
from regrow.data.sources.kinds import pdf as kind
from regrow.data.text.pdf import PdfError
from regrow.params.sources import Text
from source_files import source, write

READ = "What the machine read on page two, \\(a^2 + b^2\\) included."


def sheet(text: str) -> Sheet:
    return Sheet().lines(72, 700, wrapped(text, 90))


MIXED = document(sheet(ABOUT), Sheet().picture(), sheet(RIVER), Sheet())
SCANNED = document(Sheet().picture(), Sheet().picture().text(300, 20, "- 2 -"))


def rows(pdf: bytes, pages: dict[int, str], **about: Any) -> dict[str, Any]:
    """A row as olmOCR writes it, with our digest."""
    text, spans = "", []
    for page, said in pages.items():
        spans.append([len(text), len(text) + len(said) + 1, page])
        text += f"{said}\n"
    metadata = {"Source-File": "x.pdf", "olmocr-version": "0.4.27", "sha256": hashlib.sha256(pdf).hexdigest(), **about}  # fmt: skip
    return {"id": hashlib.sha1(text.encode()).hexdigest(), "text": text, "source": "olmocr", "added": "2026-11-30",
            "created": "2026-11-30", "metadata": metadata, "attributes": {"pdf_page_numbers": spans}}  # fmt: skip


def lines(*found: Any) -> str:
    return "".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in found)


def test_a_scan_is_a_drop_of_its_own_and_says_its_pages():
    with pytest.raises(ScannedError, match="2 pages, 2 scanned") as caught:
        extract(SCANNED, 9)
    assert caught.value.reason == "scanned" and caught.value.pages == 2
    with pytest.raises(PdfError) as empty:
        extract(document(Sheet()), 9)
    assert empty.value.reason == "empty"


def test_a_small_picture_makes_no_scan():
    with pytest.raises(PdfError) as caught:
        extract(document(Sheet().picture(0, 0, 200, 200)), 9)
    assert caught.value.reason == "empty"


def test_a_document_with_some_scanned_pages_keeps_its_text_and_names_them():
    found = extract(MIXED, 9)
    assert found.text == f"{ABOUT}\n\n{RIVER}"
    assert (found.scanned, found.recognised, found.pages) == ([2], [], 4)
    assert [page for _, _, page in found.spans] == [1, 3]


def test_strips_of_a_scan_count_together():
    strips = Sheet()
    for number in range(8):
        strips.picture(0, 99 * number, 612, 99)
    with pytest.raises(ScannedError):
        extract(document(strips), 9)


def test_ocr_fills_scanned_pages_and_no_others():
    found = extract(MIXED, 9, {2: f"{READ}\n\nIts second line.", 3: "Not this."}, 4)
    assert found.text == f"{ABOUT}\n\n{READ}\n\nIts second line.\n\n{RIVER}"
    assert found.recognised == [2]
    begin, end, page = found.spans[1]
    assert page == 2 and found.text[begin:end].strip() == f"{READ}\n\nIts second line."


def test_ocr_of_another_number_of_pages_is_not_used():
    assert extract(MIXED, 9, {2: READ}, 7).recognised == []
    assert extract(MIXED, 9, {2: READ}, 0).recognised == [2]


def run(tmp_path: Path, files: dict[str, bytes], frozen: str | None = None, **params: Any) -> Any:
    """The step on these files: its counts, documents by name, drops by reason."""
    for name, data in files.items():
        write(tmp_path / "in" / name, data)
    inputs = {"files.000": tmp_path / "in"}
    if frozen is not None:
        inputs["ocr"] = write(tmp_path / "ocr.jsonl", frozen)
    entry = source("pdf", files=("in",)).model_dump()
    settings = type("Params", (), {"text": Text(**params)})()
    counts = kind.run(inputs, settings, tmp_path / "out", source=entry, instance="000of001")
    documents = pl.read_parquet(tmp_path / "out/documents.parquet").to_dicts()
    drops = pl.read_parquet(tmp_path / "out/drops.parquet").to_dicts()
    return counts, {row["url"].rpartition("/")[2]: row for row in documents}, drops


def test_the_step_counts_scans_apart_and_uses_what_ocr_read(tmp_path: Path, capfd: Any):
    frozen = lines(
        rows(MIXED, {2: READ}, **{"pdf-total-pages": 4, "model": "m", "model_revision": "abc"}),
        rows(b"another", {1: "x"}), rows(MIXED, {2: "again"}), "{broken", {"text": "no pages"},
    )  # fmt: skip
    counts, documents, drops = run(tmp_path, {"a.pdf": MIXED, "b.pdf": SCANNED, "c.pdf": b"no"}, frozen)  # fmt: skip
    said = json.loads(documents["a.pdf"]["metadata"])
    assert READ in documents["a.pdf"]["text"]
    assert said["ocr"] == "m@abc" and said["ocr_pages"] == "[2]" and said["scanned_pages"] == "[2]"
    assert json.loads(said["pdf_page_numbers"])[1][2] == 2 and said["pages"] == "4"
    assert counts["dropped"] == {"broken_pdf": 1, "scanned": 1}
    assert [row["value"] for row in drops if row["reason"] == "scanned"] == [2.0]
    about = counts["pdf"]
    assert (about["scanned_files"], about["scanned_pages"], about["ocr_pages"]) == (1, 3, 1)
    assert about["partly_scanned_files"] == 0
    assert (about["ocr_rows"], about["ocr_damaged"], about["ocr_repeated"]) == (5, 2, 1)
    err = capfd.readouterr().err
    assert "mine.ocr: ocr.jsonl, line 4: is not JSON" in err and "line 5: has no `attributes" in err


def test_ocr_turns_a_scan_into_a_document(tmp_path: Path):
    frozen = lines(rows(SCANNED, {1: "The first page, which the machine read.", 2: "The second."}))
    counts, documents, drops = run(tmp_path, {"b.pdf": SCANNED}, frozen)
    assert documents["b.pdf"]["text"] == "The first page, which the machine read.\n\nThe second."
    assert drops == [] and counts["pdf"]["ocr_pages"] == 2


DAMAGED = {
    "is not JSON": "{",
    "has no `text`": {"text": 1},
    "is no object": {"text": "", "metadata": [1]},
    "no parts of its text": {"text": "ab", "attributes": {"pdf_page_numbers": [[0, 9, 1]]}},
    "no parts": {"text": "ab", "attributes": {"pdf_page_numbers": [[1, 2, 1], [0, 1, 2]]}},
    "page 1 twice": {"text": "ab", "attributes": {"pdf_page_numbers": [[0, 1, 1], [1, 2, 1]]}},
    "is none": {"text": "", "metadata": {"sha256": "ABC"}, "attributes": {"pdf_page_numbers": []}},
    "other text": {"text": "ab", "attributes": {"pdf_page_numbers": [[0, 2, 1]], "page_sha256": ["0"]}},
    "is no number": {"text": "", "metadata": {"pdf-total-pages": -1}, "attributes": {"pdf_page_numbers": []}},
}  # fmt: skip


@pytest.mark.parametrize("why", DAMAGED)
def test_a_damaged_row_is_named(why: str, tmp_path: Path):
    found = ocr.load(write(tmp_path / "a.jsonl", lines(DAMAGED[why], rows(MIXED, {2: READ}))))
    assert len(found.faults) == 1 and why in found.faults[0] and "a.jsonl, line 1" in found.faults[0]  # fmt: skip
    assert len(found.places) == 1 and found.counts["damaged"] == 1


def test_rows_are_found_in_any_file_of_a_folder_and_the_first_one_counts(tmp_path: Path):
    write(tmp_path / "o/b.jsonl", lines("", rows(MIXED, {2: "late"}), rows(SCANNED, {1: READ})))
    write(tmp_path / "o/a.jsonl", lines(rows(MIXED, {2: "early"}), {**rows(MIXED, {}), "metadata": {}}))  # fmt: skip
    write(tmp_path / "o/notes.txt", "no rows")
    found = ocr.load(tmp_path / "o")
    assert found.counts == {"rows": 4, "repeated": 1, "unnamed": 1}
    first, second = (found.reading(hashlib.sha256(pdf).hexdigest()) for pdf in (MIXED, SCANNED))
    assert first is not None and first.pages == {2: "early\n"}
    assert second is not None and second.pages == {1: f"{READ}\n"}
    assert found.reading("0" * 64) is None
