"""Canonical URLs and links."""

from __future__ import annotations

import string
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.data.crawl.links import read_page
from regrow.data.crawl.manifest import Manifest, canonical_name
from regrow.data.crawl.urls import MAX_LENGTH, canonical, host_of, target


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
        # Backslashes, as browsers read them; not in a query.
        ("http:\\\\b.example\\x", "http://b.example/x"),
        ("http://b.example\\..\\x?y\\z", "http://b.example/x?y%5Cz"),
        # UTS 46 without transitional mapping: what it maps would be another owner's host.
        ("http://straße.example/", "http://xn--strae-oqa.example/"),
        ("http://STRASSE.example/", "http://strasse.example/"),
        ("http://βόλος.example/", "http://xn--nxasmm1c.example/"),
        ("http://نامه\u200cای.example/", "http://xn--mgba3gch31f060k.example/"),
        ("http://ＢÜCHER.example/", "http://xn--bcher-kva.example/"),
        ("http://bu\u0308cher.example/", "http://xn--bcher-kva.example/"),
        ("http://a。example/", "http://a.example/"),
        ("http://☃.example/", "http://xn--n3h.example/"),
        ("http://XN--Bcher-KVA.example/", "http://xn--bcher-kva.example/"),
        # Escapes in a host are decoded first.
        ("http://ex%61mple.com/", "http://example.com/"),
        ("http://b%C3%BCcher.example/", "http://xn--bcher-kva.example/"),
        ("http://a%2Eexample/", "http://a.example/"),
        ("http://a%2Fexample/", None),
        ("http://a%00.example/", None),
        ("http://a%FF.example/", None),
        ("http://a\u2100.example/", None),
        ("http://\u0300a.example/", None),
        ("http://a..example/", None),
        ("http://a.example./x", "http://a.example/x"),
        ("http://" + "a" * 64 + ".example/", None),
        ("http://" + "a." * 130 + "example/", None),
        # Addresses have one spelling; a zone and port 0 lead nowhere.
        ("http://0x7F.1/", "http://127.0.0.1/"),
        ("http://017700000001/", "http://127.0.0.1/"),
        ("http://127.0.0.1./", "http://127.0.0.1/"),
        ("http://1.2.3.4.5/", None),
        ("http://256.1.1.1/", None),
        ("http://1.2.3.08/", None),
        ("http://a.1/", None),
        ("http://[0:0::1]:80/", "http://[::1]/"),
        ("http://[::FFFF:1.2.3.4]/", "http://[::ffff:102:304]/"),
        ("http://[::1%25eth0]/", None),
        ("http://[::1]x/", None),
        ("http://[::1", None),
        ("http://a.example:0/", None),
        ("http://a.example:²/", None),
        ("http://a.example:0080/", "http://a.example/"),
        ("http://a.example:/", "http://a.example/"),
        ("http://a.example:1:2/", None),
        ("http://a@b@c.example/", "http://c.example/"),
        ("\x00\x1f http://a.example/ \x1f", "http://a.example/"),
        ("http://a.example/" + "x" * 100_000, None),
    ],
)
def test_canonical(url: str, wanted: str | None) -> None:
    assert canonical(url) == wanted


@pytest.mark.parametrize(
    ("link", "wanted"),
    [
        ("\\x\\y", "http://a.example/x/y"),
        ("x\\y", "http://a.example/d/x/y"),
        ("\\\\b.example\\x", "http://b.example/x"),
        ("/\\b.example/x", "http://b.example/x"),
        ("..\\x?q=\\", "http://a.example/x?q=%5C"),
        ("http:x", "http://a.example/d/x"),
        ("", "http://a.example/d/p"),
        ("?", "http://a.example/d/p"),
        ("//[", None),
    ],
)
def test_links_are_resolved_as_browsers_do(link: str, wanted: str | None) -> None:
    assert canonical(link, "http://a.example/d/p") == wanted


@pytest.mark.parametrize(
    ("charset", "query"),
    [
        ("utf-8", "%C3%A9%E6%97%A5"),
        ("utf-16-le", "%C3%A9%E6%97%A5"),
        ("cp1252", "%E9%26%2326085%3B"),
        ("cp932", "%26%23233%3B%93%FA"),
        ("no such codec", "%C3%A9%E6%97%A5"),
    ],
)
def test_the_query_alone_is_in_the_charset_of_the_page(charset: str, query: str) -> None:
    url = canonical("/é?é日", "http://a.example/", charset)
    assert url == f"http://a.example/%C3%A9?{query}"
    assert canonical(url) == url


_PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            ["http:", "HTTPS:", "//", "/", "\\", "@", ":", ":80", ":0", "[", "]", "[::1]", "%", "%2e", "%C3%BC", "?", "#",
             "..", ".", "a.example", "xn--", "xn--bcher-kva", "ß", "ü", "℀", "。", "²", "\udc80", "\x00", "\n", " ", "&", "&amp;"]
        ),
        st.text(max_size=4),
    ),
    max_size=12,
).map("".join)  # fmt: skip


@given(
    _PIECES,
    st.sampled_from(["", "http://a.example/x/y.html", "https://b.example/?q=1"]),
    st.sampled_from(["utf-8", "cp1251", "cp932", "gb18030", "iso2022_jp", "utf-16", "undefined"]),
)
@settings(max_examples=200, derandomize=True)
def test_canonical_never_raises_and_is_idempotent(text: str, base: str, charset: str) -> None:
    once = canonical(text, base, charset)
    if once is not None:
        assert canonical(once) == once
        assert canonical(once, base) == once
        assert once.isascii()
        assert "#" not in once
        assert host_of(once) == canonical_name(host_of(once)) or once.startswith("https")
        assert target(once).startswith("/")


@given(_PIECES)
@settings(max_examples=100, derandomize=True)
def test_no_address_breaks_the_manifest(url: str) -> None:
    part = {"prefix": "/", "source": "s", "title": "t", "licence": "MIT"}
    manifest = Manifest.model_validate({"hosts": {"a.example": {"parts": [part]}}})
    found = manifest.part(url)
    assert (found is None) == (
        (canonical(url) or "").partition("://")[2].partition("/")[0] != "a.example"
    )


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
