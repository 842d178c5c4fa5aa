"""Web archives as a source: WARC, ARC, WET, packed by gzip or Zstandard, whole or broken."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import zstandard

from regrow.data.sources.item import Refused
from regrow.data.text.document import Document, convert
from regrow.data.text.record import Record
from regrow.params.sources import Text
from source_files import made, one, read, reasons
from warc_files import WORDS, html, members, response

RECORDS = [response(f"/{n}", html(f"Page {n}. " * 40)) for n in range(20)]


def frames(records: list[bytes]) -> bytes:
    return b"".join(map(zstandard.ZstdCompressor(write_checksum=True).compress, records))


@pytest.mark.parametrize(("name", "data"), [
    ("a.warc", b"".join(RECORDS)), ("a.warc.gz", members(*RECORDS)), ("b.warc.gz", gzip.compress(b"".join(RECORDS))),
    ("a.warc.zst", frames(RECORDS)), ("b.warc.zst", zstandard.compress(b"".join(RECORDS))),
])  # fmt: skip
def test_every_packing_gives_every_page(name: str, data: bytes, tmp_path: Path):
    results = made("warc", tmp_path / name, data)
    assert [r.url for r in results if isinstance(r, Record)] == [f"http://a.example/{n}" for n in range(20)]  # fmt: skip
    assert len(results) == 20


def test_zstandard_with_a_dictionary(tmp_path: Path):
    words = zstandard.train_dictionary(2_000, RECORDS * 5)
    raw = words.as_bytes()
    packer = zstandard.ZstdCompressor(dict_data=words)
    data = b"\x5d\x2a\x4d\x18" + len(raw).to_bytes(4, "little") + raw + b"".join(map(packer.compress, RECORDS))  # fmt: skip
    assert reasons(made("warc", tmp_path / "a.warc.zst", data)) == ["kept"] * 20


def test_wet_records_are_plain_text(tmp_path: Path):
    text = "Des mots d'une page, déjà lus."
    head = (
        "WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: http://a.example/x\r\nWARC-Record-ID: <urn:1>\r\n"
        f"Content-Type: text/plain\r\nContent-Length: {len(text.encode())}\r\n\r\n"
    )
    data = gzip.compress(head.encode() + text.encode() + b"\r\n\r\n")
    record = one(made("warc", tmp_path / "a.warc.wet.gz", data))
    document = convert(record, Text())
    assert isinstance(document, Document)
    assert (document.text, document.mime, document.url) == (text, "text/plain", "http://a.example/x")  # fmt: skip


def test_arc_files(tmp_path: Path):
    body = b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + html()
    head = b"filedesc://a.arc 0.0.0.0 20050101000000 text/plain 75\n1 0 IA\nURL IP-address Archive-date Content-type Archive-length\n\n"
    line = b"http://a.example/old 1.2.3.4 20050101000000 text/html %d\n" % len(body)
    record = one(made("warc", tmp_path / "a.arc.gz", gzip.compress(head) + gzip.compress(line + body + b"\n")))  # fmt: skip
    assert (record.url, record.status) == ("http://a.example/old", 200)


@pytest.mark.parametrize("name", ["a.warc.gz", "a.warc.zst", "a.warc"])
def test_a_truncated_archive_gives_the_records_before(name: str, tmp_path: Path):
    data = {"gz": members, "zst": lambda *r: frames([*r]), "warc": lambda *r: b"".join(r)}[name.rpartition(".")[2]](*RECORDS)  # fmt: skip
    results = made("warc", tmp_path / name, data[: len(data) // 2 + 150])
    whole = [r for r in results if isinstance(r, Record) and not r.short]
    assert [r.url for r in whole] == [f"http://a.example/{n}" for n in range(len(whole))]
    assert 8 <= len(whole) <= 10
    (rest,) = [r for r in results if r not in whole]
    assert isinstance(rest, Refused | Record)
    if isinstance(rest, Refused):
        assert rest.reason == "unreadable_record" and "cut_short" in rest.detail
        assert str(tmp_path) not in rest.detail


def test_what_is_no_archive_is_refused_once(tmp_path: Path):
    results = made("warc", tmp_path / "a.warc", bytes(2_000))
    assert reasons(results) == ["unreadable_record"]
    assert reasons(made("warc", tmp_path / "b.warc.zst", b"garbage " * 50)) == ["unreadable_record"]
    assert made("warc", tmp_path / "c.warc", b"") == []
    (tmp_path / "d.warc.gz").mkdir()
    assert reasons(read("warc", tmp_path / "d.warc.gz")) == ["unreadable"]


def test_that_an_id_came_before_is_not_said(tmp_path: Path):
    results = made("warc", tmp_path / "a.warc", RECORDS[0] + RECORDS[0])
    assert [r.repeated for r in results if isinstance(r, Record)] == [False, False]


def test_long_pages_are_cut_and_marked(tmp_path: Path):
    data = response("/long", html("word " * 30_000))
    record = one(made("warc", tmp_path / "a.warc", data, max_document_bytes=1_000))
    assert record.oversize and len(record.body) == 1_000


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_an_archive_that_ends_in_the_head_of_a_record_says_so(tmp_path: Path, packed: bool):
    """Wherever a copy stopped, a record is whole, or there is a trace of it."""
    records = [response(f"/p{n}", html(f"{n} {WORDS}"), name=f"r{n}") for n in range(2)]
    first, second = (members(record) if packed else record for record in records)
    name = "a.warc.gz" if packed else "a.warc"
    end = len(second) - (8 if packed else 4)
    for size in [1, 6, 12, 40, 80, end // 2, end - 10]:
        found = made("warc", tmp_path / name, first + second[:size])
        assert len(found) == 2, size
        assert isinstance(found[1], Refused) or found[1].short > 0, size
    assert reasons(made("warc", tmp_path / name, first + second)) == ["kept", "kept"]
    assert reasons(made("warc", tmp_path / name, first)) == ["kept"]
