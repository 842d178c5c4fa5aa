"""What comes out of good pages, the document contract, charsets by property, determinism."""

from __future__ import annotations

import hashlib
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from determinism import run_twice
from regrow.data.crawl.server import read_archive
from regrow.data.text.document import document_id, tidy
from regrow.data.text.html import extract
from regrow.data.text.payload import kind_of
from regrow.data.text.step import SCHEMA
from regrow.data.web import charset
from regrow.data.web.coding import decoded
from regrow.data.web.sniff import has_controls, is_html, mostly_controls
from warc_files import WORDS, html, members, pages, response

ROOT = Path(__file__).parents[2]
CODE = """
import sys
from pathlib import Path
from regrow.data.text.step import extract
from regrow.params.schema import Params
extract({"crawl": Path(sys.argv[2]), "sources": Path(sys.argv[3])}, Params(), Path(sys.argv[1]))
"""


def test_document_fields(tmp_path: Path) -> None:
    body = html()
    got = pages(tmp_path, response("/cc/x.html", body), response("/y.html", html("y " * 100)))
    row = got.documents["/cc/x.html"]
    wanted = hashlib.sha256(b"http://a.example/cc/x.html\0" + body).hexdigest()[:32]
    assert row["id"] == wanted == document_id("http://a.example/cc/x.html", body)
    assert (row["host"], row["source"], row["licence"]) == ("a.example", "site-a-cc", "CC-BY-4.0")
    assert got.documents["/y.html"]["licence"] == "MIT"
    assert (row["mime"], row["charset"], row["title"]) == ("text/html", "utf-8", "T")
    frame = pl.read_parquet(tmp_path / "text/documents.parquet")
    assert dict(frame.schema) == SCHEMA
    assert frame["id"].is_sorted()
    assert got.counts["in"] == got.counts["kept"] + sum(got.counts["dropped"].values()) == 2


def test_menus_go_and_content_stays() -> None:
    site = read_archive(ROOT / "sources/sites/sqlalchemy.tar.xz")
    title, text = extract(site["/20/tutorial/metadata.html"].decode(), "resiliparse")
    assert title.startswith("Working with Database Metadata")
    assert "we will use the user_table Python variable to refer to it" in text
    assert "Full Table of Contents" not in text
    assert "¶" not in text
    _, related = extract(site["/20/tutorial/orm_related_objects.html"].decode(), "resiliparse")
    assert "Working with ORM Related Objects" in related  # the heuristics call this page a menu


def test_the_other_extractor(tmp_path: Path) -> None:
    body = html("</p><nav>Menu one two</nav><p>".join([WORDS] * 3))
    got = pages(tmp_path, response("/x", body), html_extractor="trafilatura")
    assert "quick brown fox" in got.documents["/x"]["text"]


@pytest.mark.parametrize(
    ("content_type", "body", "wanted"),
    [
        ("text/html; charset=KOI8-R", b"<meta charset=utf-8>", ["koi8-r", "utf-8"]),
        ("text/html;charset='latin1'", b"", ["cp1252"]),
        ("text/html; charset=nonsense", b"<meta charset=gb2312>", ["gb18030"]),
        ("", b"\xef\xbb\xbf<meta charset=gbk>", ["utf-8", "gb18030"]),
        ("", b"\xff\xfex\x00", ["utf-16-le"]),
        ("", b"<?xml version='1.0' encoding='euc-jp'?>", ["euc_jp"]),
        ("", b"<meta charset=utf-16>", ["utf-8"]),
        ("text/html; charset=base64", b"<meta charset=utf-7>", []),
        ("text/html; charset=shift-jis", b"", ["cp932"]),
    ],
)
def test_declared_charsets_in_the_order_of_trust(
    content_type: str, body: bytes, wanted: list[str]
) -> None:
    found = charset.declared(body, content_type)
    assert [codec.replace("-", "_") for codec in found] == [w.replace("-", "_") for w in wanted]


CHINESE = "这个网站上的文章是关于自由软件的。我们可以在这里找到很多有用的信息。"
TRADITIONAL = "這個網站上的文章是關於自由軟體的。我們可以在這裡找到很多有用的資訊。"
JAPANESE = (
    "このページではフリーソフトウェアについて説明しています。詳しいことは文書を見てください。"
)
KOREAN = "이 글은 자유 소프트웨어에 대한 설명을 하고 있다. 그리고 사용자는 문서를 읽을 수 있다."


@given(st.integers(3, 40), st.text("abc <>/=\"'\n", max_size=200))
@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (CHINESE, "gb18030"),
        (TRADITIONAL, "big5hkscs"),
        (JAPANESE, "cp932"),
        (JAPANESE, "euc-jp"),
        (KOREAN, "cp949"),
        (KOREAN, "utf-8"),
        ("Ünïcode für alle, façade é così, niño. ", "utf-8"),
    ],
)
def test_charset_by_bytes_alone(text: str, codec: str, times: int, markup: str) -> None:
    page = markup + text * times + markup
    found = charset.decode(page.encode(codec), "text/html", 0.0)
    assert found is not None
    assert found.text == page


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300))
def test_utf8_needs_no_declaration(text: str) -> None:
    found = charset.decode(text.encode(), "", 0.0)
    assert found is not None
    assert found.text == text.removeprefix("\ufeff")


@given(st.binary(max_size=300), st.text(max_size=40))
def test_any_bytes_decode_cleanly_or_not_at_all(body: bytes, label: str) -> None:
    found = charset.decode(body, f"text/html; charset={label}", 0.01)
    if found is not None:
        tidied = tidy(found.text)
        tidied.encode("utf-8")
        assert tidied == tidy(tidied)
        assert "\x00" not in tidied
    kind_of(body, "text/html")
    has_controls(body)
    mostly_controls(body)
    is_html(body)
    assert decoded(body, {}, 10) == body


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    site = read_archive(ROOT / "sources/sites/odd.tar.xz")
    types = {"pdf": "application/pdf", "html": "text/html"}
    records = [
        response(p, b, types.get(p.rpartition(".")[2], "text/plain"))
        for p, b in sorted(site.items())
    ]
    folder = tmp_path / "crawl"
    folder.mkdir()
    (folder / "a.warc.gz").write_bytes(members(*records[::2]))
    (folder / "b.warc.gz").write_bytes(members(*records[1::2])[:-100])
    manifest = str(ROOT / "sources/manifest.yaml")
    assert set(run_twice(CODE, tmp_path, str(folder), manifest)) == {
        "documents.parquet",
        "drops.parquet",
    }
