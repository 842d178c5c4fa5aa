"""Pages with something wrong: each has its outcome, none ends the run."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pytest

from regrow.data.crawl.server import read_archive
from warc_files import WORDS, html, pages, response

ROOT = Path(__file__).parents[2]
KOREAN = "이 문서는 서버의 로그 파일을 설명한다. 관리자는 이 파일로 서버의 상태를 알 수 있다. " * 20


@pytest.fixture(scope="module")
def odd() -> dict[str, bytes]:
    return read_archive(ROOT / "sources/sites/odd.tar.xz")


def test_pdfs(tmp_path: Path, odd: dict[str, bytes]) -> None:
    names = ("encrypted", "image", "cut", "crazyones")
    records = [response(f"/{n}.pdf", odd[f"/pdf/{n}.pdf"], "application/pdf") for n in names]
    records += [
        response("/none.pdf", html(), "application/pdf"),
        response("/noise.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 9, "application/pdf"),
        response("/mislabelled", odd["/pdf/crazyones.pdf"] + b"\n", "text/html"),
    ]
    got = pages(tmp_path, *records)
    assert got.reason("/encrypted.pdf") == "encrypted_pdf"
    assert got.reason("/image.pdf") == "image_only_pdf"
    assert (
        got.reason("/cut.pdf")
        == got.reason("/none.pdf")
        == got.reason("/noise.pdf")
        == "broken_pdf"
    )
    for path in ("/crazyones.pdf", "/mislabelled"):
        assert "the crazy ones. The misfits. The rebels." in got.documents[path]["text"]
        assert got.documents[path]["mime"] == "application/pdf"


def test_pdf_pages_are_limited(tmp_path: Path, odd: dict[str, bytes]) -> None:
    record = response("/x.pdf", odd["/pdf/columns.pdf"], "application/pdf")
    whole = pages(tmp_path / "a", record).documents["/x.pdf"]["text"]
    one = pages(tmp_path / "b", record, pdf_max_pages=1).documents["/x.pdf"]["text"]
    assert whole.startswith(one)
    assert len(one) < len(whole)


def test_fifty_megabytes_on_one_line(tmp_path: Path) -> None:
    body = html("word " * 10_000_000)
    assert len(body) > 50_000_000
    got = pages(tmp_path, response("/huge", body), response("/after", html()))
    assert got.reason("/huge") == "too_large"
    assert set(got.documents) == {"/after"}
    larger = pages(tmp_path / "b", response("/huge", body), max_html_bytes=60_000_000)
    assert larger.reason("/huge") == "line_too_long"
    assert larger.drops["/huge"]["value"] > 50_000_000 > larger.drops["/huge"]["threshold"]


def test_text_of_every_charset_comes_out_right(tmp_path: Path, odd: dict[str, bytes]) -> None:
    bare = {"head": ""}
    greek = "Η καλή μέρα από το πρωί φαίνεται. " * 20
    records = [
        response("/header", html(KOREAN, **bare).decode().encode("euc-kr"), "text/html; charset=EUC-KR"),
        response("/meta", html(KOREAN, "<meta charset='euc-kr'>").decode().encode("euc-kr")),
        response("/http-equiv", html(KOREAN, '<META http-equiv="Content-Type" content="text/html; charset=EUC-KR">').decode().encode("euc-kr")),
        response("/bytes", html(KOREAN, **bare).decode().encode("euc-kr")),
        response("/wrong-header", html(greek, **bare), "text/html; charset=iso-8859-1"),
        response("/unknown-label", html(greek, "<meta charset=x-nonsense>")),
        response("/utf16", html(greek, **bare).decode().encode("utf-16")),
        response("/greek", html(greek, **bare).decode().encode("cp1253"), "text/plain; charset=windows-1253"),
        response("/shift-jis", html("これは日本語の文章です。漢字とかなが混ざっています。" * 20, **bare).decode().encode("cp932")),
    ]  # fmt: skip
    got = pages(tmp_path, *records)
    assert not got.drops
    for path in ("/header", "/meta", "/http-equiv", "/bytes"):
        assert KOREAN[:40] in got.documents[path]["text"], path
        assert got.documents[path]["charset"] == "cp949"
    for path in ("/wrong-header", "/unknown-label", "/utf16", "/greek"):
        assert greek[:30] in got.documents[path]["text"], path
    assert "漢字とかなが混ざって" in got.documents["/shift-jis"]["text"]


def test_real_korean_and_russian_pages(tmp_path: Path, odd: dict[str, bytes]) -> None:
    names = ("/korean/meta.html", "/korean/bare.html", "/russian/cp1251.html")
    got = pages(tmp_path, *[response(n, odd[n]) for n in names])
    assert "로그파일" in got.documents["/korean/meta.html"]["title"]
    assert "동적공유객체" in got.documents["/korean/bare.html"]["title"]
    assert "Поддержка" in got.documents["/russian/cp1251.html"]["title"]


def test_invalid_utf8_is_repaired_or_dropped(tmp_path: Path, odd: dict[str, bytes]) -> None:
    repaired = html(WORDS).replace(b"fox", b"f\xff\xfeox", 1)
    got = pages(tmp_path, response("/some", repaired), response("/garbage", odd["/garbage.html"]))
    assert "quick brown fox" in got.documents["/some"]["text"]
    assert got.counts["repaired"] == 1
    assert got.reason("/garbage") == "bad_charset"
    strict = pages(tmp_path / "b", response("/some", repaired), max_invalid=0)
    assert strict.documents.get("/some", {}).get("charset") != "utf-8"


def test_nothing_to_read(tmp_path: Path) -> None:
    records = [
        response("/empty", b""),
        response("/spaces", b" \n\t "),
        response(
            "/markup", b"<html><head><title>x</title></head><body><script>1</script></body></html>"
        ),
        response("/short", b"ok", "text/plain"),
    ]
    got = pages(tmp_path, *records, min_characters=3)
    assert {got.reason(p) for p in ("/empty", "/spaces", "/markup", "/short")} == {"empty"}
    assert (got.drops["/short"]["value"], got.drops["/short"]["threshold"]) == (2.0, 3.0)


def test_what_is_no_text(tmp_path: Path, odd: dict[str, bytes]) -> None:
    records = [
        response("/png", odd["/picture.png"]),
        response("/zip", b"PK\x03\x04" + bytes(50), "application/zip"),
        response("/json", b'{"a": 1}', "application/json"),
        response("/binary", odd["/binary.html"]),
        response("/missing", html(), status=404),
        response("/robots.txt", b"User-agent: *", "text/plain"),
        response("/no-type", html(), None),
        response("/no-type.txt", WORDS.encode(), None),
    ]
    got = pages(tmp_path, *records)
    assert {got.reason(p) for p in ("/png", "/zip", "/json", "/binary")} == {"not_text"}
    assert (got.reason("/missing"), got.drops["/missing"]["value"]) == ("http_status", 404.0)
    assert got.reason("/robots.txt") == "robots_txt"
    assert got.documents["/no-type"]["mime"] == "text/html"
    assert got.documents["/no-type.txt"]["mime"] == "text/plain"


def test_codings(tmp_path: Path) -> None:
    body = html()
    bomb = gzip.compress(b"a" * 9_000_000)
    chunked = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    records = [
        response("/gzip", gzip.compress(body), http="Content-Encoding: gzip\r\n"),
        response("/deflate", zlib.compress(body), http="Content-Encoding: deflate\r\n"),
        response("/plain", body, http="Content-Encoding: gzip\r\n"),
        response("/chunked", chunked, http="Transfer-Encoding: chunked\r\n"),
        response("/unchunked", body, http="Transfer-Encoding: chunked\r\n"),
        response("/bomb", bomb, http="Content-Encoding: gzip\r\n"),
        response("/half", gzip.compress(body)[:-30], http="Content-Encoding: gzip\r\n"),
        response("/zstd", b"\x28\xb5\x2f\xfd" + bytes(60), http="Content-Encoding: zstd\r\n"),
        response("/not-zstd", body, http="Content-Encoding: zstd\r\n"),
        response("/cut", body, warc="WARC-Truncated: length\r\n"),
        response("/time", body, warc="WARC-Truncated: time\r\n"),
        response("/short", body, http=f"Content-Length: {len(body) + 10}\r\n"),
    ]
    got = pages(tmp_path, *records)
    for path in ("/gzip", "/deflate", "/plain", "/chunked", "/unchunked", "/not-zstd"):
        assert "quick brown fox" in got.documents[path]["text"], path
    assert got.reason("/bomb") == got.reason("/cut") == "too_large"
    assert got.reason("/half") == got.reason("/zstd") == "bad_coding"
    assert got.reason("/time") == got.reason("/short") == "unreadable_record"


def test_deep_nesting_is_refused_but_many_elements_are_not(
    tmp_path: Path, odd: dict[str, bytes]
) -> None:
    flat = html("".join(f"<div>{WORDS}</div>\n" for _ in range(3_000)))
    got = pages(tmp_path, response("/deep", odd["/nested.html"]), response("/flat", flat))
    assert got.reason("/deep") == "too_deep"
    assert got.documents["/flat"]["text"].count("quick brown fox") > 1_000
