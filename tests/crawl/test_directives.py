"""robots.txt, X-Robots-Tag and robots meta: what they say to us, however they are written."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raw_server import Script, answer, raw_crawl
from regrow.data.crawl.directives import directives, product_token
from regrow.data.crawl.robots import rules

AGENT = "regrow-crawler/0.1 (+https://example.org/regrow)"
OURS = "regrow-crawler"


@pytest.mark.parametrize(
    ("lines", "noindex", "nofollow"),
    [
        (["nofollow", "noindex"], True, True),
        (["noindex, nofollow"], True, True),
        (["noindex;nofollow"], True, True),
        (["noindex nofollow"], True, True),
        (["NoIndex\tNOFOLLOW"], True, True),
        (["none"], True, True),
        (["regrow-crawler: noindex"], True, False),
        (["Regrow-Crawler : noindex"], True, False),
        (["regrow-crawler/0.1: noindex"], True, False),
        (["*: noindex"], True, False),
        (["otherbot: nofollow, noindex"], False, False),
        (["otherbot: noindex", "nofollow"], False, True),
        (["otherbot: noindex, regrow-crawler: nofollow"], False, True),
        (["noindex, otherbot: nofollow"], True, False),
        (["regrow: noindex"], False, False),
        (["360spider: noindex"], False, False),
        (["bot2/1.0: noindex, nofollow", "regrow-crawler: nofollow"], False, True),
        (["unavailable_after: Friday, 25-Jun-30 15:00:00 GMT, noindex"], True, False),
        (["unavailable_after: 25 Jun 2030 15:00:00 PST, noindex"], True, False),
        (["unavailable_after: 2030-06-25T15:00:00Z; nofollow"], False, True),
        (["max-snippet:-1, max-image-preview:large, noindex"], True, False),
        (["noindexer, index, follow, noarchive"], False, False),
        ([""], False, False),
        ([], False, False),
    ],
)
def test_directives_are_read_however_they_are_separated_and_addressed(
    lines: list[str], noindex: bool, nofollow: bool
) -> None:
    assert directives(lines, OURS) == (noindex, nofollow)


@given(st.lists(st.text("noindex,folw;: *ab\t²", max_size=40), max_size=4))
@settings(max_examples=100, derandomize=True)
def test_directives_never_raise_and_only_ever_grow(lines: list[str]) -> None:
    index, follow = directives(lines, OURS)
    more = directives([*lines, "none"], OURS)
    assert more == (True, True)
    assert (not index or more[0]) and (not follow or more[1])


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        ([b"X-Robots-Tag: nofollow", b"X-Robots-Tag: noindex"], False),
        ([b"X-Robots-Tag: regrow-crawler: noindex"], False),
        ([b"X-Robots-Tag: otherbot: nofollow, noindex"], True),
        ([b"x-robots-tag: noindex;nofollow"], False),
        ([b"X-Robots-Tag: \xb2\xff"], True),
    ],
)
def test_every_robots_header_counts(tmp_path: Path, head: list[bytes], kept: bool) -> None:
    found = raw_crawl(tmp_path, {"/": answer(b"x", *head)})
    assert found.outcomes["/"] == ("fetched" if kept else "noindex")
    assert ("/" in found.records) == kept


@pytest.mark.parametrize(
    "name", ["robots", "ROBOTS", "regrow-crawler", " Regrow-Crawler ", "otherbot"]
)
def test_a_robots_meta_may_be_addressed_to_us(tmp_path: Path, name: str) -> None:
    found = raw_crawl(tmp_path, {"/": answer(f'<meta name="{name}" content="noindex">'.encode())})
    assert found.outcomes["/"] == ("fetched" if name == "otherbot" else "noindex")


@pytest.mark.parametrize(
    "write", ["User-agent: {}", "user-agent:{}", "USER AGENT {}", "  useragent : {} # us"]
)
@pytest.mark.parametrize(
    ("name", "bound"),
    [
        ("regrow-crawler", True), ("Regrow-Crawler", True), ("regrow-crawler/0.1", True),
        ("regrow-crawler 0.1", True), (AGENT, True), ("regrow-crawler;x", True), ("*regrow-crawler*", True),
        ("*", True), ("* ", True), ("regrow", False), ("crawler", False), ("regrow-crawler-x", False),
        ("regrow-crawlers", False), ("xregrow-crawler", False), ("otherbot", False), ("*bot", False),
        ("not-regrow-crawler", False), ("²", False), ("otherbot, regrow-crawler/1", True), ("otherbot, x", False),
    ],
)  # fmt: skip
def test_a_group_binds_whom_its_token_names(write: str, name: str, bound: bool) -> None:
    text = write.format(name) + "\nDisallow: /x\n"
    for end in ("\n", "\r\n", "\r"):
        for encoding in ("utf-8", "utf-8-sig", "utf-16"):
            body = text.replace("\n", end).encode(encoding)
            assert rules("ok", body, AGENT).allows("http://a.example/x") is not bound
            assert rules("ok", body, AGENT).allows("http://a.example/y")


def test_our_own_group_replaces_the_one_for_all_in_any_spelling() -> None:
    text = b"User-agent: *\nDisallow: /\n\nUser-agent: regrow-crawler/0.1\nDisallow: /x\n"
    found = rules("ok", text, AGENT)
    assert found.allows("http://a.example/y") and not found.allows("http://a.example/x")
    text = b"User-agent: *\nDisallow: /x\n\nUser-agent: regrow\nAllow: /x\n"
    assert not rules("ok", text, AGENT).allows("http://a.example/x")


def test_rules_in_other_charsets_and_after_odd_line_ends_hold() -> None:
    latin = "User-agent: *\nDisallow: /café\n".encode("latin-1")
    assert not rules("ok", latin, AGENT).allows("http://a.example/caf%E9")
    utf8 = "User-agent: *\nDisallow: /café\n".encode()
    assert not rules("ok", utf8, AGENT).allows("http://a.example/caf%C3%A9")
    comment = "User-agent: *\nDisallow: /x # a\u2028Allow: /x\x0bAllow: /x\x85Allow: /x\n".encode()
    assert not rules("ok", comment, AGENT).allows("http://a.example/x")


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("Crawl-delay: 3", 3.0), ("Crawl-delay: 0.5", 0.5), ("Request-rate: 1/5", 5.0),
        ("Request-rate: 1/1d", 86_400.0), ("Crawl-delay: -1", 0.0), ("Crawl-delay: nan", 0.0),
        ("Crawl-delay: ²", 0.0), ("Request-rate: ²/1", 0.0), ("Request-rate: 1/" + "9" * 400, float("inf")),
        ("Crawl-delay: " + "9" * 5_000, 0.0),
    ],
)  # fmt: skip
def test_delays_that_are_no_numbers_are_none(line: str, seconds: float) -> None:
    assert rules("ok", f"User-agent: *\n{line}\n".encode(), AGENT).delay() == seconds


@given(st.binary(max_size=200))
@settings(max_examples=100, derandomize=True)
def test_no_robots_txt_breaks_its_reader(junk: bytes) -> None:
    body = b"User-agent: " + junk + b"\nDisallow: /a\nCrawl-delay: " + junk + b"\nSitemap: " + junk
    found = rules("ok", body, AGENT)
    found.allows("http://a.example/a")
    assert found.delay() >= 0
    assert product_token(junk.decode("latin-1")).isascii()
    found.sitemaps()


@pytest.mark.parametrize("coding", [b"gzip", b"x-gzip", b"GZIP"])
def test_what_was_packed_unasked_is_read(tmp_path: Path, coding: bytes) -> None:
    packed = b"Content-Encoding: " + coding
    pages = b"<urlset><url><loc>http://a.example/hidden</loc></url></urlset>"
    routes: dict[str, Script | bytes] = {
        "/robots.txt": answer(
            gzip.compress(b"User-agent: *\nDisallow: /p\nSitemap: /s.xml\n"), packed
        ),
        "/s.xml": answer(gzip.compress(pages), packed, b"Content-Type: text/xml"),
        "/": answer(gzip.compress(b"<a href=/p>x</a><a href=/q>x</a>"), packed),
        "/p": answer(b"closed"),
        "/q": answer(gzip.compress(b"<meta name=robots content=noindex>"), packed),
        "/hidden": answer(b"found"),
    }
    found = raw_crawl(tmp_path, routes)
    assert found.outcomes == {
        "/robots.txt": "robots_txt", "/s.xml": "sitemap", "/": "fetched", "/p": "robots",
        "/q": "noindex", "/hidden": "fetched",
    }  # fmt: skip
    assert "/p" not in found.requests


@pytest.mark.parametrize(
    "body", [gzip.compress(b"x")[:10] + b"\xff" * 20, gzip.compress(b"User-agent: *")[:-9]]
)
def test_a_coding_that_cannot_be_undone_closes_the_host_or_leaves_the_page(
    tmp_path: Path, body: bytes
) -> None:
    packed = answer(body, b"Content-Encoding: gzip")
    closed = raw_crawl(tmp_path / "1", {"/robots.txt": packed, "/": answer(b"x")})
    assert (closed.outcomes["/"], closed.requests) == ("robots", ["/robots.txt"])
    left = raw_crawl(tmp_path / "2", {"/": packed})
    assert (left.outcomes["/"], "/" in left.records) == ("bad_coding", False)


def test_a_bomb_is_too_large(tmp_path: Path) -> None:
    bomb = answer(gzip.compress(b" " * 3_000_000), b"Content-Encoding: gzip")
    assert raw_crawl(tmp_path, {"/": bomb}).outcomes["/"] == "too_large"
