"""The page of the funnel: sound HTML, widths that are numbers of documents, and what it looks like in a browser."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from chromium import BROWSER, Chromium
from regrow.ask.funnel.answer import answer
from regrow.ask.funnel.funnel import read
from regrow.ask.guards.check import check
from regrow.publish.funnel.flows import MOST, flows
from regrow.publish.funnel.page import page
from regrow.publish.funnel.sankey import WIDE, sankey
from small_funnel import Doc, many, write

HOSTILE = "<script>alert(1)</script>\u202e"
DOCUMENTS = [
    *many(40, "keep"),
    *many(10, "copy", lost="dedup", reason="near", text=HOSTILE),
    *many(5, "held", lost="decontaminate", reason="held_out"),
    *many(30, "page", source="web", lost="mix", reason="quality_cutoff"),
    *many(15, "odd", source="web", lost="filter", reason="symbols.per_word"),
    *[Doc(f"s{i}", source=f"source{i:02}") for i in range(12)],
]


def told(root: Path, documents: list[Doc] = DOCUMENTS, **more: Any) -> dict[str, Any]:
    ledger = write(root, documents, **more)
    funnel = read(ledger)
    return answer(funnel, number=2) | {"findings": [one.as_json() for one in check(ledger, funnel)]}


def test_one_sound_page_that_fetches_nothing_and_runs_nothing(tmp_path: Path) -> None:
    text = page(told(tmp_path))
    opened: list[str] = []

    class Checker(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert not {"src", "href", "srcset", "data"} & {name for name, _ in attrs}
            if tag not in {"meta", "br", "wbr"}:
                opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    Checker().feed(text)
    assert opened == [] and "<script" not in text and "url(" not in text and "\u202e" not in text
    assert "&lt;script&gt;" in text, "a dropped text is shown, escaped"
    assert "source_loss" in text and "mix drops 30 of 30 documents of web" in text
    assert "prefers-color-scheme" in text and text.count("<details>") == 3


def test_the_largest_sources_have_colours_and_the_others_are_together(tmp_path: Path) -> None:
    found = flows(told(tmp_path))
    assert found.names[:2] == [("books", 0), ("web", 1)] and len(found.names) == MOST + 1
    assert found.names[-1] == ("6 others", MOST)
    assert [column.step for column in found.columns] == [
        "filter",
        "dedup",
        "decontaminate",
        "mix",
        "pack",
    ]
    # What goes on is what comes in, source by source.
    for one, following in zip(found.columns, found.columns[1:], strict=False):
        assert [flow.kept for flow in one.flows] == [flow.met for flow in following.flows]
    assert found.columns[0].total.met == 112 and found.columns[0].total.lost == 15
    assert (found.columns[2].total.held, found.columns[2].total.lost) == (5, 0)


def test_widths_are_numbers_of_documents(tmp_path: Path) -> None:
    drawn = sankey(flows(told(tmp_path)), "t < u")
    wide, narrow = (ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", drawn, re.S))
    assert wide.attrib["aria-label"] == "t < u" and "narrow" in narrow.attrib["class"]
    unit = WIDE.across / 112
    bars = {
        rect.find("title").text: float(rect.attrib["height"])  # type: ignore[union-attr]
        for rect in wide.iter("rect")
    }
    assert bars["books, filter: 55 documents"] == pytest.approx(55 * unit, abs=0.01)
    assert bars["mix: 30 dropped"] == pytest.approx(30 * unit, abs=0.01)
    assert bars["decontaminate: 5 held out for evaluation"] == pytest.approx(5 * unit, abs=0.01)
    down = {r.find("title").text: float(r.attrib["width"]) for r in narrow.iter("rect")}  # type: ignore[union-attr]
    assert down.keys() == bars.keys()
    assert down["mix: 30 dropped"] / down["books, filter: 55 documents"] == pytest.approx(
        30 / 55, rel=0.01
    )
    ribbons = [path.find("title").text for path in wide.iter("path")]  # type: ignore[union-attr]
    assert "web, mix: 30 of 30 dropped" in ribbons and "books, dedup: 45 of 55 kept" in ribbons


def test_records_alone_give_a_picture_without_sources(tmp_path: Path) -> None:
    every = ("text", "filter", "dedup", "decontaminate", "classify", "mix", "pack")
    found = told(tmp_path, without=every)
    assert flows(found).names == [("all sources", 0)]
    assert "dvc pull" in page(found) and "−15" in page(found)
    assert "The crawl is" not in page(found)
    crawl = found["steps"][0] | {"step": "crawl"}
    assert "The crawl is" in page(found | {"steps": [crawl, *found["steps"]]})


def test_nothing_to_draw(tmp_path: Path) -> None:
    assert sankey(flows({"steps": [], "sources": []}), "t") == ""
    text = page({"steps": [], "sources": [], "findings": [], "hint": ""})
    assert "No guard has a warning" in text


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("profile")) as made:
        yield made


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
@pytest.mark.parametrize(("width", "shown"), [(1280, "wide"), (390, "narrow")])
def test_in_a_browser_the_page_is_as_wide_as_the_window(
    browser: Chromium, tmp_path: Path, width: int, shown: str
) -> None:
    file = tmp_path / "f.html"
    file.write_text(page(told(tmp_path / "run")))
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=900,
        deviceScaleFactor=1,
        mobile=False,
    )
    browser.errors.clear()
    browser.call("Page.navigate", url=file.as_uri())
    browser.wait("document.readyState === 'complete' && document.querySelector('.sankey') !== null")
    assert browser.value("document.documentElement.scrollWidth") <= width
    visible = "[...document.querySelectorAll('.sankey')].filter(s => getComputedStyle(s).display !== 'none')"
    assert browser.value(f"{visible}.map(s => s.classList[1])") == [shown]
    # No label of the picture is cut off at its edge.
    assert browser.value(
        f"{visible}.every(s => [...s.querySelectorAll('text')].every(t => "
        "{ const a = t.getBBox(), b = s.viewBox.baseVal; return a.x >= -1 && a.x + a.width <= b.width + 1 && "
        "a.y >= -1 && a.y + a.height <= b.height + 1 }))"
    )
    assert browser.errors == []
