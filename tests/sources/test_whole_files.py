"""Kinds in which a file is a document: text, HTML, PDF."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import pytest

from regrow.data.sources.item import Item, Refused
from regrow.data.text.document import Document, convert
from regrow.data.text.record import Record
from regrow.params.sources import Text
from small_pdf import lines as pdf_of
from source_files import made, one, read, reasons, write

FRENCH = "Où est la bibliothèque ? Elle est fermée aujourd'hui, à cause d'un problème électrique.\n"


def test_a_file_is_a_document_named_by_its_path(tmp_path: Path):
    path = write(tmp_path / "docs/a b.md", "# Title\n\nWords.\n")
    item = one(read("text", path, "docs/a b.md"))
    assert (item.text, item.payload) == ("# Title\n\nWords.\n", b"# Title\n\nWords.\n")
    assert (item.name, item.url, item.mime) == ("docs/a b.md", "source://mine/docs/a%20b.md", "text/markdown")  # fmt: skip


def test_packed_files_are_documents_too(tmp_path: Path):
    item = one(made("text", tmp_path / "a.rst.gz", gzip.compress(b"Words.")))
    assert (item.text, item.payload, item.mime, item.name) == ("Words.", b"Words.", "text/x-rst", "a.rst.gz")  # fmt: skip


@pytest.mark.parametrize("codec", ["cp1252", "utf-8-sig", "utf-16"])
def test_charsets_are_found_as_on_pages(codec: str, tmp_path: Path):
    item = one(made("text", tmp_path / "a.txt", FRENCH.encode(codec)))
    assert item.text == FRENCH


@pytest.mark.parametrize(("data", "reason"), [
    (b"", "empty"), (b" \n\t", "empty"), (b"%PDF-1.7 and so on", "not_text"), (bytes(500), "not_text"),
    (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not_text"), (b"x" * 2_000, "too_large"),
    (bytes(range(128, 256)) * 7, "bad_charset"),
])  # fmt: skip
def test_what_is_no_text_is_refused(data: bytes, reason: str, tmp_path: Path):
    refused = one(made("text", tmp_path / "a.txt", data, max_document_bytes=1_000))
    assert (refused.reason, refused.name, refused.place) == (reason, "a.txt", "a.txt")
    assert refused.payload == data[:4_096]


def test_one_stray_nul_makes_no_picture(tmp_path: Path):
    assert reasons(made("text", tmp_path / "a.txt", b"a word\0 and another " * 1)) == ["kept"]


@pytest.mark.parametrize("kind", ["text", "html", "pdf", "code"])
def test_folders_broken_and_exploding_files_are_refused(kind: str, tmp_path: Path):
    (tmp_path / "a.md").mkdir()
    assert reasons(read(kind, tmp_path / "a.md")) == ["unreadable"]
    packed = gzip.compress(FRENCH.encode() * 99)
    assert reasons(made(kind, tmp_path / "b.md.gz", packed[:-20])) == ["cut_short"]
    assert reasons(made(kind, tmp_path / "c.md.gz", b"no gzip at all")) == ["bad_compression"]
    bomb = one(made(kind, tmp_path / "d.md.gz", gzip.compress(b"a" * 3_000_000), max_document_bytes=1_000))  # fmt: skip
    assert (bomb.reason, bomb.value, bomb.threshold) == ("too_large", None, 1_000.0)
    plain = one(made(kind, tmp_path / "e.md", b"a" * 3_000, max_document_bytes=1_000))
    assert (plain.reason, plain.value) == ("too_large", 3_000.0)


def test_names_that_are_not_utf_8_are_told_apart_and_can_be_written(tmp_path: Path):
    names = [os.fsdecode(b"caf\xe9.txt"), os.fsdecode(b"caf\xe8.txt")]
    items: list[Any] = [one(made("text", tmp_path / name, "Words.")) for name in names]
    assert [item.name.encode() for item in items] == [b"caf?.txt"] * 2
    assert items[0].url != items[1].url


@pytest.mark.parametrize(("name", "mime"), [("a.html", "text/html"), ("b.xhtml", "application/xhtml+xml"), ("c.htm.gz", "text/html")])  # fmt: skip
def test_pages_go_to_the_parser_of_pages(name: str, mime: str, tmp_path: Path):
    page = b"<!DOCTYPE html><html xmlns='http://www.w3.org/1999/xhtml'><head><title>T</title></head><body><p>Words of a page.</p></body></html>"  # fmt: skip
    record = one(made("html", tmp_path / name, gzip.compress(page) if name.endswith(".gz") else page))  # fmt: skip
    assert isinstance(record, Record)
    assert (record.headers, record.body, record.kind) == ({"content-type": mime}, page, "resource")
    document = convert(record, Text())
    assert isinstance(document, Document)
    assert (document.url, document.title) == (f"source://mine/{name}", "T")
    assert "Words of a page." in document.text


def test_pdfs_go_to_the_parser_of_pdf(tmp_path: Path):
    record = one(
        made(
            "pdf",
            tmp_path / "a.pdf.gz",
            gzip.compress(
                pdf_of(
                    "Words of a page, more than a few of them, so that it is no scan of a page.",
                    "And a second line.",
                )
            ),
        )
    )
    document = convert(record, Text())
    assert isinstance(document, Document)
    assert document.url == "source://mine/a.pdf.gz" and "And a second line." in document.text
    assert reasons(made("pdf", tmp_path / "b.pdf", b"")) == ["empty"]


def test_text_files_that_packages_ship_are_kept():
    import docutils
    import sklearn

    root = Path(sklearn.__file__).parent / "datasets/descr"
    files = sorted([*root.glob("*.rst"), *Path(docutils.__file__).parent.rglob("*.txt")])
    results = [one(read("text", path)) for path in files]
    assert len(results) > 20
    assert all(isinstance(result, Item) for result in results), [r for r in results if isinstance(r, Refused)]  # fmt: skip
