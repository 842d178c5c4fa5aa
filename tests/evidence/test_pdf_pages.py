"""The page of a passage of a PDF, found by its page map."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from regrow.ask.trace.journey import journey
from regrow.ask.trace.match import Match
from regrow.evidence import pdf_pages

TEXT = "One page of it.\n\nAnother page,\nwith two lines. One page of it."
SAID = {"pages": "4", "pdf_page_numbers": json.dumps([[0, 15, 1], [15, 46, 2], [46, 62, 4]]), "scanned_pages": "[3]"}  # fmt: skip
URL = "source://scans/a.pdf"


class Tables:
    """Outputs with one table of texts."""

    def __init__(self, metadata: str | None) -> None:
        self.asked = 0
        self.frame = pl.DataFrame({"id": ["x", "y"], "url": [URL, "source://scans/b.pdf"], "text": [TEXT, ""], "metadata": [metadata, None]})  # fmt: skip

    def rows(self, name: str, file: str, where: pl.Expr, columns: list[str]) -> list[dict[str, Any]]:  # fmt: skip
        assert (name, file) == ("text", "documents.parquet")
        self.asked += 1
        return self.frame.filter(where).select(columns).to_dicts()


def said(*passages: str, url: str = URL, metadata: str | None = json.dumps(SAID)) -> Any:
    return pdf_pages.facts(Tables(metadata), "x", url, passages)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("passages", "page"),
    [
        (["One page"], "1"), (["lines. One page of it."], "2, 4"), (["Another page, with"], "2"), (["page,withtwo"], "2"),
        (["not there", "two lines"], "2"), (["lines. One", "One"], "2, 4"),
    ],
)  # fmt: skip
def test_a_passage_has_its_pages(passages: list[str], page: str):
    assert said(*passages) == {"pages": 4, "scanned": 1, "page": page}


def test_without_a_passage_or_a_map_no_page_is_named():
    assert said("elsewhere") == said("") == said() == {"pages": 4, "scanned": 1}
    assert said("One", metadata=None) == said("One", metadata='{"pages": "4"}') == {}
    assert pdf_pages.facts(Tables(None), "z", URL, []) == {}  # type: ignore[arg-type]


def test_what_is_no_pdf_of_a_source_is_not_looked_up():
    tables = Tables(json.dumps(SAID))
    for url in ("http://a.example/a.pdf", "source://notes/a.md", ""):
        assert pdf_pages.facts(tables, "x", url, ["One"]) == {}  # type: ignore[arg-type]
    assert tables.asked == 0


def test_trace_names_the_page_of_a_line(monkeypatch: pytest.MonkeyPatch):
    tables = Tables(json.dumps(SAID))

    class Reading:
        sources = {"scans": {}}

        def __init__(self, outputs: Any) -> None:
            pass

        def kept(self, source: str) -> Any:
            from regrow.ask.trace.stop import Stop

            return Stop("read_scans", "kept", {"kind": "pdf"})

    monkeypatch.setattr("regrow.ask.trace.journey.Reading", Reading)
    monkeypatch.setattr("regrow.ask.trace.journey._table_step", lambda *found: Reading(None).kept(""))  # fmt: skip
    monkeypatch.setattr("regrow.ask.trace.journey.forks.journey", lambda *found: [])
    for name in ("_withdrawn", "_decontaminate", "_classify", "_mix"):
        monkeypatch.setattr(f"regrow.ask.trace.journey.{name}", lambda *found: None)
    monkeypatch.setattr("regrow.ask.trace.journey.later_mixes", lambda *found: [])
    monkeypatch.setattr("regrow.ask.trace.journey.takedowns.withdrawn", lambda *found: None)
    monkeypatch.setattr("regrow.ask.trace.journey.takedowns.stops", lambda *found: [])
    monkeypatch.setattr(tables, "find", lambda *found: [{"source": "scans"}], raising=False)
    stops = journey(tables, Match("x", URL, "", "text", "with two lines."))  # type: ignore[arg-type]
    assert stops[0].facts == {"kind": "pdf", "pages": 4, "scanned": 1, "page": "2"}
