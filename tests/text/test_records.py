"""Records as other crawlers write them: every one is a document or a row, whatever its headers say."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regrow.data.text.archive import Record, Trouble, read
from regrow.data.text.document import Document, Dropped, convert
from regrow.params.sources import Text
from warc_files import WORDS, Result, html, members, pages, response, run

ADDRESS = b"http://a.example/x"


def both(tmp_path: Path, first: bytes, **more: bytes) -> Result:
    """A record with something wrong, and a good one behind it, in an uncompressed file."""
    return run(tmp_path, {"x.warc": first + response("/good", html()), **more})


@pytest.mark.parametrize(
    "address",
    ["http://[broken/", "https://[::1", "http://a℀.example/", "http://[v1.x/"],
)
@pytest.mark.parametrize("kind", ["response", "resource"])
def test_an_address_that_is_none_is_a_row(tmp_path: Path, address: str, kind: str) -> None:
    broken = response("/x", html(), kind=kind).replace(ADDRESS, address.encode())
    got = both(tmp_path, broken)
    assert set(got.documents) == {"/good"}
    assert got.reason(address) == "bad_address"
    assert got.counts["in"] == 2


@pytest.mark.parametrize(
    "address",
    [
        b"http://a.example/caf\xe9",
        b"urn:x",
        b"",
        b"http://a.example/\xed\xa0\x80",
        b"//",
        b"http://a.example:port/",
    ],
)
def test_odd_addresses_are_documents(tmp_path: Path, address: bytes) -> None:
    got = both(tmp_path, response("/x", html()).replace(ADDRESS, address))
    assert got.counts["kept"] == got.counts["in"] == 2


@pytest.mark.parametrize(
    "number", ["²", "9" * 5_000, "0x10", "-5", "١٢", "1 000", "+3", "", "1e3", "@@"]
)
def test_a_length_that_is_no_number_is_none(tmp_path: Path, number: str) -> None:
    first = response("/x", html(), http=f"Content-Length: {number}\r\n").replace(b"@@", b"\xb2\xb3")
    assert set(both(tmp_path / "plain", first).documents) == {"/x", "/good"}
    one_member = gzip.compress(first + response("/good", html()), mtime=0)
    assert set(run(tmp_path / "packed", {"x.warc.gz": one_member}).documents) == {"/x", "/good"}


@pytest.mark.parametrize("status", ["20²", "2000", "abc", "9" * 4_400, ""])
def test_a_status_that_is_no_number_spoils_its_record_only(tmp_path: Path, status: str) -> None:
    first = response("/x", html(), status=200).decode("latin-1")
    block = first.partition("\r\n\r\n")[2].removesuffix("\r\n\r\n")
    changed = block.replace("HTTP/1.1 200 X", f"HTTP/1.1 {status} X", 1)
    whole = first.replace(block, changed).replace(
        f"Content-Length: {len(block)}", f"Content-Length: {len(changed)}"
    )
    got = both(tmp_path, whole.encode("latin-1"))
    assert got.reason("/x") == "http_status"
    assert set(got.documents) == {"/good"}


def test_two_records_with_one_id_are_two_pages(tmp_path: Path) -> None:
    one, two = html("one " * 60), html("two " * 60)
    records = [
        response("/a", one, name="same"),
        response("/a", two, name="same"),
        response("/b", one, name="same"),
        response("/a", one, name="same"),
        response("/none", one).replace(b"WARC-Record-ID: <urn:test:/none>\r\n", b""),
        response("/none", two).replace(b"WARC-Record-ID: <urn:test:/none>\r\n", b""),
    ]
    got = pages(tmp_path, *records)
    assert (got.counts["in"], got.counts["kept"], got.counts["repeated_ids"]) == (6, 5, 3)
    assert got.counts["dropped"] == {"recorded_twice": 1}


def test_a_second_reader_repeats_nothing(tmp_path: Path) -> None:
    same = [response(f"/{n}", html(f"{WORDS}{n}"), name="same") for n in range(4)]
    short = response("/short", html(), http="Content-Length: 9999\r\n")
    path = tmp_path / "x.warc.gz"
    path.write_bytes(members(*same[:2], short, *same[2:]) + gzip.compress(b"rubbish" * 99)[:-9])
    found = [item.url[-2:] for item in read(path, 100_000) if isinstance(item, Record)]
    assert sorted(found) == ["/0", "/1", "/2", "/3", "rt"]


@pytest.mark.parametrize("control", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85"])
def test_a_control_character_in_a_header_begins_no_header(tmp_path: Path, control: str) -> None:
    first = response(
        "/x", html(), None, http=f"X: a{control}content-encoding: br\r\nContent-Type: text/html\r\n"
    )
    assert set(both(tmp_path, first).documents) == {"/x", "/good"}


def test_header_lines_that_end_in_lf_alone_end_where_they_do(tmp_path: Path) -> None:
    block = b"HTTP/1.1 200 OK\nContent-Type: text/plain\n\nfirst words\r\n\r\nlast words"
    head = response("/x", b"").partition(b"\r\n\r\n")[0].decode().rsplit("Content-Length", 1)[0]
    record = f"{head}Content-Length: {len(block)}\r\n\r\n".encode() + block + b"\r\n\r\n"
    assert both(tmp_path, record).documents["/x"]["text"] == "first words\n\nlast words"


def test_roles_of_our_own_crawl_are_rows(tmp_path: Path) -> None:
    got = pages(
        tmp_path,
        response("/list.txt", WORDS.encode(), "text/plain", warc="Regrow-Role: sitemap\r\n"),
        response("/not-found", html(), warc="Regrow-Role: robots\r\n"),
        response("/robots.txt", WORDS.encode(), "text/plain"),
        response("/page", html(), warc="Regrow-Role: page\r\n"),
    )
    assert [got.reason(p) for p in ("/list.txt", "/not-found", "/robots.txt")] == [
        "sitemap",
        "robots",
        "robots_txt",
    ]
    assert set(got.documents) == {"/page"}


def test_every_file_is_read_or_a_row(tmp_path: Path) -> None:
    files = {
        "A.WARC.GZ": members(response("/upper", html())),
        "x.warc.zst": b"\x28\xb5\x2f\xfd",
        "notes.txt": b"x",
        "fetches.parquet": b"ours",
    }
    got = run(tmp_path, files)
    assert set(got.documents) == {"/upper"}
    assert got.counts["dropped"] == {"unknown_archive": 2}
    assert got.counts["files"] == 1


def test_text_that_another_tool_made_is_read_and_parts_of_records_are_rows(tmp_path: Path) -> None:
    wet = response("/wet", WORDS.encode(), "text/plain", kind="resource").replace(
        b"WARC-Type: resource", b"WARC-Type: conversion"
    )
    got = pages(
        tmp_path,
        wet,
        response("/part", html(), warc="WARC-Segment-Number: 1\r\n"),
        response("/rest", html(), kind="continuation", warc="WARC-Segment-Number: 2\r\n"),
    )
    assert set(got.documents) == {"/wet"}
    assert {got.reason("/part"), got.reason("/rest")} == {"unreadable_record"}


def test_a_chunked_body_that_is_cut_off_is_a_row(tmp_path: Path) -> None:
    body = html()
    first = response(
        "/cut", b"%x\r\n" % len(body) + body[:400], http="Transfer-Encoding: chunked\r\n"
    )
    assert both(tmp_path, first).reason("/cut") == "unreadable_record"


HEADERS = st.sampled_from(
    ["Content-Length: ²", "Content-Encoding: gzip", "Transfer-Encoding: chunked", "Content-Type: text/html; charset=undefined",
     "Content-Type: application/pdf", "Content-Type: application/xhtml+xml", "X: \x0b", " folded", ":", "Content-Type: */*"]
)  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_no_damage_to_an_archive_loses_a_record_without_a_row(
    tmp_path: Path, data: st.DataObject
) -> None:
    lines = "".join(f"{line}\r\n" for line in data.draw(st.lists(HEADERS, max_size=4)))
    records = [
        response("/1", html()),
        response("/2", html(), None, http=lines),
        response("/3", html()),
    ]
    plain = bytearray(b"".join(records))
    for _ in range(data.draw(st.integers(0, 4))):
        plain[data.draw(st.integers(0, len(plain) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "x.warc"
    path.write_bytes(bytes(plain[: data.draw(st.integers(0, len(plain)))]))
    items = list(read(path, 100_000))
    for item in items:
        if isinstance(item, Record):
            made = convert(item, Text(max_html_bytes=100_000))
            assert isinstance(made, Document | Dropped)
            made.url.encode()
        else:
            assert isinstance(item, Trouble)
