"""The crawl step as a whole: bytes, records, manifest."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator

from determinism import run_twice
from regrow.data.crawl.manifest import ManifestError, load
from regrow.data.crawl.step import crawl
from small_site import links, page, params, sources

CODE = """
import sys
from pathlib import Path
from regrow.data.crawl.step import crawl
from regrow.params.schema import check
params = check({"crawl": {"backoff_seconds": 0.001}}, "test")
crawl({"sources": Path(sys.argv[2])}, params, Path(sys.argv[1]))
"""


def site(root: Path) -> Path:
    hosts = {
        f"{name}.example": {
            "/index.html": links(*[f"/{i}.html" for i in range(20)], "/gone.html", "http://b.example/3.html?x", "/busy"),
            "/robots.txt": b"User-agent: *\nDisallow: /7.html\n",
            "/busy": page("busy"),
        }
        | {f"/{i}.html": page(f"<p>page {i} of {name} " * 50) for i in range(20)}
        for name in "abcd"
    }  # fmt: skip
    busy = {"rules": [{"path": "/busy", "status": 503, "times": 1}]}
    return sources(root, hosts, {host: busy for host in hosts})


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    folder = site(tmp_path / "sources")
    hashes = run_twice(CODE, tmp_path, str(folder))
    assert set(hashes) == {f"{n}.example.warc.gz" for n in "abcd"} | {"fetches.parquet"}


def test_warc_records_are_whole_and_digests_fit(tmp_path: Path) -> None:
    crawl({"sources": site(tmp_path / "sources")}, params(), tmp_path / "out")
    path = tmp_path / "out/b.example.warc.gz"
    kinds: list[str] = []
    concurrent: list[str | None] = []
    answers: list[str | None] = []
    with path.open("rb") as file:
        for record in ArchiveIterator(file, parse_http=False):
            kind = str(record.record_type)
            kinds.append(kind)
            assert record.headers.status_line == "WARC/1.1"
            assert record.headers.get("WARC-Date") == params().crawl.warc_date
            assert "127.0.0.1" not in str(record.headers)
            if kind == "response":
                answers.append(record.record_id)
            if kind == "request":
                concurrent.append(record.headers.get("WARC-Concurrent-To"))
            assert kind == "warcinfo" or record.verify_block_digest()
    assert kinds[0] == "warcinfo"
    assert kinds.count("response") == kinds.count("request") == len(set(answers))
    assert concurrent == answers
    # one gzip member per record
    rest, members = path.read_bytes(), 0
    while rest:
        inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        assert inflate.decompress(rest).startswith(b"WARC/1.1\r\n")
        rest, members = inflate.unused_data, members + 1
    assert members == len(kinds)
    assert b"http://b.example/3.html?x" in gzip.decompress(path.read_bytes())


def test_foreign_files_are_copied_byte_for_byte(tmp_path: Path) -> None:
    root = site(tmp_path / "sources")
    (root / "other.warc.gz").write_bytes(b"whatever")
    manifest = (root / "manifest.yaml").read_text()
    part = "{prefix: /, source: o, title: o, licence: MIT}"
    manifest += f"  o.example: {{foreign: [other.warc.gz], parts: [{part}]}}\n"
    (root / "manifest.yaml").write_text(manifest)
    counts = crawl({"sources": root}, params(hosts=["a.example", "o.example"]), tmp_path / "out")
    assert (tmp_path / "out/foreign-other.warc.gz").read_bytes() == b"whatever"
    assert (counts["hosts"], counts["foreign"]) == (1, 1)


def test_manifest_errors_name_file_and_field(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text("hosts: {a.example: {start: [/], parts: [{prefix: x, source: s, title: t}]}}")
    with pytest.raises(
        ManifestError, match=r"manifest\.yaml: hosts\.a\.example\.parts\.0\.licence"
    ):
        load(path)


def test_longest_prefix_gives_source_and_licence(tmp_path: Path) -> None:
    manifest = load(Path(__file__).parents[2] / "sources/manifest.yaml")
    part = manifest.part("http://roundup.example/templates/classic/page.html")
    assert part is not None
    assert (part.source, part.licence) == ("roundup-2.6.0-templates", "ZPL-2.0")
    other = manifest.part("http://roundup.example/FAQ.html")
    assert other is not None
    assert other.licence == "MIT"
    assert manifest.part("http://nowhere.example/") is None


def test_the_committed_sources_are_complete_and_small() -> None:
    root = Path(__file__).parents[2] / "sources"
    manifest = load(root / "manifest.yaml")
    wanted = {h.archive for h in manifest.hosts.values() if h.archive}
    wanted |= {f for h in manifest.hosts.values() for f in h.foreign}
    have = {
        p.relative_to(root).as_posix() for d in ("sites", "foreign") for p in (root / d).iterdir()
    }
    assert have == wanted
    assert sum((root / name).stat().st_size for name in wanted) < 12_000_000
