"""What one host can cost: requests, time between them, memory; and what its faults end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from raw_server import CLOSE, Script, answer, raw_crawl
from regrow.data.crawl import host as host_module
from regrow.data.crawl import wellknown
from regrow.data.crawl.fetch import Fetcher
from regrow.data.crawl.frontier import Frontier, Visit
from regrow.data.crawl.step import crawl
from small_site import links, page, params, rows, sources

ROBOTS = "User-agent: *\n{}\n"


@pytest.mark.parametrize(
    "line", ["Crawl-delay: 86400", "Crawl-delay: 1e21", "Request-rate: 1/1d", "Crawl-delay: 30.5"]
)
def test_a_host_that_asks_for_a_longer_delay_than_the_ceiling_is_left_alone(
    tmp_path: Path, line: str
) -> None:
    routes: dict[str, Script | bytes] = {
        "/robots.txt": answer(ROBOTS.format(line).encode()),
        "/": answer(b"x"),
    }
    started = time.monotonic()
    found = raw_crawl(tmp_path / "obeys", routes)
    assert time.monotonic() - started < 5
    assert found.outcomes["/"] == "robots"
    assert "crawl.max_delay_seconds (30)" in found.details["/"]
    assert "above crawl.max_delay_seconds" in found.details["/robots.txt"]
    assert found.requests == ["/robots.txt"]
    assert raw_crawl(tmp_path / "not", routes, obey_robots=False).outcomes["/"] == "fetched"


def test_a_delay_below_the_ceiling_is_kept(tmp_path: Path) -> None:
    routes: dict[str, Script | bytes] = {
        "/robots.txt": answer(ROBOTS.format("Crawl-delay: 0.05").encode()),
        "/": answer(b"x"),
    }
    found = raw_crawl(tmp_path, routes, max_delay_seconds=0.05)
    assert (found.interval, found.outcomes["/"]) == (0.05, "fetched")


class Endless(dict[str, Any]):
    """Every page links to three more."""

    def __init__(self, head: bytes, body: bytes, status: bytes = b"200 OK") -> None:
        super().__init__({"/robots.txt": answer(b"no", status=b"404 X")})
        self._head, self._body, self._status = head, body, status

    def get(self, path: str, default: Any = None) -> Any:
        if path == "/robots.txt":
            return self[path]
        name = path.strip("/").encode()
        body = self._body + b"".join(b"<a href='/%s%d'>x</a>" % (name, i) for i in range(3))
        return answer(body, self._head.replace(b"PATH", name), status=self._status)


@pytest.mark.parametrize(
    "tree",
    [
        Endless(b"X-Y: z", b"page"),
        Endless(b"X-Robots-Tag: noindex, follow", b""),
        Endless(b"X-Y: z", b"<meta name=robots content=noindex>"),
        Endless(b"Location: /PATH0", b"", b"302 Found"),
        Endless(b"Refresh: 0;url=/PATH0", b""),
    ],
)
def test_visits_are_bounded_whatever_comes_of_them(tmp_path: Path, tree: Endless) -> None:
    found = raw_crawl(tmp_path, tree, max_pages=20, max_depth=1_000, max_redirects=1_000)
    assert 10 < len([path for path in found.requests if path != "/robots.txt"]) <= 20
    limited = [row for row in found.rows if row.outcome == "page_limit"]
    assert limited
    assert limited[0].detail == "20 pages visited"


def test_a_host_that_only_fails_is_given_up(tmp_path: Path) -> None:
    anchors = "".join(f"<a href='/{i}'>x</a>" for i in range(9)).encode()
    routes: dict[str, Script | bytes] = {"/": answer(anchors)} | {
        f"/{i}": [CLOSE] for i in range(9)
    }
    routes["/1"] = answer(b"alive")
    found = raw_crawl(tmp_path, routes, patience=3)
    assert [found.outcomes[f"/{i}"] for i in range(9)] == [
        "connection", "fetched", *["connection"] * 3, *["given_up"] * 4,
    ]  # fmt: skip


def test_a_host_whose_sitemaps_only_fail_is_asked_for_no_more_of_them(tmp_path: Path) -> None:
    lines = "".join(f"Sitemap: /s{i}.xml\n" for i in range(9)).encode()
    busy = answer(b"", status=b"503 Busy")
    routes: dict[str, Script | bytes] = {f"/s{i}.xml": busy for i in range(9)}
    found = raw_crawl(
        tmp_path, {"/robots.txt": answer(lines), "/": answer(b"x"), **routes}, patience=3
    )
    assert [found.outcomes[f"/s{i}.xml"] for i in range(9)] == ["sitemap"] * 3 + [
        "sitemap_skipped"
    ] * 6
    assert found.details["/s8.xml"] == "3 failures in a row before it"
    assert found.outcomes["/"] == "fetched"


def test_the_queue_has_a_ceiling_and_what_is_beyond_it_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_module, "Frontier", lambda: Frontier(ceiling=5))
    anchors = "".join(f"<a href='/{i}'>x</a>" for i in range(9)).encode()
    found = raw_crawl(tmp_path, {"/": answer(anchors)})
    assert sum(row.outcome == "http_error" for row in found.rows) == 4
    assert [row.detail for row in found.rows if row.outcome == "queue_limit"] == [
        "5 addresses beyond 5 have no row"
    ]


def test_the_queue_holds_each_address_once() -> None:
    queue = Frontier(ceiling=2)
    assert [queue.add(Visit(url, 0)) for url in ("a", "a", "b", "b", "c")] == [
        True,
        False,
        True,
        False,
        False,
    ]
    assert (queue.seen, queue.beyond) == (2, 1)


@pytest.mark.parametrize(
    "error", [ValueError("x"), OverflowError(), UnicodeError("x"), RecursionError(), KeyError("x")]
)
def test_a_fault_of_ours_at_one_page_ends_that_page(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    capsys: pytest.CaptureFixture[str],
) -> None:
    read = host_module.read_page

    def faulty(body: bytes, url: str, *rest: str) -> Any:
        if url.endswith("/1"):
            raise error
        return read(body, url, *rest)

    monkeypatch.setattr(host_module, "read_page", faulty)
    found = raw_crawl(
        tmp_path,
        {"/": answer(b"<a href=/1>x</a><a href=/2>x</a>"), "/1": answer(b"1"), "/2": answer(b"2")},
    )
    assert (found.outcomes["/1"], found.details["/1"]) == ("internal_error", type(error).__name__)
    assert found.outcomes["/2"] == "fetched"
    assert "/1" not in found.records
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["rules", "read_sitemap"])
def test_a_fault_of_ours_at_robots_or_a_sitemap_is_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    real = getattr(wellknown, name)

    def faulty(*arguments: Any) -> Any:
        if name == "read_sitemap" or arguments[0] == "ok":
            raise OverflowError
        return real(*arguments)

    monkeypatch.setattr(wellknown, name, faulty)
    found = raw_crawl(
        tmp_path,
        {"/robots.txt": answer(b"Sitemap: /s.xml"), "/s.xml": answer(b"x"), "/": answer(b"x")},
    )
    assert found.outcomes["/robots.txt" if name == "rules" else "/s.xml"] == "internal_error"
    assert found.outcomes["/"] == ("robots" if name == "rules" else "fetched")


def test_a_fault_at_one_host_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Fetcher.get

    def faulty(self: Fetcher, url: str, any_type: bool = False) -> Any:
        if "//b.example" in url:
            raise ValueError("int() of something")
        return real(self, url, any_type)

    monkeypatch.setattr(Fetcher, "get", faulty)
    hosts = {f"{name}.example": {"/index.html": links("/1"), "/1": page("1")} for name in "abc"}
    counts = crawl({"sources": sources(tmp_path / "sources", hosts)}, params(), tmp_path / "out")
    found = rows(tmp_path / "out")
    assert counts["pages"] == 4
    assert found["http://b.example/robots.txt"]["outcome"] == "internal_error"
    assert found["http://b.example/"]["outcome"] == "robots"
    assert found["http://c.example/1"]["outcome"] == "fetched"


def test_a_full_disk_is_nobodys_fault_and_ends_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("regrow.data.crawl.warc.Archive.add", full)
    with pytest.raises(OSError, match="No space"):
        raw_crawl(tmp_path, {"/": answer(b"x")})


def test_an_address_without_a_row_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful(self: Frontier) -> Visit | None:
        self._queue.clear()
        return None

    monkeypatch.setattr(Frontier, "pop", forgetful)
    with pytest.raises(RuntimeError, match=r"a\.example: 1 addresses were queued, 0 have a row"):
        raw_crawl(tmp_path, {"/": answer(b"x")})
