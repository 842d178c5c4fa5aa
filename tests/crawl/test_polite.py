"""The crawler against a server that refuses, delays, redirects and breaks."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from regrow.data.crawl.rate import Rate
from regrow.data.crawl.robots import rules
from regrow.data.crawl.step import crawl
from regrow.data.text.archive import Record, read
from small_site import links, page, params, rows, run, sources


def outcomes(found: dict) -> dict[str, str]:
    return {path: row["outcome"] for path, row in found.items()}


def stored(folder: Path) -> dict[str, Record]:
    items = read(folder / "a.example.warc.gz", 10_000_000)
    return {r.url.removeprefix("http://a.example"): r for r in items if isinstance(r, Record)}


def test_robots_txt_is_obeyed_longest_rule_first(tmp_path: Path) -> None:
    files = {
        "/index.html": links("/open.html", "/closed/a.html", "/closed/but/open.html"),
        "/robots.txt": b"User-agent: *\nDisallow: /closed/\nAllow: /closed/but/\n",
        "/open.html": page("o"),
        "/closed/a.html": page("c"),
        "/closed/but/open.html": page("b"),
    }
    found = outcomes(run(tmp_path, files))
    assert found["/closed/a.html"] == "robots"
    assert found["/open.html"] == found["/closed/but/open.html"] == "fetched"
    assert "/closed/a.html" not in stored(tmp_path / "crawl")
    ignoring = outcomes(run(tmp_path / "second", files, obey_robots=False))
    assert ignoring["/closed/a.html"] == "fetched"


def test_rules_for_this_crawler_replace_those_for_all() -> None:
    text = (
        b"User-agent: *\nDisallow: /\n\nUser-agent: regrow-crawler\nDisallow: /x\nCrawl-delay: 3\n"
    )
    found = rules("ok", text, "regrow-crawler/0.1 (+https://example.org)")
    assert found.allows("http://a.example/y")
    assert not found.allows("http://a.example/x/1")
    assert found.delay() == 3.0
    assert not rules("ok", text, "other/1.0").allows("http://a.example/y")


@pytest.mark.parametrize(
    ("status", "open_"), [(404, True), (403, True), (500, False), (503, False)]
)
def test_missing_robots_opens_and_broken_robots_closes(
    tmp_path: Path, status: int, open_: bool
) -> None:
    """RFC 9309 sections 2.3.1.3 and 2.3.1.4."""
    rule = {"path": "/robots.txt", "status": status}
    found = outcomes(run(tmp_path, {"/index.html": page("x")}, [rule], retries=1))
    assert found["/"] == ("fetched" if open_ else "robots")


def test_crawl_delay_slows_the_host_down(tmp_path: Path) -> None:
    files = {
        "/index.html": links("/1.html", "/2.html", "/3.html"),
        "/robots.txt": b"User-agent: *\nCrawl-delay: 0.2\n",
    }
    files |= {f"/{i}.html": page(str(i)) for i in (1, 2, 3)}
    started = time.monotonic()
    found = run(tmp_path, files)
    assert sum(row["outcome"] == "fetched" for row in found.values()) == 4
    assert time.monotonic() - started >= 3 * 0.2  # a lower bound: it cannot be faster


def test_rate_keeps_requests_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", sleep)
    rate = Rate(0.5)
    rate()
    rate()
    now[0] += 0.2
    rate()
    now[0] += 9.0
    rate()
    assert slept == pytest.approx([0.5, 0.3])


def test_busy_server_is_asked_again_after_retry_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"/index.html": links("/busy.html", "/down.html"), "/busy.html": page("late")}
    busy = [
        {"path": "/busy.html", "status": 503, "times": 2, "retry_after": "7"},
        {"path": "/down.html", "status": 503},
    ]
    waits: list[float] = []
    real = time.sleep
    monkeypatch.setattr(
        "regrow.data.crawl.fetch.time.sleep",
        lambda seconds: waits.append(seconds) if seconds > 1 else real(seconds),
    )
    found = run(tmp_path, files, busy, retries=2, backoff_seconds=0.001)
    assert (found["/busy.html"]["outcome"], found["/busy.html"]["detail"]) == (
        "fetched",
        "attempt 3",
    )
    assert waits == [7.0, 7.0]
    assert (found["/down.html"]["outcome"], found["/down.html"]["status"]) == ("http_error", 503)


def test_broken_connection_is_retried_and_then_reported(tmp_path: Path) -> None:
    files = {
        "/index.html": links("/once.html", "/always.html"),
        "/once.html": page("y" * 500),
        "/always.html": page("n" * 500),
    }
    breaks = [
        {"path": "/once.html", "abort": True, "times": 1},
        {"path": "/always.html", "abort": True},
    ]
    found = run(tmp_path, files, breaks, retries=2)
    assert found["/once.html"]["outcome"] == "fetched"
    assert stored(tmp_path / "crawl")["/once.html"].body == files["/once.html"]
    assert found["/always.html"]["outcome"] == "connection"
    assert "/always.html" not in stored(tmp_path / "crawl")


def test_redirects(tmp_path: Path) -> None:
    files = {
        "/index.html": links("/old", "/loop", "/far", "/out", "/bad"),
        "/new.html": page("new"),
        "/end.html": page("end"),
    }
    moved = [
        {"path": "/old", "status": 301, "location": "new.html"},
        {"path": "/loop", "status": 302, "location": "/loop2"},
        {"path": "/loop2", "status": 302, "location": "/loop"},
        {"path": "/far", "status": 302, "location": "/far1"},
        {"path": "/far1", "status": 302, "location": "/far2"},
        {"path": "/far2", "status": 302, "location": "/end.html"},
        {"path": "/out", "status": 302, "location": "http://b.example/"},
        {"path": "/bad", "status": 302, "location": "mailto:x"},
    ]
    found = outcomes(run(tmp_path, files, moved, max_redirects=2))
    assert (found["/old"], found["/new.html"]) == ("redirect", "fetched")
    assert (found["/loop"], found["/loop2"]) == ("redirect", "redirect_loop")
    assert (found["/far1"], found["/far2"]) == ("redirect", "redirect_limit")
    assert "/end.html" not in found
    assert (found["/out"], found["/bad"]) == ("redirect", "http_error")
    assert not any("b.example" in path for path in found)


def test_too_large_and_wrong_type_are_not_kept(tmp_path: Path) -> None:
    files = {
        "/index.html": links("/big.html", "/chunked.html", "/fits.html", "/a.bin", "/none"),
        "/big.html": b"<html>" + b"x" * 5_000,
        "/chunked.html": b"<html>" + b"x" * 5_000,
        "/fits.html": b"<html>" + b"x" * 1_994,
        "/a.bin": b"\0",
        "/none": page("no type"),
    }
    special = [
        {"path": "/chunked.html", "chunked": True},
        {"path": "/a.bin", "type": "image/png"},
        {"path": "/none", "type": ""},
    ]
    found = run(tmp_path, files, special, max_bytes=2_000)
    assert {p: found[p]["outcome"] for p in ("/big.html", "/chunked.html", "/fits.html", "/a.bin", "/none")} == {
        "/big.html": "too_large",
        "/chunked.html": "too_large",
        "/fits.html": "fetched",
        "/a.bin": "wrong_type",
        "/none": "fetched",
    }  # fmt: skip
    assert not {"/big.html", "/chunked.html", "/a.bin"} & set(stored(tmp_path / "crawl"))


def test_slow_answers_time_out(tmp_path: Path) -> None:
    """A byte now and then keeps a socket alive; the deadline of the whole answer ends it."""
    files = {"/index.html": links("/drip.html", "/after.html")}
    files |= {"/drip.html": page("z" * 300), "/after.html": page("after")}
    drip = [{"path": "/drip.html", "drip": 0.05}]
    found = outcomes(run(tmp_path, files, drip, timeout_seconds=0.5, retries=0))
    assert (found["/drip.html"], found["/after.html"]) == ("timeout", "fetched")


def test_limits_of_depth_and_pages_leave_rows(tmp_path: Path) -> None:
    chain = [{"path": "/day", "calendar": True}]
    found = outcomes(run(tmp_path, {"/index.html": links("/day?day=1")}, chain, max_depth=3))
    assert (found["/day?day=3"], found["/day?day=4"]) == ("fetched", "max_depth")
    assert "/day?day=5" not in found
    files = {"/index.html": links("/1.html", "/2.html"), "/1.html": page("1"), "/2.html": page("2")}
    few = outcomes(run(tmp_path / "second", files, max_pages=2))
    assert (few["/1.html"], few["/2.html"]) == ("fetched", "page_limit")


def test_noindex_and_nofollow(tmp_path: Path) -> None:
    robots = '<meta name="Robots" content="{}">'
    files = {
        "/index.html": links("/noindex.html", "/nofollow.html", "/header.html")
        + b'<a rel="nofollow" href="/rel.html">x</a>',
        "/noindex.html": page('<a href="/from-noindex.html">x</a>', robots.format("NOINDEX")),
        "/from-noindex.html": page("1"),
        "/nofollow.html": page('<a href="/from-nofollow.html">x</a>', robots.format("nofollow")),
        "/from-nofollow.html": page("2"),
        "/header.html": page("3"),
        "/rel.html": page("4"),
    }
    header = [{"path": "/header.html", "headers": {"X-Robots-Tag": "noindex"}}]
    found = outcomes(run(tmp_path, files, header))
    assert (found["/noindex.html"], found["/from-noindex.html"]) == ("noindex", "fetched")
    assert found["/header.html"] == "noindex"
    assert found["/nofollow.html"] == "fetched"
    assert not {"/from-nofollow.html", "/rel.html"} & set(found)
    assert not {"/noindex.html", "/header.html"} & set(stored(tmp_path / "crawl"))


def test_sitemaps_lead_to_pages_without_links(tmp_path: Path) -> None:
    loc = "<url><loc>http://a.example/{}</loc></url>"
    files = {
        "/index.html": page("no links"),
        "/robots.txt": b"Sitemap: http://a.example/index.xml\nSitemap: http://a.example/bomb.xml\n",
        "/index.xml": b"<sitemapindex><sitemap><loc>http://a.example/map.xml</loc></sitemap></sitemapindex>",
        "/map.xml": f"<urlset>{loc.format('hidden.html')}{loc.format('lost.html')}</urlset>".encode(),
        "/bomb.xml": b'<!DOCTYPE x [<!ENTITY a "http://a.example/bomb.html">]><urlset><loc>&a;</loc></urlset>',
        "/hidden.html": page("h"),
        "/bomb.html": page("b"),
    }
    found = outcomes(run(tmp_path, files))
    assert (found["/hidden.html"], found["/lost.html"]) == ("fetched", "http_error")
    assert "/bomb.html" not in found


def test_links_between_hosts_are_followed_once_and_only_inside_the_crawl(tmp_path: Path) -> None:
    hosts = {
        "a.example": {
            "/index.html": links("http://b.example/x.html", "http://c.example/"),
            "/back.html": page("b"),
        },
        "b.example": {
            "/index.html": page("start"),
            "/x.html": links("http://a.example/back.html", "http://a.example/"),
        },
    }
    folder = sources(tmp_path / "sources", hosts)
    counts = crawl({"sources": folder}, params(), tmp_path / "out")
    found = rows(tmp_path / "out")
    assert found["/back.html"]["outcome"] == "fetched"
    assert found["http://b.example/x.html"]["outcome"] == "fetched"
    assert not any("c.example" in path for path in found)
    assert counts["pages"] == 4


def test_an_unknown_host_in_params_is_an_error_that_says_what_there_is(tmp_path: Path) -> None:
    folder = sources(tmp_path / "sources", {"a.example": {"/index.html": page("x")}})
    with pytest.raises(Exception, match=r"b\.example not in .*Hosts there: a\.example"):
        crawl({"sources": folder}, params(hosts=["b.example"]), tmp_path / "out")
