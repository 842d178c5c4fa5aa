"""Other people's WARC files: what one reader cannot parse another reads; the rest is counted."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regrow.data.text.archive import Record, Trouble, read
from warc_files import WORDS, html, members, response, run


def many(*names: str) -> list[bytes]:
    return [response(f"/{n}", html(f"{WORDS} {n}")) for n in names]


def test_file_that_ends_in_the_middle_keeps_what_is_whole(tmp_path: Path) -> None:
    data = members(*many("1", "2", "3"))
    cut = data[: len(members(*many("1", "2"))) + len(members(*many("3"))) // 2]
    got = run(tmp_path, {"cut.warc.gz": cut, "good.warc.gz": members(*many("4"))})
    assert set(got.documents) == {"/1", "/2", "/4"}
    assert got.reason("/3") == "unreadable_record"
    assert got.counts["second_reader"] + got.counts["unreadable_files"] >= 1


def test_one_gzip_member_for_the_whole_file(tmp_path: Path) -> None:
    got = run(tmp_path, {"one.warc.gz": gzip.compress(b"".join(many("1", "2", "3")), mtime=0)})
    assert set(got.documents) == {"/1", "/2", "/3"}


def test_uncompressed_file(tmp_path: Path) -> None:
    got = run(tmp_path, {"plain.warc": b"".join(many("1", "2"))})
    assert set(got.documents) == {"/1", "/2"}


def test_wrong_content_length_spoils_its_record_only(tmp_path: Path) -> None:
    one, three = many("1", "3")
    two = response("/2", html(), length=120, http="Content-Length: 600\r\n")
    got = run(tmp_path, {"bad.warc.gz": members(one, two, three)})
    assert set(got.documents) == {"/1", "/3"}
    assert got.reason("/2") == "unreadable_record"
    assert got.counts["second_reader"] >= 1


def test_no_warc_at_all_is_a_row_that_names_the_file(tmp_path: Path) -> None:
    files = {
        "noise.warc.gz": bytes(range(256)) * 40,
        "text.warc.gz": gzip.compress(b"hello " * 500, mtime=0),
        "empty.warc.gz": b"",
        "good.warc.gz": members(*many("1")),
    }
    got = run(tmp_path, files)
    assert set(got.documents) == {"/1"}
    assert got.counts["unreadable_files"] >= 1
    assert got.reason("") == "unreadable_record"
    assert "noise.warc.gz" in got.drops[""]["detail"] or "text.warc.gz" in got.drops[""]["detail"]


def test_arc_files_are_read_by_the_second_reader(tmp_path: Path) -> None:
    body = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + html()
    info = b"1 0 test\nURL IP-address Archive-date Content-type Archive-length\n"
    arc = (
        f"filedesc://x.arc 0.0.0.0 20200101000000 text/plain {len(info)}\n".encode()
        + info
        + b"\n"
        + f"http://a.example/arc 1.2.3.4 20200101000000 text/html {len(body)}\n".encode()
        + body
        + b"\n"
    )
    got = run(tmp_path, {"old.warc": arc})
    assert set(got.documents) == {"/arc"}
    assert got.counts["second_reader"] == 1


def test_resource_revisit_and_duplicates(tmp_path: Path) -> None:
    records = [
        response("/resource", html(), kind="resource"),
        response("/again", b"", kind="revisit"),
        response("/twice", html("twice " * 60), name="t1"),
        response("/twice", html("twice " * 60), name="t2"),
    ]
    got = run(tmp_path, {"x.warc.gz": members(*records)})
    assert set(got.documents) == {"/resource", "/twice"}
    assert (got.reason("/again"), got.reason("/twice")) == ("revisit", "recorded_twice")


@pytest.mark.parametrize("name", ["good", "truncated", "bad-length", "one-member"])
def test_the_committed_foreign_files(name: str) -> None:
    path = Path(__file__).parents[2] / f"sources/foreign/{name}.warc.gz"
    items = list(read(path, 8_000_000))
    whole = [i.record_id[-3:-1] for i in items if isinstance(i, Record) and not i.short]
    assert whole == {
        "good": ["01", "02", "03", "04"],
        "truncated": ["05"],
        "bad-length": ["07", "09"],
        "one-member": ["10", "11"],
    }[name]  # fmt: skip
    assert any(isinstance(i, Trouble) for i in items) == (name in ("truncated", "bad-length"))
    fatal = [i.reader for i in items if isinstance(i, Trouble) and i.fatal]
    assert fatal == (["members"] if name == "bad-length" else [])


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_no_damage_makes_the_reader_raise_or_repeat(tmp_path: Path, data: st.DataObject) -> None:
    plain = bytearray(members(*many("1", "2", "3")))
    for _ in range(data.draw(st.integers(1, 4))):
        plain[data.draw(st.integers(0, len(plain) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "x.warc.gz"
    path.write_bytes(bytes(plain[: data.draw(st.integers(0, len(plain)))]))
    urls = [(i.record_id, i.url) for i in read(path, 1_000_000) if isinstance(i, Record)]
    assert len(urls) == len(set(urls))
