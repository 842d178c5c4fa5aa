"""Hosts and files of the sources manifest: each is a row, or an error that says what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from regrow.data.crawl import foreign, step
from regrow.data.crawl.manifest import ManifestError, canonical_name, load
from regrow.data.crawl.rows import SOURCES
from regrow.data.crawl.step import crawl
from small_site import links, page, params, sources
from warc_files import members

PART = {"prefix": "/", "source": "s", "title": "t", "licence": "MIT"}


def extended(
    root: Path, hosts: dict[str, Any], site: dict[str, dict[str, bytes]] | None = None
) -> Path:
    """A sources folder with one crawled host, and these hosts besides."""
    sources(root, site or {"a.example": {"/index.html": page("x")}})
    path = root / "manifest.yaml"
    known = yaml.safe_load(path.read_text())
    known["hosts"] |= {name: {"parts": [PART]} | host for name, host in hosts.items()}
    path.write_text(yaml.safe_dump(known))
    return root


def record(url: str, kind: str = "response") -> bytes:
    """A WARC record with a page."""
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + page(url)
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2020-01-01T00:00:00Z\r\n"
        f"WARC-Record-ID: <urn:test:{url}>\r\nContent-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def archive(path: Path, *urls: str) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = members(*map(record, urls))
    path.write_bytes(data)
    return data


def source_rows(output: Path) -> dict[str, tuple[str, str, str]]:
    frame = pl.read_parquet(output / "fetches.parquet").filter(
        pl.col("outcome").is_in(sorted(SOURCES))
    )
    return {row["url"]: (row["host"], row["outcome"], row["detail"]) for row in frame.to_dicts()}


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("bücher.example", "xn--bcher-kva.example"), ("B.Example", "b.example"), ("b.example.", "b.example"),
        ("b.example:80", "b.example"), ("b.example:8080", "b.example:8080"), ("straße.example", "xn--strae-oqa.example"),
    ],
)  # fmt: skip
def test_a_host_is_crawled_however_the_manifest_spells_it(
    tmp_path: Path, written: str, canonical: str
) -> None:
    root = sources(
        tmp_path / "s",
        {
            written: {
                "/index.html": links("/1", f"http://{written}/2"),
                "/1": page("1"),
                "/2": page("2"),
            }
        },
    )
    counts = crawl({"sources": root}, params(hosts=[written]), tmp_path / "out")
    assert (counts["hosts"], counts["pages"]) == (1, 3)
    assert (tmp_path / "out" / f"{canonical.replace(':', '_')}.warc.gz").exists()
    part = load(root / "manifest.yaml").part(
        f"HTTP://{written.upper()}/x" if written != "straße.example" else "http://straße.example/x"
    )
    assert part is not None and part.licence == "MIT"


@pytest.mark.parametrize(
    ("hosts", "message"),
    [
        ({"a b.example": {}}, "no host name"),
        ({"http://a.example": {}}, "no host name"),
        ({"a.example/x": {}}, "no host name"),
        ({"": {}}, "no host name"),
        ({"a..example": {}}, "no host name"),
        ({"B.example": {}, "b.example": {}}, "b.example, which is there already"),
        ({"b.example": {"start": ["http://c.example/"]}}, "no address of this host"),
        ({"b.example": {"start": ["mailto:x"]}}, "no address of this host"),
        ({"b.example": {"foreign": ["/etc/x.warc.gz"]}}, "below the manifest's folder"),
        ({"b.example": {"foreign": ["../x.warc.gz"]}}, "below the manifest's folder"),
        ({"b.example": {"archive": "a/../../x.tar.xz", "start": ["/"]}}, "below the manifest's folder"),
        *[
            ({"b.example": {"foreign": [f"f/{name}"]}}, rf"f/{name}: no reader .* \.warc\.gz and \.warc")
            for name in ("x.warc.zst", "x.arc", "x.arc.gz", "x.ARC.GZ", "x.warc.wet.gz", "x.warc.wat.gz", "x.warc.bz2", "x.wacz", "x", "x.gz")
        ],
    ],
)  # fmt: skip
def test_what_nothing_could_read_is_an_error_that_names_it(
    tmp_path: Path, hosts: dict[str, Any], message: str
) -> None:
    root = extended(tmp_path / "s", hosts)
    with pytest.raises(ManifestError, match=message) as error:
        crawl({"sources": root}, params(), tmp_path / "out")
    assert "manifest.yaml" in str(error.value)


def test_files_of_one_base_name_both_survive(tmp_path: Path) -> None:
    root = extended(
        tmp_path / "s",
        {
            "b.example": {
                "foreign": ["a/x.warc.gz", "b/x.warc.gz", "c/X.WARC.GZ", "d/y.warc", "d/y.WARC.gz"]
            }
        },
    )
    data = {
        path: archive(root / path, f"http://b.example/{i}")
        for i, path in enumerate(["a/x.warc.gz", "b/x.warc.gz", "c/X.WARC.GZ", "d/y.WARC.gz"])
    }
    (root / "d/y.warc").write_bytes(b"WARC/1.0\r\n")
    counts = crawl({"sources": root}, params(), tmp_path / "out")
    copied = sorted(path for path in (tmp_path / "out").glob("foreign-*"))
    assert counts["foreign"] == len(copied) == len({path.name.lower() for path in copied}) == 5
    assert all(path.name.endswith((".warc.gz", ".warc")) for path in copied)
    assert sorted(data.values()) == sorted(
        path.read_bytes() for path in copied if path.suffix == ".gz"
    )
    assert {url for url, row in source_rows(tmp_path / "out").items() if row[1] == "foreign"} == {
        *data,
        "d/y.warc",
    }
    assert (tmp_path / "out/foreign-y.warc").exists() and (
        tmp_path / "out/foreign-y.warc.gz"
    ).exists()


def test_names_in_the_output_depend_on_the_manifest_alone() -> None:
    paths = ["a/x.warc.gz", "b/x.warc.gz", "c/y.warc", "X.WARC"]
    names = foreign.output_names(paths)
    assert names == {path: foreign.output_names(paths[::-1])[path] for path in paths}
    assert (names["c/y.warc"], names["X.WARC"]) == ("foreign-y.warc", "foreign-X.warc")
    assert len({name.lower() for name in names.values()}) == 4
    assert foreign.output_names(["a/x.warc.gz"]) == {"a/x.warc.gz": "foreign-x.warc.gz"}


def test_two_spellings_of_one_path_are_one_file(tmp_path: Path) -> None:
    root = extended(tmp_path / "s", {"b.example": {"foreign": ["f/x.warc.gz", "./f//x.warc.gz"]}})
    archive(root / "f/x.warc.gz", "http://b.example/")
    counts = crawl({"sources": root}, params(), tmp_path / "out")
    assert counts["foreign"] == 1
    assert (tmp_path / "out/foreign-x.warc.gz").exists()


def test_a_file_that_holds_pages_of_two_hosts_is_copied_once(tmp_path: Path) -> None:
    root = extended(
        tmp_path / "s",
        {"b.example": {"foreign": ["x.warc.gz"]}, "c.example": {"foreign": ["x.warc.gz"]}},
    )
    archive(root / "x.warc.gz", "http://b.example/", "http://c.example/")
    counts = crawl({"sources": root}, params(), tmp_path / "out")
    assert (counts["foreign"], len(list((tmp_path / "out").glob("foreign-*")))) == (1, 1)
    frame = pl.read_parquet(tmp_path / "out/fetches.parquet").filter(pl.col("outcome") == "foreign")
    assert frame["detail"].to_list() == ["2 response", "the same file again"]


@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.parametrize("field", ["foreign", "archive"])
def test_a_file_that_is_missing_is_an_error_with_the_command_that_brings_it(
    tmp_path: Path, tracked: bool, field: str
) -> None:
    path = "f/x.warc.gz" if field == "foreign" else "f/x.tar.xz"
    host = {"foreign": [path]} if field == "foreign" else {"archive": path, "start": ["/"]}
    root = extended(tmp_path / "sources", {"b.example": host})
    (root / "f").mkdir()
    if tracked:
        (root / f"{path}.dvc").write_text("outs: []\n")
    fix = rf"`dvc pull sources/{path}`" if tracked else rf"`git checkout -- sources/{path}`"
    with pytest.raises(ManifestError, match=rf"hosts\.b\.example\.{field}.*{fix}"):
        crawl({"sources": root}, params(), tmp_path / "out")


def test_records_of_hosts_that_the_manifest_does_not_name_are_counted_aloud(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = extended(
        tmp_path / "s",
        {"b.example": {"foreign": ["x.warc.gz"], "parts": [PART | {"prefix": "/docs/"}]}},
    )
    archive(
        root / "x.warc.gz",
        "http://b.example/docs/1",
        "http://b.example/blog",
        "http://c.example/1",
        "http://c.example/2",
        "http://[broken/",
    )
    counts = crawl({"sources": root}, params(), tmp_path / "out")
    assert counts["unnamed"] == {"hosts": 3, "records": 4}
    said = capsys.readouterr().err
    assert "4 records of 3 hosts" in said and "c.example (2), b.example (1), no host (1)" in said
    assert crawl(
        {"sources": sources(tmp_path / "t", {"a.example": {"/index.html": page("x")}})},
        params(),
        tmp_path / "o",
    )["unnamed"] == {"hosts": 0, "records": 0}


def test_records_that_nothing_reads_are_named(tmp_path: Path) -> None:
    root = extended(tmp_path / "s", {"b.example": {"foreign": ["x.warc.gz"]}})
    text = record("http://b.example/", "conversion")
    (root / "x.warc.gz").write_bytes(members(text, record("http://b.example/1")))
    crawl({"sources": root}, params(), tmp_path / "out")
    assert source_rows(tmp_path / "out")["x.warc.gz"][2] == "1 response, 1 conversion not read"
    (root / "x.warc.gz").write_bytes(members(text, text))
    with pytest.raises(
        ManifestError,
        match=r"x\.warc\.gz: holds 2 conversion records and no response, resource, revisit",
    ):
        crawl({"sources": root}, params(), tmp_path / "again")


def test_every_host_of_the_manifest_is_a_row(tmp_path: Path) -> None:
    root = extended(
        tmp_path / "s",
        {
            "b.example": {},
            "c.example": {"start": ["/"]},
            "d.example": {"foreign": ["x.warc.gz"]},
            "e.example": {"foreign": ["x.warc.gz"]},
        },
    )
    archive(root / "x.warc.gz", "http://d.example/", "http://e.example/")
    counts = crawl(
        {"sources": root},
        params(hosts=["A.example", "b.example", "c.example", "d.example"]),
        tmp_path / "out",
    )
    assert (counts["hosts"], counts["not_visited"]) == (1, 3)
    frame = pl.read_parquet(tmp_path / "out/fetches.parquet")
    assert set(frame["host"]) == {f"{name}.example" for name in "abcde"}
    assert {url: row[2] for url, row in source_rows(tmp_path / "out").items()} == {
        "http://b.example/": "no `start`",
        "http://c.example/": "it has no archive, and the crawl is frozen",
        "x.warc.gz": "2 response",
        "http://e.example/": "not among crawl.hosts; 1 foreign files not read",
    }


def test_a_foreign_file_without_a_row_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = extended(tmp_path / "s", {"b.example": {"foreign": ["x.warc.gz"]}})
    archive(root / "x.warc.gz", "http://b.example/")
    monkeypatch.setattr(foreign, "copy", lambda *_: foreign.Copies())
    with pytest.raises(RuntimeError, match=r"foreign files without a row: x\.warc\.gz"):
        crawl({"sources": root}, params(), tmp_path / "out")


def test_a_host_without_a_row_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "_not_visited", lambda *_: [])
    root = extended(tmp_path / "s", {"b.example": {}})
    with pytest.raises(RuntimeError, match=r"without a row: b\.example"):
        crawl({"sources": root}, params(), tmp_path / "out")


def test_server_rules_hold_for_a_host_in_any_spelling(tmp_path: Path) -> None:
    files = {"/index.html": page("x")}
    rule = {"rules": [{"path": "/", "status": 410}]}
    root = sources(tmp_path / "s", {"B.Example": files}, {"b.EXAMPLE": rule})
    crawl({"sources": root}, params(), tmp_path / "out")
    frame = pl.read_parquet(tmp_path / "out/fetches.parquet")
    assert frame.filter(pl.col("url") == "http://b.example/")["status"].to_list() == [410]
    assert canonical_name("B.Example:443") == "b.example:443"
