"""Answers as servers send them: each under its own address, within its deadline and ceilings."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raw_server import CLOSE, MISSING, Script, answer, raw_crawl
from regrow.data.crawl.fetch import LONGEST_WAIT, retry_after
from regrow.data.crawl.media import media_type
from regrow.data.crawl.message import MAX_HEAD_BYTES, MAX_HEADERS

HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload\r\n\r\n"


def linked(*paths: str) -> bytes:
    return answer("".join(f"<a href='{path}'>x</a>" for path in paths).encode())


@pytest.mark.parametrize(
    "interim",
    [
        [HINTS],
        [HINTS, 0.1],
        [b"HTTP/1.1 100 Continue\r\n\r\n", 0.05, b"HTTP/1.1 102 Processing\r\n\r\n", HINTS, 0.05],
        [b"HTTP/1.1 199 Odd\r\n\r\n"],
    ],
)
def test_informational_answers_are_no_answers(tmp_path: Path, interim: Script) -> None:
    found = raw_crawl(
        tmp_path,
        {
            "/robots.txt": [*interim, answer(b"User-agent: *\nDisallow: /closed\n")],
            "/": linked("/1", "/2", "/closed"),
            "/1": [*interim, answer(b"ONE")],
            "/2": [answer(b"TWO")],
        },
    )
    assert (found.bodies["/1"], found.bodies["/2"]) == (b"ONE", b"TWO")
    assert (found.outcomes["/1"], found.outcomes["/closed"]) == ("fetched", "robots")


@pytest.mark.parametrize("head", [b"HTTP/1.1 101 Switching Protocols\r\n\r\n", HINTS * 40])
def test_an_answer_that_never_comes_is_no_page(tmp_path: Path, head: bytes) -> None:
    found = raw_crawl(
        tmp_path, {"/": linked("/1", "/2"), "/1": [head, answer(b"x"), CLOSE], "/2": answer(b"TWO")}
    )
    assert (found.outcomes["/1"], found.outcomes["/2"]) == ("connection", "fetched")
    assert found.bodies["/2"] == b"TWO"


def test_bytes_that_nobody_asked_for_are_not_the_next_answer(tmp_path: Path) -> None:
    forged = answer(b"FORGED")
    found = raw_crawl(
        tmp_path,
        {
            "/": linked("/1", "/2", "/3", "/4"),
            "/1": answer(b"ONE") + forged,
            "/2": answer(b"TWO", b"Content-Length: 3") + b"junk",
            "/3": [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 3\r\nContent-Type: text/html\r\n\r\nTHREE" + forged],
            "/4": answer(b"FOUR"),
        },
    )  # fmt: skip
    bodies = found.bodies
    assert [bodies[path] for path in ("/1", "/2", "/3", "/4")] == [
        b"ONE",
        b"TWO",
        b"THREE",
        b"FOUR",
    ]


def test_a_kept_alive_connection_that_the_server_closed_costs_no_attempt(tmp_path: Path) -> None:
    routes: dict[str, Script | bytes] = {"/": linked("/1", "/2")}
    routes |= {f"/{i}": [answer(b"%d" % i), 0.02, CLOSE] for i in (1, 2)}
    found = raw_crawl(tmp_path, routes)
    assert (found.outcomes["/1"], found.outcomes["/2"]) == ("fetched", "fetched")
    assert found.details["/2"] == ""


def test_many_and_long_header_lines_are_read(tmp_path: Path) -> None:
    found = raw_crawl(
        tmp_path,
        {
            "/robots.txt": answer(b"", *(b"X-%d: y" % i for i in range(120))),
            "/": answer(
                b"<a href=/1>", b"X: " + b"y" * 70_000, *(b"X-%d: y" % i for i in range(500))
            ),
            "/1": answer(b"ONE", b"Content-Type: text/html, text/html; charset=utf-8"),
        },
    )
    assert found.outcomes == {"/robots.txt": "robots_txt", "/": "fetched", "/1": "fetched"}


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * (MAX_HEADERS + 5) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * (MAX_HEAD_BYTES + 5) + b"\r\n\r\n",
        b"HTTP/1.1 200 " + b"y" * (MAX_HEAD_BYTES + 5) + b"\r\n\r\n",
        b"\r\n" * MAX_HEAD_BYTES,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"y" * 5_000 + b"\r\nx\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"y" * (MAX_HEAD_BYTES + 5) + b"\r\n\r\n",
    ],
)  # fmt: skip
def test_headers_without_an_end_are_a_row(tmp_path: Path, head: bytes) -> None:
    found = raw_crawl(
        tmp_path, {"/": linked("/1", "/2"), "/1": [head, CLOSE], "/2": answer(b"TWO")}
    )
    assert (found.outcomes["/1"], found.outcomes["/2"]) == ("connection", "fetched")


DRIP: Script = [item for _ in range(60) for item in (b"y", 0.05)]


@pytest.mark.parametrize(
    "script",
    [
        [b"HTTP/1", *DRIP],
        [b"HTTP/1.1 200 OK\r\nX: ", *DRIP],
        [b"HTTP/1.1 200 OK\r\n", *[item for _ in range(60) for item in (b"X: y\r\n", 0.05)]],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", *DRIP],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX: ", *DRIP],
        [item for _ in range(60) for item in (b"HTTP/1.1 100 Continue\r\n", 0.05)],
        [b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", *DRIP],
        [3.0],
    ],
)  # fmt: skip
def test_the_deadline_is_for_the_whole_answer(tmp_path: Path, script: Script) -> None:
    routes: dict[str, Script | bytes] = {"/": linked("/1", "/2"), "/1": script, "/2": answer(b"2")}
    started = time.monotonic()
    found = raw_crawl(tmp_path, routes, timeout_seconds=0.3)
    assert time.monotonic() - started < 2.0  # the script alone takes 3 seconds
    assert (found.outcomes["/1"], found.outcomes["/2"]) == ("timeout", "fetched")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0), ("0", 0.0), (" 12 ", 12.0), ("9" * 5_000, LONGEST_WAIT), ("²", None), ("٣", None),
        ("1_0", None), ("-1", None), ("1.5", None), ("", None), ("soon", None), (",", None),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0), ("Fri, 31 Dec 99999999999 23:59:59 GMT", None),
        ("1 " * 50_000, None), (" " * 50_000 + "x", None), ("Fri, " + "(" * 50_000, None),
        ("Fri, 99 Foo 2026 99:99:99 GMT", None), ("1 Jan 2026 00:00:00 +999999999999", None),
    ],
)  # fmt: skip
def test_retry_after_is_a_number_or_a_date_or_nothing(value: str, seconds: float | None) -> None:
    assert retry_after(value) == seconds


@pytest.mark.parametrize("value", [b"\xb2", b"Fri, 31 Dec 99999999999 23:59:59 GMT", b"\xff"])
def test_a_wrong_retry_after_is_ignored(tmp_path: Path, value: bytes) -> None:
    busy = answer(b"busy", b"Retry-After: " + value, status=b"503 Busy")
    found = raw_crawl(
        tmp_path, {"/": linked("/1", "/2"), "/1": busy, "/2": answer(b"TWO")}, retries=1
    )
    assert (found.outcomes["/1"], found.outcomes["/2"]) == ("http_error", "fetched")


@pytest.mark.parametrize("length", [b"\xb2", b"9" * 5_000, b"-1", b"1e9", b"+3", b"", b"\xd9\xa3"])
def test_a_length_that_is_no_number_is_no_length(tmp_path: Path, length: bytes) -> None:
    odd = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: " + length + b"\r\n\r\nodd"
    )
    found = raw_crawl(tmp_path, {"/": linked("/1", "/2"), "/1": [odd, CLOSE], "/2": answer(b"TWO")})
    assert found.outcomes["/1"] == (
        "too_large" if length.isdigit() and length.isascii() else "fetched"
    )
    assert found.outcomes["/2"] == "fetched"


@pytest.mark.parametrize(
    ("sent", "asked"),
    [
        ("/café".encode(), "/caf%C3%A9"),
        ("/café".encode("latin-1"), "/caf%E9"),
        (b"/caf%C3%A9", "/caf%C3%A9"),
        ("/日本?q=é".encode(), "/%E6%97%A5%E6%9C%AC?q=%C3%A9"),
        (b"/a b\xff", "/a%20b%FF"),
        (b"\\x\\y", "/x/y"),
    ],
)
def test_raw_bytes_in_location_are_the_bytes_of_the_address(
    tmp_path: Path, sent: bytes, asked: str
) -> None:
    moved = answer(b"", b"Location: " + sent, status=b"302 Found")
    found = raw_crawl(tmp_path, {"/": linked("/old"), "/old": moved, asked: answer(b"NEW")})
    assert found.outcomes[asked] == "fetched"


def test_what_a_server_says_is_fit_for_a_table(tmp_path: Path) -> None:
    odd = answer(b"", status=b"404 \x1b[31m\x07" + b"y" * 100_000)
    long = answer(b"", b"Content-Type: text/" + b"y" * 100_000)
    found = raw_crawl(tmp_path, {"/": linked("/1", "/2"), "/1": odd, "/2": long})
    assert found.details["/1"].startswith(" [31m yyy")
    assert max(len(row.detail + row.mime) for row in found.rows) < 3_000


def test_headers_are_archived_as_sent(tmp_path: Path) -> None:
    found = raw_crawl(
        tmp_path, {"/": answer(b"x", "X-Town: Ålesund é".encode(), b"X-Raw: \xe9\xb2")}
    )
    stored = gzip.decompress(found.file.read_bytes())
    assert "\r\nX-Town: Ålesund é\r\n".encode() in stored
    assert b"\r\nX-Raw: \xe9\xb2\r\n" in stored


@pytest.mark.parametrize(
    "refresh", ["0; url=/next", "5;URL='/next'", '0, "/next"', "0;/next", "1 /next"]
)
def test_a_page_that_only_refreshes_leads_on(tmp_path: Path, refresh: str) -> None:
    meta = f'<meta http-equiv="Refresh" content="{refresh.replace(chr(34), "&quot;")}">'
    routes: dict[str, Script | bytes] = {"/next": answer(b"NEXT")}
    assert (
        raw_crawl(tmp_path / "m", routes | {"/": answer(meta.encode())}).outcomes["/next"]
        == "fetched"
    )
    header = answer(b"moved", f"Refresh: {refresh}".encode())
    assert raw_crawl(tmp_path / "h", routes | {"/": header}).outcomes["/next"] == "fetched"
    tired = answer(b"x", b"Refresh: 30")
    assert set(raw_crawl(tmp_path / "t", {"/": tired}).outcomes) == {"/", "/robots.txt"}


def test_multiple_choices_with_a_location_is_a_redirect(tmp_path: Path) -> None:
    choice = answer(b"", b"Location: /best", status=b"300 Multiple Choices")
    found = raw_crawl(tmp_path, {"/": choice, "/best": answer(b"BEST")})
    assert (found.outcomes["/"], found.outcomes["/best"]) == ("redirect", "fetched")
    assert (
        raw_crawl(tmp_path / "b", {"/": answer(b"", status=b"300 X")}).outcomes["/"] == "http_error"
    )


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("text/html", "text/html"), ("Text/HTML; charset=x", "text/html"),
        ("text/html, text/html", "text/html"), ("text/plain, text/html;a=b, bad", "text/html"),
        ('text/plain; x="a, image/png", application/pdf', "application/pdf"),
        ("html", ""), ("*/*", ""), ("unknown/unknown", ""), ("application/unknown", ""), ("", ""),
        ("text/html, */*", "text/html"), (",", ""), (";", ""), ('"', ""),
    ],
)  # fmt: skip
def test_of_a_list_of_media_types_the_last_valid_one_counts(sent: str, meant: str) -> None:
    assert media_type(sent) == meant


BODIES = [
    b"plain", b"", b"5\r\nhello\r\n0\r\n\r\n", b"zz\r\nhello", b"\xb2\r\nx", gzip.compress(b"<p>x"),
    b"FFFFFFFFFFFFFFFF\r\nx", b"1\r\nxy\r\n0\r\n\r\n", b"0" * 40 + b"\r\n\r\n",
]  # fmt: skip
LINES = [
    b"Content-Length: 5", b"Content-Length: 5, 5", b"Content-Length: \xb2", b"Content-Length: 99",
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: \xff",
    b"Content-Encoding: gzip", b"Content-Encoding: br", b"Content-Type: text/html", b" folded", b":",
    b"no colon", b"X\xff: y", b"Connection: close", b"Location: http://[broken/", b"Retry-After: \xb2",
    b"X-Robots-Tag: a:b:c, noindex", b"Refresh: 0;url=http://[", b"Content-Type: text/html;charset=undefined",
]  # fmt: skip
STATUSES = [
    b"200 OK",
    b"200",
    b"301 M",
    b"503 Busy",
    b"20\xb2 OK",
    b"99999 X",
    b"204 No",
    b"101 S",
    b"\xff",
]


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.tuples(st.sampled_from(STATUSES), st.lists(st.sampled_from(LINES), max_size=5), st.sampled_from(BODIES)),
        min_size=3, max_size=3,
    )
)  # fmt: skip
def test_no_answer_ends_the_crawl_of_its_host(
    tmp_path: Path, wild: list[tuple[bytes, list[bytes], bytes]]
) -> None:
    def script(status: bytes, lines: list[bytes], body: bytes) -> Script:
        return [b"HTTP/1.1 " + b"\r\n".join([status, *lines, b"", body]), CLOSE]

    odd = [script(*one) for one in wild]
    routes: dict[str, Script | bytes] = {
        "/robots.txt": MISSING,
        "/": linked("/1", "/2", "/3", "/last"),
    }
    routes |= {f"/{i + 1}": one for i, one in enumerate(odd)} | {"/last": answer(b"LAST")}
    found = raw_crawl(tmp_path, routes, timeout_seconds=1.0)
    assert {"/", "/1", "/2", "/3", "/last"} <= set(found.outcomes)
    assert found.bodies["/last"] == b"LAST"
    assert "internal_error" not in found.outcomes.values()
