"""WARC files for tests, written byte by byte, so that they can be wrong on purpose."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import polars as pl

from regrow.data.text.step import extract
from regrow.params.schema import check

MANIFEST = """
hosts:
  a.example:
    parts:
      - {prefix: /, source: site-a, title: A, licence: MIT}
      - {prefix: /cc/, source: site-a-cc, title: A too, licence: CC-BY-4.0}
"""
WORDS = "The quick brown fox jumps over the lazy dog near the river bank while it rains. " * 6


def html(text: str = WORDS, head: str = "<meta charset=utf-8>") -> bytes:
    return f"<!DOCTYPE html><html><head>{head}<title>T</title></head><body><p>{text}</p></body></html>".encode()


def response(
    path: str,
    body: bytes,
    mime: str | None = "text/html",
    *,
    status: int = 200,
    kind: str = "response",
    length: int | None = None,
    warc: str = "",
    http: str = "",
    name: str | None = None,
) -> bytes:
    """One record; `length` is a wrong Content-Length, `warc` and `http` are further header lines."""
    lines = f"HTTP/1.1 {status} X\r\n" + (f"Content-Type: {mime}\r\n" if mime else "") + http
    block = body if kind == "resource" else lines.encode() + b"\r\n" + body
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: http://a.example{path}\r\n"
        f"WARC-Date: 2020-01-01T00:00:00Z\r\nWARC-Record-ID: <urn:test:{name or path}>\r\n"
        f"Content-Type: {mime if kind == 'resource' else 'application/http; msgtype=response'}\r\n{warc}"
        f"Content-Length: {len(block) if length is None else length}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def members(*records: bytes) -> bytes:
    """A .warc.gz as it should be: one gzip member per record."""
    return b"".join(gzip.compress(r, mtime=0) for r in records)


class Result:
    """What the text step made of some files."""

    def __init__(self, folder: Path, counts: dict[str, Any]) -> None:
        self.counts = counts
        documents = pl.read_parquet(folder / "documents.parquet").to_dicts()
        drops = pl.read_parquet(folder / "drops.parquet").to_dicts()
        self.documents = {row["url"].removeprefix("http://a.example"): row for row in documents}
        self.drops = {(row["url"] or "").removeprefix("http://a.example"): row for row in drops}

    def reason(self, path: str) -> str:
        return str(self.drops[path]["reason"])


def run(tmp_path: Path, files: dict[str, bytes], **text_params: Any) -> Result:
    """Run the text step on these .warc.gz files."""
    crawl, output = tmp_path / "crawl", tmp_path / "text"
    crawl.mkdir(parents=True)
    output.mkdir()
    for name, data in files.items():
        (crawl / name).write_bytes(data)
    (tmp_path / "manifest.yaml").write_text(MANIFEST)
    params = check({"text": text_params}, "test")
    counts = extract({"crawl": crawl, "sources": tmp_path / "manifest.yaml"}, params, output)
    return Result(output, counts)


def pages(tmp_path: Path, *records: bytes, **text_params: Any) -> Result:
    """Run the text step on one well-formed file of these records."""
    return run(tmp_path, {"x.warc.gz": members(*records)}, **text_params)
