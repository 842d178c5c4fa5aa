from __future__ import annotations

import itertools
import json
import math
import re
import subprocess
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.cli.main import main
from regrow.lineage.ledger import Ledger
from regrow.lineage.report import arcs, run
from regrow.lineage.report.chart import line_chart, nice
from regrow.lineage.report.model import Series
from regrow.lineage.report.page import page

VOID = {"meta", "br", "link", "img"}


class Checker(HTMLParser):
    """Elements open and close in order; collects attributes that fetch something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.fetched += [v or "" for k, v in attrs if k in {"src", "href", "srcset", "data"}]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def committed(tree: Path) -> Path:
    for command in (
        ["init", "-q"],
        ["add", "records"],
        ["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "publish"],
    ):
        subprocess.run(["git", "-C", str(tree), *command], check=True)
    return tree


def test_one_sound_page_that_fetches_nothing(committed: Path) -> None:
    text = page(Ledger.load(committed))
    checker = Checker()
    checker.feed(text)
    assert checker.open == [] and checker.fetched == []
    assert "<script" not in text and "@import" not in text and "url(" not in text
    for svg in re.findall(r"<svg.*?</svg>", text, re.S):
        ET.fromstring(svg)
    assert "68 of 68 artifacts equal to the published hashes" in text
    for part in ("length.words", "MIT", "databases", "After 8 steps", "prefers-color-scheme"):
        assert part in text
    assert "table &lt;8&gt;" in text and "table <8>" not in text, "samples are escaped"
    released = json.loads((committed / "records/release.rlvr-000004.json").read_text())
    assert released["output"]["sha256"] in text


def test_records_that_differ_from_the_published_ones_are_named(committed: Path) -> None:
    path = committed / "records" / "mix.json"
    path.write_text(path.read_text() + "\n")
    (committed / "records" / "pack.json").unlink()
    ledger = Ledger.load(committed)
    found = run.published(ledger)
    assert found == run.Published(66, 68, ("records/mix.json", "records/pack.json"))
    text = page(ledger)
    assert "66 of 68 artifacts equal" in text and "Not equal: records/mix.json" in text


def test_without_git_and_data_the_page_says_what_is_missing(tree: Path) -> None:
    for path in sorted((tree / "data").rglob("*.parquet")):
        path.unlink()
    text = page(Ledger.load(tree))
    assert "68 artifacts, not published yet" in text and "dvc pull" in text
    assert "Documents kept and dropped" in text, "counts are in the records"


def test_time_counts_the_runs_that_made_the_present_results(tree: Path) -> None:
    ledger = Ledger.load(tree)

    def line(name: str, seconds: float, outcome: str = "run", key: str | None = None) -> str:
        record = ledger.by_name[name]
        entry = {"step": record.step, "instance": record.instance, "outcome": outcome}
        entry |= {"key": key or record.key, "seconds": seconds, "cpu_seconds": 1.0}
        return json.dumps(entry | {"max_rss_bytes": int(seconds)})

    lines = [
        line("mix", 50.0),
        line("mix", 5.0),
        line("mix", 7.0, "hit"),
        line("mix", 9.0, key="f" * 64),
        line("pretrain.000004", 10.0),
        line("pretrain.000008", 20.0),
        '{"step": "mix", "sec',
    ]
    (tree / ".regrow").mkdir(exist_ok=True)
    (tree / ".regrow" / "runs.jsonl").write_text("\n".join(lines))
    assert [(row.step, row.jobs, row.seconds, row.memory) for row in run.spent(ledger)] == [
        ("mix", 1, 5.0, 5),
        ("pretrain", 2, 30.0, 20),
    ]


def test_arcs_reach_every_reader(ledger: Ledger) -> None:
    rows = arcs.nodes(ledger)
    pairs = arcs.edges(ledger, rows)
    names = {(rows[a].step, rows[b].step) for a, b in pairs}
    assert {("decontaminate", "evaluate"), ("pack", "pretrain"), ("tokenizer", "pack")} <= names
    svg, _ = arcs.svg(rows, pairs)
    assert svg.count('class="arc"') == len(pairs) == len(names)


@given(low=st.floats(-1e6, 1e6), span=st.floats(1e-3, 1e6), count=st.integers(2, 8))
def test_ticks_are_few_round_and_span_the_data(low: float, span: float, count: int) -> None:
    ticks = nice(low, low + span, count)
    assert 2 <= len(ticks) <= count + 2
    slack = 1e-6 * max(1.0, abs(low), span)
    assert ticks[0] <= low + slack and ticks[-1] >= low + span - slack
    steps = [b - a for a, b in itertools.pairwise(ticks)]
    assert all(math.isclose(s, steps[0], rel_tol=1e-3, abs_tol=1e-9) for s in steps)


def test_a_chart_of_one_point_and_of_many() -> None:
    one = ET.fromstring(line_chart(Series("x", [0], [3.0]), title="a < b", dots=True))
    assert one.attrib["aria-label"] == "a < b"
    steps = list(range(0, 101, 10))
    values = [5.0 - s / 50 for s in steps]
    series = Series("x", steps, values, [v - 1 for v in values], [v + 1 for v in values])
    chart = ET.fromstring(line_chart(series, title="t"))
    points = chart.find("polyline").attrib["points"].split()  # type: ignore[union-attr]
    ys = [float(point.split(",")[1]) for point in points]
    assert len(points) == 11 and ys == sorted(ys), "a falling series falls on the page"
    assert len(chart.find("polygon").attrib["points"].split()) == 22  # type: ignore[union-attr]


def test_command(
    tree: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tree)
    assert main(["report"]) == 0
    assert (tree / "report.html").read_text().startswith("<!doctype html>")
    assert main(["report", "--output", str(tmp_path / "no" / "r.html")]) == 1
    assert "--output" in capsys.readouterr().err
