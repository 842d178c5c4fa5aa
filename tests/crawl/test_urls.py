"""Canonical URLs and links."""

from __future__ import annotations

import string
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.crawl.links import read_page
from regrow.crawl.urls import MAX_LENGTH, canonical


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("HTTP://A.Example:80/x/../y/./z.html#f", "http://a.example/y/z.html"),
        ("http://a.example", "http://a.example/"),
        ("https://a.example:443/?b=2&a=1", "https://a.example/?b=2&a=1"),
        ("http://a.example:8080/", "http://a.example:8080/"),
        ("http://user:pass@a.example/%7euser/%2f", "http://a.example/~user/%2F"),
        ("http://a.example/ä b", "http://a.example/%C3%A4%20b"),
        ("http://a.example/100%", "http://a.example/100%25"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://a.example/..\n/../a/b/..", "http://a.example/a/"),
        ("//b.example/x", None),
        ("mailto:x@a.example", None),
        ("http://[bad/", None),
        ("http://a.example:99999/", None),
        ("http:///x", None),
        ("http://a b/", None),
        ("http://a.example/" + "x" * MAX_LENGTH, None),
    ],
)
def test_canonical(url: str, wanted: str | None) -> None:
    assert canonical(url) == wanted


@given(
    st.text(max_size=60),
    st.sampled_from(["", "http://a.example/x/y.html", "https://b.example/?q=1"]),
)
def test_canonical_never_raises_and_is_idempotent(text: str, base: str) -> None:
    once = canonical(text, base)
    if once is not None:
        assert canonical(once) == once
        assert once.isascii()
        assert "#" not in once


_SEGMENTS = st.lists(
    st.text(string.ascii_letters + "äß ~%/?é日", min_size=1, max_size=6), max_size=4
)


@given(_SEGMENTS)
def test_all_spellings_of_a_path_have_one_form(segments: list[str]) -> None:
    path = "/" + "/".join(quote(s, safe="") for s in segments)
    plain = canonical(f"http://a.example{path}")
    lower = canonical(f"HTTP://A.EXAMPLE:80/q/..{path.replace('%C3', '%c3')}#x")
    assert plain == lower
    assert plain is not None
    assert urlsplit(plain).netloc == "a.example"


def test_links_are_resolved_against_base_and_each_found_once() -> None:
    html = b"""<html><head><base href="/deep/"><link rel=next href=next.html><link rel=stylesheet href=s.css></head>
    <body><a href="a.html#1">1</a><a href="a.html#2">2</a><a href="?q=1">q</a><area href="../up.html">
    <iframe src="frame.html"></iframe><a href="javascript:x()">j</a><a>none</a><a href="">self</a>"""
    page = read_page(html, "http://a.example/x/y.html")
    assert page.links == (
        "http://a.example/deep/next.html",
        "http://a.example/deep/a.html",
        "http://a.example/deep/?q=1",
        "http://a.example/up.html",
        "http://a.example/deep/frame.html",
    )


@given(st.binary(max_size=400))
def test_no_page_breaks_the_link_reader(body: bytes) -> None:
    read_page(body, "http://a.example/")
    read_page(b"<html><meta charset=utf-16><a href='" + body + b"'>", "http://a.example/")
