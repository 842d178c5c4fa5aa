"""Links and directives of a page, read in the charset in which the text step reads it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.data.crawl.links import read_page, refresh
from regrow.data.crawl.tags import Tag, start_tags, unescaped

AT = "http://a.example/d/p"


def links(body: bytes, content_type: str = "text/html") -> tuple[str, ...]:
    return read_page(body, AT, content_type).links


def names(page: str, xml: bool = False) -> list[str]:
    return [tag.name for tag in start_tags(page, xml)]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("<a href='/café'>".encode("latin-1"), "text/html; charset=iso-8859-1"),
        ("<meta charset=utf-8>\xff<a href='/café'>".encode("latin-1").replace(b"caf\xe9", "café".encode()), "text/html"),
        ("<meta charset=utf-8><a href='/café'>".encode() + b"<p>\xff" * 1, "text/html"),
        ("<script charset='iso-8859-1' src=a></script><meta charset=utf-8><a href='/café'>".encode(), "text/html"),
        ("<!-- charset=iso-8859-1 --><meta charset=utf-8><a href='/café'>".encode(), "text/html"),
        ("<a href='/café'>".encode(), "text/html; charset=no-such-charset"),
        ("<!--" + "x" * 3_000 + "--><meta charset=windows-1252><a href='/café'>", "text/html; charset=windows-1252"),
        ("<a href='/café'>".encode("utf-16"), "text/html"),
        ("<a href='/café'>".encode("utf-16-le"), "text/html; charset=utf-16le"),
        ("<meta charset=punycode><a href='/café'>".encode(), "text/html"),
        ("<meta charset=undefined><a href='/café'>".encode(), "text/html"),
        (b"<meta charset=idna><a href='/caf\xc3\xa9'>", "text/html; charset=unicode-escape"),
    ],
)  # fmt: skip
def test_addresses_are_in_the_charset_of_the_page(body: bytes | str, content_type: str) -> None:
    data = body if isinstance(body, bytes) else body.encode("cp1252")
    assert links(data, content_type) == ("http://a.example/caf%C3%A9",)


@pytest.mark.parametrize(
    ("codec", "label", "query"),
    [
        ("cp1251", "windows-1251", "%F6%E5%ED%E0"),
        ("koi8-r", "koi8-r", "%C3%C5%CE%C1"),
        ("utf-8", "utf-8", "%D1%86%D0%B5%D0%BD%D0%B0"),
        ("utf-16", "utf-16", "%D1%86%D0%B5%D0%BD%D0%B0"),
    ],
)
def test_a_query_is_escaped_in_the_charset_of_the_page_and_a_path_in_utf8(
    codec: str, label: str, query: str
) -> None:
    words = "Здесь есть немного русского текста, чтобы кодировка была ясна. "
    body = f"<p>{words}</p><a href='/цена?q=цена'>".encode(codec)
    assert links(body, f"text/html; charset={label}") == (
        f"http://a.example/%D1%86%D0%B5%D0%BD%D0%B0?q={query}",
    )


def test_a_character_that_the_charset_lacks_is_written_as_a_reference() -> None:
    body = "<meta charset=windows-1251><p>Немного русского текста для ясности</p><a href='?q=&#26085;'>".encode(
        "cp1251"
    )
    assert links(body) == ("http://a.example/d/p?q=%26%2326085%3B",)


@pytest.mark.parametrize(
    ("body", "content_type", "noindex"),
    [
        (b"<meta name=robots content=noindex>", "text/html", True),
        (b"<META NAME='ROBOTS' CONTENT='NOINDEX, FOLLOW'/>", "text/html", True),
        ("<meta name=robots content=noindex>".encode("utf-16"), "text/html", True),
        (b"\0<meta name=robots content=noindex>", "text/html", True),
        (b"<meta content=noindex name=robots>", "text/html", True),
        (b"<meta name=robots content=index><meta name=robots content=noindex>", "text/html", True),
        (b"<noscript><meta name=robots content=noindex></noscript>", "text/html", True),
        (b"<title/><meta name=robots content=noindex>", "application/xhtml+xml", True),
        (b"<title>never closed<meta name=robots content=noindex>", "text/html", True),
        (b"<div>" * 5_000 + b"<meta name=robots content=noindex>", "text/html", True),
        (b"<!-- <meta name=robots content=noindex> -->", "text/html", False),
        (b"<script>'<meta name=robots content=noindex>'</script>", "text/html", False),
        (b"<textarea><meta name=robots content=noindex></textarea>", "text/html", False),
        (b"<meta name=description content=noindex>", "text/html", False),
        (b"<p title='<meta name=robots content=noindex>'>", "text/html", False),
    ],
)
def test_noindex_is_seen_where_a_browser_sees_it(
    body: bytes, content_type: str, noindex: bool
) -> None:
    assert read_page(body, AT, content_type).noindex is noindex


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("<a href=/x>", ["/x"]), ("<A HREF = '/x' >", ["/x"]), ("<a\nhref\n=\n\"/x\">", ["/x"]),
        ("<a href=/x/>", ["/x/"]), ("<a/href=/x>", ["/x"]), ("<a href=/x href=/y>", ["/x"]),
        ("<a data-href=/y href=/x>", ["/x"]), ("<a title='>' href=/x>", ["/x"]),
        ("<a href='/x?a=1&amp;b=2&copy=3&#x26;d'>", ["/x?a=1&b=2&copy=3&d"]), ("<a href='/&eacute;'>", ["/%C3%A9"]),
        ("<a rel=nofollow href=/y>", []), ("<a rel='ugc NoFollow' href=/y>", []), ("<a rel=nofollowing href=/x>", ["/x"]),
        ("<link rel=next href=/x><link rel=stylesheet href=/s><link rel='prev nav' href=/z>", ["/x", "/z"]),
        ("<frame src=/x><iframe src=/y>fallback</iframe><area href=/z>", ["/x", "/y", "/z"]),
        ("<noframes><a href=/x></noframes>", ["/x"]), ("<svg><title><a href=/x></title></svg>", ["/x"]),
        ("<svg><script href=/s /></svg><a href=/x>", ["/x"]), ("<script src=a /><a href=/y></script><a href=/x>", ["/x"]),
        ("<script><a href=/y></SCRIPT ><a href=/x>", ["/x"]), ("<style></stylex></style><a href=/x>", ["/x"]),
        ("<!--><a href=/x>", ["/x"]), ("<!---><a href=/x>", ["/x"]), ("<!-- --!><a href=/x>", ["/x"]),
        ("<!doctype html><?php x ?><a href=/x>", ["/x"]), ("</a href=/y><a href=/x>", ["/x"]),
        ("</ a><a href=/x>", ["/x"]), ("a < b <a href=/x>", ["/x"]), ("<<a href=/x>", ["/x"]),
        ("<a href='/y", []), ("<a href=/y", []), ("<a =/y href=/x>", ["/x"]), ("<a href='#top'>", []),
        ("<a href='&#99999999999999999999;/x'>", ["/d/%EF%BF%BD/x"]),
        ("<a href='/&#x000000000041;&#0000000066'>", ["/AB"]), ("<base href=/b/><base href=/c/><a href=x>", ["/b/x"]),
        ("<base href='mailto:x'><base href=/c/><a href=x>", ["/c/x"]), ("<area rel=nofollow href=/y>", []),
    ],
)  # fmt: skip
def test_links_are_those_that_a_browser_sees(written: str, found: list[str]) -> None:
    assert list(links(written.encode())) == [f"http://a.example{path}" for path in found]


def test_empty_elements_of_xhtml_have_no_content() -> None:
    page = "<title/><script src='s'/><style/><textarea/><![CDATA[<a href='/no'>]]><a href='/x'/>"
    assert links(page.encode(), "application/xhtml+xml; charset=utf-8") == ("http://a.example/x",)
    assert names(page, xml=True) == ["title", "script", "style", "textarea", "a"]


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("0; url=/x", "/x"), ("0;URL = '/x' ", "/x"), ('5 , "/x"', "/x"), ("1.5;/x", "/x"), ("0 url=/x", "/x"),
        ("30", ""), ("", ""), ("0;", ""), ("0; url=", ""), ("soon", ""),
    ],
)  # fmt: skip
def test_the_address_of_a_refresh(value: str, address: str) -> None:
    assert refresh(value) == address


SHAPES = {
    "deep": "<div>" * 100_000,
    "attributes": "<p " + " ".join(f"a{i}=1" for i in range(50_000)) + ">",
    "attributes without values": "<p" + " a" * 166_000 + ">",
    "formatting": "".join(f"<p><font id={i}>x" for i in range(16_000)),
    "options": "<select>" + "<option>" * 33_000,
    "open comments": "<!--" * 100_000,
    "open quotes": "<a b='" * 66_000,
    "other quotes": "<a b=\"'" * 66_000,
    "open tags": "<a " * 133_000,
    "spaces": "<a" + " " * 0_000_000 + "<a" + "\n/" * 100_000,
    "equals": "<a " + "=" * 0_000_000,
    "open titles": "<title>" * 50_000,
    "open scripts": "<script>" * 50_000,
    "half ends": "<script>" + "</scrip" * 50_000,
    "declarations": "<!" * 166_000,
    "instructions": "<?" * 166_000,
    "references": "<a href='" + "&amp" * 83_000 + "'>",
    "ampersands": "<a href='" + "&" * 0_000_000 + "'>",
    "numbers": "<a href='&#" + "1" * 0_000_000 + ";'>",
    "data": "<svg>" + "<![CDATA[" * 33_000,
    "refresh": "<meta http-equiv=refresh content='" + " " * 300_000 + "'>",
    "refresh later": "<meta http-equiv=refresh content='0" + " " * 300_000 + "x'>",
    "host": "<a href='//" + "ü" * 30_000 + "'>" + "<a href='//" + "%C3%BC" * 10_000 + "'>",
    "dots": "<a href='" + "/.." * 20_000 + "'><a href='" + "a/../" * 10_000 + "'>",
    "escapes": "<a href='/" + "%" * 60_000 + "'>",
    "less than": "<" * 0_000_000,
}


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_the_cost_of_a_page_is_linear(shape: str) -> None:
    """A third of a megabyte of each costs half a second; a square would be hours."""
    body = SHAPES[shape].encode()
    started = time.process_time()
    read_page(body, AT, "text/html; charset=utf-8")
    assert time.process_time() - started < 3


@given(st.text("<>!-/='\"& \nasvgcripttitlehref[]CDATA?;#x", max_size=120), st.booleans())
@settings(max_examples=200, derandomize=True)
def test_the_reader_of_tags_never_raises_and_sees_the_tag_behind_a_closed_one(
    text: str, xml: bool
) -> None:
    for tag in start_tags(text, xml):
        assert tag.name == tag.name.lower()
    escaped = text.replace("<", "").replace(">", "")
    assert list(start_tags(f"<p>{escaped}<b id='1'>", xml)) == [Tag("p", {}), Tag("b", {"id": "1"})]


@given(st.text("<>!-/='\"&\n aptiledvsgrm", max_size=120), st.booleans())
@settings(max_examples=200, derandomize=True)
def test_tags_that_are_not_wanted_are_skipped_as_they_would_be_read(text: str, xml: bool) -> None:
    wanted = frozenset({"a", "p", "title"})
    page = text + "<p><a href='<p>'><i title='<a>'><a/ ></svg><A>"
    every = [tag for tag in start_tags(page, xml) if tag.name in wanted]
    assert list(start_tags(page, xml, wanted)) == every


@given(st.text("&#x0123456789abcopyeqltg;=", max_size=30))
@settings(max_examples=150, derandomize=True)
def test_references_never_raise_and_plain_text_stays(text: str) -> None:
    unescaped(text)
    plain = text.replace("&", "")
    assert unescaped(plain) == plain
