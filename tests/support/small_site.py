"""A small sources folder for tests: hosts made of files, with a server that misbehaves as told."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from regrow.data.crawl.step import crawl
from regrow.params.schema import Params, check


def page(body: str, head: str = "") -> bytes:
    return f"<!DOCTYPE html><html><head><meta charset=utf-8>{head}</head><body>{body}</body></html>".encode()


def links(*targets: str) -> bytes:
    return page("".join(f'<a href="{t}">x</a>' for t in targets))


def sources(
    root: Path, hosts: dict[str, dict[str, bytes]], settings: dict[str, Any] | None = None
) -> Path:
    """Write manifest.yaml, server.yaml and archives for `hosts` (host -> path -> bytes)."""
    root.mkdir(parents=True, exist_ok=True)
    manifest: dict[str, Any] = {}
    for host, files in hosts.items():
        with tarfile.open(root / f"{host}.tar.xz", "w:xz") as archive:
            for path, data in sorted(files.items()):
                member = tarfile.TarInfo(path.lstrip("/"))
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        part = {"prefix": "/", "source": host, "title": host, "licence": "MIT"}
        manifest[host] = {"archive": f"{host}.tar.xz", "start": ["/"], "parts": [part]}
    (root / "manifest.yaml").write_text(yaml.safe_dump({"hosts": manifest}))
    (root / "server.yaml").write_text(yaml.safe_dump(settings or {}))
    return root


def run(
    tmp_path: Path,
    files: dict[str, bytes],
    rules: list[dict[str, Any]] | None = None,
    **crawl_params: Any,
) -> dict[str, dict[str, Any]]:
    """Crawl one host a.example; rows of fetches.parquet by path."""
    folder = sources(
        tmp_path / "sources", {"a.example": files}, {"a.example": {"rules": rules or []}}
    )
    output = tmp_path / "crawl"
    crawl({"sources": folder}, params(**crawl_params), output)
    return rows(output)


def params(**crawl_params: Any) -> Params:
    quick = {"backoff_seconds": 0.001, "timeout_seconds": 5.0, "requests_per_second": 10_000}
    return check({"crawl": quick | crawl_params}, "test")


def rows(output: Path) -> dict[str, dict[str, Any]]:
    frame = pl.read_parquet(output / "fetches.parquet")
    return {row["url"].removeprefix("http://a.example"): row for row in frame.to_dicts()}
