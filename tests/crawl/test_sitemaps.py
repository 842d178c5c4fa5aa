"""Sitemaps as they are in the wild: addresses found, nothing of them a training document."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType
from hypothesis import given, settings
from hypothesis import strategies as st

from raw_server import Found, Script, answer, raw_crawl
from regrow.data.crawl import sitemap, wellknown
from regrow.data.crawl.sitemap import read_sitemap

AT = "http://a.example/robots.txt"
NS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
XML = f'<?xml version="1.0" encoding="UTF-8"?><urlset {NS}><url><loc>http://a.example/1</loc></url><url><loc>/2</loc></url></urlset>'.encode()
BOTH = ("http://a.example/1", "http://a.example/2")


@pytest.mark.parametrize(
    "body",
    [
        XML,
        b"\n\n " + XML,
        b"\xef\xbb\xbf" + XML,
        XML.replace(b"UTF-8", b"utf-16").decode().encode("utf-16"),
        XML.replace(b"UTF-8", b"no-such-charset"),
        XML.replace(b"UTF-8", b"ISO-8859-1"),
        gzip.compress(XML),
        gzip.compress(XML[:80]) + gzip.compress(XML[80:]),
        gzip.compress(XML) + b"trailing bytes",
        XML[:-9],
        XML[:-15],
        XML + b"</urlset>junk<",
        XML.replace(b"a.example/1", b"a.example/\x011"),
        XML.replace(b"<urlset", b"<!DOCTYPE urlset><urlset"),
        XML.replace(b"<urlset", b'<!DOCTYPE urlset SYSTEM "http://x.example/s.dtd"><urlset'),
        XML.replace(b"<urlset", b"<!-- a comment -- with dashes --><urlset"),
        XML.replace(b"<loc>", b"<loc>\n\t").replace(b"</loc>", b"\n</loc>"),
        XML.replace(b"<loc>/2</loc>", b"<loc><![CDATA[/2]]></loc>"),
        XML.replace(NS.encode(), b""),
        XML.replace(b"<loc>/2", b"<image:image><image:loc>/i.png</image:loc></image:image><loc>/2"),
        XML.replace(b"<url>", b"<url><xhtml:link rel='alternate' hreflang='de' href='/de'/>"),
        XML.replace(b"urlset", b"s:urlset").replace(b"xmlns=", b"xmlns:s=").replace(b"url>", b"s:url>")
        .replace(b"loc>", b"s:loc>").replace(b"<s:urls:url", b"<s:url"),
        b"http://a.example/1\r\nnot an address\r\n\r\nhttp://a.example/2\r\n/relative\r\n",
        b"\xef\xbb\xbfhttp://a.example/1\nHTTP://A.example/2",
        b"<rss version='2.0'><channel><link>http://a.example/home</link><item><link>http://a.example/1</link></item>"
        b"<item><link><![CDATA[http://a.example/2]]></link></item></channel></rss>",
        b"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'>"
        b"<channel><link>/home</link></channel><item><link>/1</link></item><item><link>/2</link></item></rdf:RDF>",
        b"<feed xmlns='http://www.w3.org/2005/Atom'><link href='/home'/><entry><link href='/1'/>"
        b"<link rel='enclosure' href='/a.mp3'/></entry><entry><link rel='alternate' href='/2'/></entry></feed>",
    ],
)  # fmt: skip
def test_the_pages_of_a_sitemap_are_found_whatever_it_looks_like(body: bytes) -> None:
    assert read_sitemap(body, AT).pages == BOTH


@pytest.mark.parametrize(
    ("written", "address"),
    [
        (b"/?a=1&b=2", "/?a=1&b=2"),
        (b"/?a=1&amp;b=2", "/?a=1&b=2"),
        (b"/?a=1&#38;b=2", "/?a=1&b=2"),
        (b"/caf&eacute;", "/caf%C3%A9"),
        (b"/caf\xc3\xa9", "/caf%C3%A9"),
        (b"/caf\xe9", "/caf%E9"),
        (b"/a b", "/a%20b"),
        (b"<![CDATA[/?a&b]]>", "/?a&b"),
    ],
)
def test_addresses_are_what_their_writer_meant(written: bytes, address: str) -> None:
    body = XML.replace(b"<loc>/2<", b"<loc>" + written + b"<")
    assert read_sitemap(body, AT).pages == (BOTH[0], f"http://a.example{address}")


def test_half_an_address_at_the_end_of_a_cut_off_file_is_none() -> None:
    whole = XML.replace(b"/2<", b"/2/and/a/long/way<")
    for cut in range(XML.index(b"/2"), len(whole) - len(b"</loc></url></urlset>")):
        assert read_sitemap(whole[:cut], AT).pages == BOTH[:1]
    packed = gzip.compress(XML * 1, 0)
    found = read_sitemap(packed[:-40], AT)
    assert (found.pages, found.trouble) == (BOTH[:1], "gzip data ends early")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html><body><a href='/1'>Not found</a></body></html>", "no address in it"),
        (b"", "no address in it"),
        (b"hello", "no address in it"),
        (b"<", "broken XML"),
        (b"\x1f\x8bxx", "broken gzip data"),
        (b'<!DOCTYPE u [<!ENTITY a "/1">]><urlset><url><loc>&a;</loc></url></urlset>', "entities"),
        (b"<urlset><url><loc>mailto:x</loc></url></urlset>", "no address in it"),
    ],
)
def test_what_is_no_sitemap_says_so(body: bytes, why: str) -> None:
    found = read_sitemap(body, AT)
    assert (found.pages, found.further) == ((), ())
    assert why in found.trouble


def test_more_addresses_than_the_protocol_allows_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sitemap, "MAX_URLS", 100)
    body = b"".join(b"http://a.example/%d\n" % i for i in range(107))
    found = read_sitemap(body, AT)
    assert (len(found.pages), found.trouble) == (100, "7 addresses beyond 100")


@given(st.binary(max_size=300), st.integers(0, 200))
@settings(max_examples=150, derandomize=True, deadline=None)
def test_no_sitemap_breaks_its_reader(junk: bytes, place: int) -> None:
    for body in (
        junk,
        XML[:place] + junk + XML[place:],
        gzip.compress(XML)[:place] + junk,
        b"<" + junk,
    ):
        for url in read_sitemap(body, AT).pages:
            assert url.startswith("http")


def test_deep_and_wide_sitemaps_cost_little() -> None:
    for body in (
        b"<url><loc>" * 100_000,
        b"<u" + b" " * 500_000 + b"<",
        b"<u>&" + b"a" * 500_000,
        b"<![CDATA[" * 100_000,
        b"<?xml " * 100_000,
        b"&" * 900_000,
        b"<a " + b"b='' " * 100_000 + b">",
        b"<!" * 400_000,
    ):
        assert read_sitemap(body, AT).pages == ()


def robots(*lines: str) -> bytes:
    return answer("\n".join(lines).encode(), b"Content-Type: text/plain")


def roles(found: Found) -> dict[str, str | None]:
    with found.file.open("rb") as file:
        return {
            str(r.headers.get("WARC-Target-URI")).removeprefix("http://a.example"): r.headers.get(
                "Regrow-Role"
            )
            for r in ArchiveIterator(file, record_types=WarcRecordType.response, parse_http=False)
        }


def test_an_index_of_many_sitemaps_is_read_whole(tmp_path: Path) -> None:
    parts = "".join(f"<sitemap><loc>/s{i}.xml</loc></sitemap>" for i in range(70))
    routes: dict[str, Script | bytes] = {
        "/robots.txt": robots("Sitemap: /index.xml"),
        "/index.xml": answer(f"<sitemapindex>{parts}</sitemapindex>".encode()),
        "/": answer(b"x"),
    }
    for i in range(70):
        routes[f"/s{i}.xml"] = answer(b"<urlset><url><loc>/p%d</loc></url></urlset>" % i)
        routes[f"/p{i}"] = answer(b"page")
    found = raw_crawl(tmp_path, routes)
    assert all(found.outcomes[f"/s{i}.xml"] == "sitemap" for i in range(70))
    assert all(found.outcomes[f"/p{i}"] == "fetched" for i in range(70))


def test_sitemaps_that_are_not_read_are_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wellknown, "MAX_SITEMAPS", 2)
    monkeypatch.setattr(wellknown, "MAX_NAMED", 6)
    lines = [
        "Sitemap: http://cdn.example/s.xml",
        "Sitemap: /closed.xml",
        "Sitemap: mailto:x",
        "Sitemap: /index.xml",
        "Sitemap: /html",
    ]
    parts = "".join(f"<sitemap><loc>/s{i}.xml</loc></sitemap>" for i in range(9))
    found = raw_crawl(
        tmp_path,
        {
            "/robots.txt": robots("User-agent: *", "Disallow: /closed.xml", *lines),
            "/index.xml": answer(f"<sitemapindex>{parts}</sitemapindex>".encode()),
            "/html": answer(b"<html>not found<meta name=robots content=noindex>"),
            "/": answer(b"x"),
        },
    )
    assert found.details["http://cdn.example/s.xml"] == "on another host"
    assert found.details["/closed.xml"] == "disallowed by robots.txt"
    assert found.details["mailto:x"] == "no address of the web"
    assert found.details["/html"].startswith("no sitemap")
    assert found.details["/s0.xml"] == found.details["/s1.xml"] == "more than 2 sitemaps"
    assert any(d == "7 sitemaps beyond 6 have no row" for d in (r.detail for r in found.rows))
    assert "/closed.xml" not in found.requests


def test_records_of_robots_and_sitemaps_carry_their_role(tmp_path: Path) -> None:
    moved = answer(b"", b"Location: /maps/real.txt", status=b"301 Moved")
    found = raw_crawl(
        tmp_path,
        {
            "/robots.txt": [answer(b"", b"Location: /r.txt", status=b"302 Found")],
            "/r.txt": robots("Sitemap: /s.xml", "Sitemap: /html", "Sitemap: /loop"),
            "/s.xml": moved,
            "/maps/real.txt": answer(b"http://a.example/page\n", b"Content-Type: text/plain"),
            "/html": answer(b"<html>not found"),
            "/loop": answer(b"", b"Location: /loop", status=b"302 Found"),
            "/": answer(b"x"),
            "/page": answer(b"page"),
        },
    )
    assert roles(found) == {
        "/robots.txt": "robots", "/r.txt": "robots", "/s.xml": "sitemap", "/maps/real.txt": "sitemap",
        "/html": "sitemap", "/loop": "sitemap", "/": None, "/page": None,
    }  # fmt: skip
    assert found.bodies["/maps/real.txt"].startswith(b"http") and found.bodies["/s.xml"] == b""
    assert (found.outcomes["/r.txt"], found.outcomes["/s.xml"]) == ("robots_txt", "redirect")


def test_a_sitemap_that_is_also_linked_is_a_page_with_a_record_of_its_own(tmp_path: Path) -> None:
    found = raw_crawl(
        tmp_path,
        {
            "/robots.txt": robots("Sitemap: /map"),
            "/map": answer(b"<html><a href=/p>x</a>"),
            "/": answer(b"<a href=/map>map</a>"),
            "/p": answer(b"p"),
        },
    )
    with found.file.open("rb") as file:
        ids = [r.record_id for r in ArchiveIterator(file, parse_http=False)]
    assert len(ids) == len(set(ids)) == 11
    assert [r.outcome for r in found.rows if r.url.endswith("/map")] == ["sitemap", "fetched"]
