"""Transfer and content codings: what the bytes say counts, whatever a header says."""

from __future__ import annotations

import gzip
import itertools
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.data.web.coding import CodingError, CutShortError, TooLargeError, decoded

PAGE = b"<!DOCTYPE html><p>First of all, " + b"hello world and more. " * 30
LIMIT = 1_000_000


def undone(body: bytes, content: str = "", transfer: str = "", limit: int = LIMIT) -> bytes:
    headers = {"content-encoding": content, "transfer-encoding": transfer}
    return decoded(body, {name: value for name, value in headers.items() if value}, limit)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def chunks(data: bytes, size: int, end: bytes = b"0\r\n\r\n") -> bytes:
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + end


@pytest.mark.parametrize("cuts", [[300], [1], [100, 101, 400], [0, 0]])
def test_every_member_of_a_gzip_body_is_content(cuts: list[int]) -> None:
    places = [0, *cuts, len(PAGE)]
    body = b"".join(gzip.compress(PAGE[a:b]) for a, b in itertools.pairwise(places))
    assert undone(body, "gzip") == PAGE
    assert undone(body + b"\0\0 trailing \x1f\x8b", "x-gzip") == PAGE


def test_members_count_against_one_limit() -> None:
    with pytest.raises(TooLargeError):
        undone(gzip.compress(b"a" * 600_000) * 2, "gzip")
    with pytest.raises(CodingError):
        undone(gzip.compress(PAGE) + gzip.compress(PAGE)[:-30], "gzip")


@pytest.mark.parametrize("name", ["br", "zstd", "deflate", "gzip", "compress", "utf-8", "none", "8bit", "text/html",
                                  "ISO-8859-1", "UTF-8, none", "binary", "identity"])  # fmt: skip
@pytest.mark.parametrize(
    "body",
    [PAGE, b"plain words\n" * 9, "Ünïcode für alle".encode(), b"<p>one \0 NUL</p>", b"x^2 + y"],
)
def test_a_plain_body_is_taken_whatever_coding_is_named(name: str, body: bytes) -> None:
    assert undone(body, name) == body


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd", "x-gzip"])
def test_gzip_and_zlib_are_undone_under_any_name_of_a_coding(name: str) -> None:
    broken_sum = bytearray(gzip.compress(PAGE))
    broken_sum[-6] ^= 5
    for body in (
        gzip.compress(PAGE),
        zlib.compress(PAGE),
        bytes(broken_sum),
        gzip.compress(PAGE)[:-4],
    ):
        assert undone(body, name) == PAGE
    assert undone(raw_deflate(PAGE), "deflate") == PAGE
    assert undone(gzip.compress(gzip.compress(PAGE)), "gzip, gzip") == PAGE


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("br", b"\x1b\x9f\x02\xf8\x8d\x94\x6e\xde\x44\x05\x00\x01" * 9),
        ("zstd", b"\x28\xb5\x2f\xfd" + bytes(40)),
        ("gzip", gzip.compress(PAGE)[:-30]),
        ("gzip", b"\x1f\x8b\x08"),
        ("deflate", zlib.compress(PAGE)[:40]),
    ],
)
def test_what_cannot_be_undone_is_an_error(name: str, body: bytes) -> None:
    with pytest.raises(CodingError):
        undone(body, name)


@pytest.mark.parametrize(
    "text",
    [
        b"December came early.\r\n" + b"Cattle went to the barn.\r\n" * 20,
        b"0\r\nis where counting begins",
        b"42\r\n" + b"is the answer to everything, they say, and more words follow. " * 20,
        b"beef\r\nis what they had",
        b"Dad\r\ncame home",
        b"1984\r\n\r\nIt was a bright cold day in April.",
        b"a\r\nb\r\nc\r\n",
        b"",
        b"no hexadecimal at all",
        b"5;x\r\nhello there",
    ],
)
def test_text_that_begins_like_a_chunk_is_text(text: bytes) -> None:
    assert undone(text, transfer="chunked") == text


@pytest.mark.parametrize(
    "body",
    [
        b"%x\r\n" % len(PAGE) + PAGE[:400],
        chunks(PAGE, 100)[:-200],
        chunks(PAGE, 100, end=b""),
        chunks(PAGE, 50, end=b"3"),
        b"64\r\nwords of a plain text that ends inside its chunk",
    ],
)
def test_a_chunked_body_that_ends_too_early_is_cut_short(body: bytes) -> None:
    with pytest.raises(CutShortError):
        undone(body, transfer="chunked")


@pytest.mark.parametrize(
    "end",
    [b"0\r\n\r\n", b"0\r\n", b"000\r\nX-Sum: 1\r\n\r\n", b"0;last\r\n\r\n", b"0\r\n\r\nrubbish"],
)
def test_whole_chunked_bodies_are_joined(end: bytes) -> None:
    assert undone(chunks(PAGE, 77, end), transfer="chunked") == PAGE
    assert undone(chunks(gzip.compress(PAGE), 77, end), "gzip", "chunked") == PAGE
    assert undone(chunks(gzip.compress(PAGE), 77, end), "", "gzip, chunked") == PAGE


@settings(max_examples=80, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from(["gzip", "deflate", "br", "utf-8, gzip", ""]),
    st.booleans(),
    st.integers(0, 3),
)
def test_any_bytes_are_a_body_or_a_named_error(
    body: bytes, name: str, chunked: bool, wrap: int
) -> None:
    body = [body, gzip.compress(body), zlib.compress(body), chunks(body, 7)][wrap]
    try:
        assert len(undone(body, name, "chunked" if chunked else "", 500)) <= max(500, len(body))
    except (CodingError, TooLargeError) as error:
        assert isinstance(str(error), str)
