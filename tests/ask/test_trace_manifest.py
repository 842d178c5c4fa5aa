"""Rows of the crawl's table about a WARC file or a host of the manifest are no addresses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from regrow.ask.trace import manifest, scan
from regrow.ask.trace.answer import trace
from regrow.cli.main import main
from regrow.data.crawl.rows import SCHEMA, SOURCES
from regrow.data.tables import parquet as tables
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.publish.explorer.documents import documents
from small_tree import ID, republish, url

FILE = "foreign/manual-part.warc.gz"
OTHER = "http://other.example/"
COUNTED = "12 records, 3 pages"
HTTP = "http://manual.example/doc/joins.html"
WHY = "not among crawl.hosts"


def test_every_such_outcome_of_the_crawl_is_known() -> None:
    assert set(manifest.OUTCOMES) == SOURCES


def _row(about: str, outcome: str, detail: str, host: str = "other.example") -> dict[str, Any]:
    of_file = outcome == "foreign"
    return {
        "url": about,
        "host": host,
        "status": 0,
        "mime": "application/warc" if of_file else "",
        "bytes": 512 if of_file else 0,
        "depth": 0,
        "outcome": outcome,
        "detail": detail,
    }


@pytest.fixture
def mixed(tree: Path) -> Path:
    """A tree whose crawl also copied a WARC file (of two hosts) and left out hosts.

    `joins` stands for the root page of one: it came in the WARC file of another host.
    """
    path = tree / "data/crawl/fetches.parquet"
    frame = tables.read(path).cast(SCHEMA)
    rows = [
        _row(FILE, "foreign", COUNTED),
        _row(FILE, "foreign", "the same file again", "zoo.example"),
        _row(OTHER, "not_visited", WHY),
        _row(url("joins"), "not_visited", WHY),
        _row(HTTP, "not_visited", WHY),
    ]
    kept = frame.filter(pl.col("url") != url("joins"))
    tables.write(pl.concat([kept, pl.DataFrame(rows, schema=SCHEMA)]), path)
    republish(tree, "crawl")
    return tree


@pytest.mark.parametrize("query", [url("joins"), ID["joins"], HTTP])
def test_a_document_at_the_address_of_a_host_that_was_not_visited(mixed: Path, query: str) -> None:
    answer = trace(Ledger.load(mixed), query)
    assert [match["id"] for match in answer["matches"]] == [ID["joins"]]
    assert answer["stops"][0] == {
        "step": "crawl",
        "outcome": "kept",
        "facts": {"origin": "a WARC file among the sources"},
    }
    assert answer["fate"].startswith("seen by ")


@pytest.mark.parametrize(
    ("query", "outcome", "facts", "fate"),
    [
        (
            FILE,
            "copied",
            {"host": "other.example", "mime": "application/warc", "bytes": 512, "detail": COUNTED},
            f"a WARC file from elsewhere, copied: {COUNTED}",
        ),
        (
            OTHER,
            "not visited",
            {"host": "other.example", "detail": WHY},
            f"host not visited: {WHY}",
        ),
        (
            "other.example",
            "not visited",
            {"host": "other.example", "detail": WHY},
            f"host not visited: {WHY}",
        ),
    ],
)
def test_a_file_and_a_host_of_the_manifest_are_not_said_to_be_dropped(
    mixed: Path, query: str, outcome: str, facts: dict[str, Any], fate: str
) -> None:
    answer = trace(Ledger.load(mixed), query)
    assert [match["id"] for match in answer["matches"]] == [None]
    assert answer["stops"] == [{"step": "crawl", "outcome": outcome, "facts": facts}]
    assert (answer["fate"], answer["training"]) == (fate, [])


def test_the_command_prints_them(
    mixed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(mixed)
    assert main(["trace", OTHER]) == 0
    text = capsys.readouterr().out
    assert "· crawl          not visited host other.example" in text and "dropped" not in text
    assert main(["trace", FILE, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stops"][0]["outcome"] == "copied"


def test_they_are_no_addresses(mixed: Path) -> None:
    outputs = Outputs(Ledger.load(mixed))
    known = scan.known(outputs)
    assert not {FILE, OTHER, HTTP} & set(known["url"])
    assert known.filter(pl.col("url") == url("joins"))["id"].to_list() == [ID["joins"]]
    assert url("private") in known["url"], "an address that gave none stays"
    assert not {FILE, OTHER, HTTP} & {document.url for document in documents(outputs)}
    for part in ("manual-part", "other.exam"):
        with pytest.raises(Unanswerable) as none:
            trace(outputs.ledger, part)
        assert FILE not in str(none.value) and "other.example" not in str(none.value)
