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
from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.evidence.pages.chart import line_chart, nice
from regrow.evidence.pages.series import Series
from regrow.publish.report import arcs, run
from regrow.publish.report.answers import answers
from regrow.publish.report.gains import gains, verdict
from regrow.publish.report.page import facts, page
from regrow.publish.report.plots import forest, lines, smooth
from regrow.publish.report.results import Figure
from sound_records import write_sound

VOID = {"meta", "br", "link", "img", "wbr"}


class Checker(HTMLParser):
    """Elements open and close in order; collects attributes that fetch something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.inside: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        links = [v or "" for k, v in attrs if k in {"src", "href", "srcset", "data"}]
        self.fetched += [link for link in links if not link.startswith("#")]
        self.inside += [link[1:] for link in links if link.startswith("#")]
        self.ids += [v or "" for k, v in attrs if k == "id"]

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
    assert checker.inside and set(checker.inside) <= set(checker.ids)
    assert "<script" not in text and "@import" not in text and "url(" not in text
    for svg in re.findall(r"<svg.*?</svg>", text, re.S):
        ET.fromstring(svg)
    count = len(list((committed / "records").iterdir()))
    assert f"{count} of {count} artifacts equal to the published hashes" in text
    for part in ("length.words", "MIT", "databases", "After 8 steps", "prefers-color-scheme"):
        assert part in text
    assert "table &lt;pretrain 8&gt;" in text and "table <pr" not in text, "samples are escaped"
    released = json.loads((committed / "records/release.rlvr-000004.json").read_text())
    assert released["output"]["sha256"] in text


def test_records_that_differ_from_the_published_ones_are_named(committed: Path) -> None:
    path = committed / "records" / "mix.json"
    path.write_text(path.read_text() + "\n")
    (committed / "records" / "pack.json").unlink()
    ledger = Ledger.load(committed)
    found = run.published(ledger)
    assert found == run.Published(71, 73, ("records/mix.json", "records/pack.json"))
    text = page(ledger)
    assert "71 of 73 artifacts equal" in text and "Not equal: records/mix.json" in text


def test_a_run_of_other_jobs_is_not_published_yet_and_no_fault(committed: Path) -> None:
    record = json.loads((committed / "records/sft.000002.json").read_text())
    write_sound(committed / "records/second.000002.json", record | {"step": "second"})
    (committed / "records/mix.json").unlink()
    ledger = Ledger.load(committed)
    found = run.published(ledger)
    assert found is not None and (found.new, found.differing) == (1, ("records/mix.json",))
    text = page(ledger)
    assert "73 artifacts of a run that is not published yet" in text and "Not equal" not in text


def test_repetitions_under_other_seeds_count_where_they_were_made(committed: Path) -> None:
    record = json.loads((committed / "records/sft.000002.json").read_text())
    record |= {"step": "sft_seed1"}
    record["output"]["path"] = "data/sft_seed1/000002"
    write_sound(committed / "records/sft_seed1.000002.json", record)
    for command in (["add", "records"], ["-c", "user.name=T", "-c", "user.email=t@t", "commit", "-qm", "seed"]):  # fmt: skip
        subprocess.run(["git", "-C", str(committed), *command], check=True)
    found = run.published(Ledger.load(committed))
    assert found == run.Published(73, 73, ())
    (committed / "data/sft_seed1/000002").mkdir(parents=True)
    assert run.published(Ledger.load(committed)) == run.Published(74, 74, ())


def test_without_git_and_data_the_page_says_what_is_missing(tree: Path) -> None:
    for path in sorted((tree / "data").rglob("*.parquet")):
        path.unlink()
    text = page(Ledger.load(tree))
    assert "73 artifacts, not published yet" in text and "dvc pull" in text
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


def test_every_stage_has_its_chapter(ledger: Ledger) -> None:
    told = facts(ledger)["chapters"]
    assert [chapter.about.stage for chapter in told] == [
        "pretrain", "midtrain", "longcontext", "sft", "sft_instruct", "dpo", "rlvr", "rlzero",
    ]  # fmt: skip
    by = {chapter.about.stage: chapter for chapter in told}
    # No tool was asked for in the small tree, so its Instruct stage has nothing to compare.
    assert [c.about.stage for c in told if not c.gains] == ["sft_instruct"]
    assert all((c.loss is None) == c.about.stage.startswith("rl") for c in told)
    assert by["midtrain"].soup and by["midtrain"].anneal and len(by["midtrain"].legend) == 2
    assert [chart.count('class="line') for chart, _ in by["longcontext"].figures] == [4, 0]
    rewards = by["rlzero"].figures[0][0]
    assert rewards.count("<polyline") == 2 and "line s2" in rewards
    text = page(ledger)
    for part in (
        "Which data are worth it", "Kept: <b>the mean</b>", "Against the control",
        "Question 0 of add?", "because 0", "mark-wrong", "RL, verified rewards",
        "of 48 learned tokens; the largest difference is 0.",
    ):  # fmt: skip
        assert part in text, part


def test_gains_say_where_the_interval_does_not_tell(ledger: Ledger) -> None:
    found = gains(ledger)
    verdicts = {(g.stage, g.metric): g.verdict for rows in found.values() for g in rows}
    assert verdicts["rlvr", "pass_rate"] == "gain"
    assert verdicts["dpo_delta", "exact_match"] == "loss"
    assert verdicts["dpo_delta", "preference (delta)"] == "even"
    control = found["rlzero"][0]
    assert control.control is not None and control.against_control == "gain"


@pytest.mark.parametrize(
    ("low", "high", "better", "says"),
    [
        (0.1, 0.2, "higher", "gain"),
        (0.1, 0.2, "lower", "loss"),
        (-0.2, -0.1, "lower", "gain"),
        (-0.1, 0.2, "higher", "even"),
        (0.0, 0.2, "higher", "even"),
    ],
)
def test_verdicts(low: float, high: float, better: str, says: str) -> None:
    assert verdict(Figure((low + high) / 2, low, high), better) == says


def test_answers_are_judged_by_the_verifiers(ledger: Ledger) -> None:
    asked = {row.text: row for row in answers(ledger, Outputs(ledger))}
    marks = {answer.stage: answer.right for answer in asked["Question 0 of reverse?"].answers}
    assert marks["pretrain"] is False and marks["rlvr"] is True and marks["sft"] is False
    shown = {answer.stage: answer for answer in asked["Question 0 of add?"].answers}
    assert (shown["rlvr"].think, shown["rlvr"].answer) == ("because 0", "0")
    assert shown["pretrain"].answer == "x <b>", "what has no form is shown as it is"


def test_a_page_of_pretraining_alone_still_renders(tree: Path) -> None:
    ledger = Ledger.load(tree)
    early = [r for r in ledger.records if (r.trained or ("pretrain",))[0] == "pretrain"]
    text = page(Ledger(tree, early))
    assert 'id="pretrain"' in text and 'id="rlvr"' not in text
    bare = page(Ledger(tree, [r for r in early if r.trained is None]))
    assert "What each stage did" not in bare


def test_short_steps_are_summed_up() -> None:
    rows = [run.Spent(name, 1, seconds, 1.0, 5) for name, seconds in
            (("a", 100.0), ("b", 0.3), ("c", 0.2), ("d", 50.0))]  # fmt: skip
    found = run.brief(rows)
    assert [(row.step, row.jobs) for row in found] == [("a", 1), ("d", 1), ("2 short steps", 2)]
    assert sum(row.seconds for row in found) == pytest.approx(150.5)
    assert run.brief(rows[:2]) == rows[:2]


def test_lines_and_intervals_stand_where_the_numbers_say() -> None:
    one, two = Series("a", [1, 2, 3], [3.0, 2.0, 1.0]), Series("b", [1, 3], [1.0, 1.0])
    chart = ET.fromstring(lines([one, two], title="x < y", colours=[0, 2]))
    found = {line.attrib["class"]: line.attrib["points"].split() for line in chart.iter("polyline")}
    assert set(found) == {"line s0", "line s2"}
    assert found["line s0"][-1] == found["line s2"][-1], "equal values at one place"
    rows = [("low", Figure(0.2, 0.1, 0.3), "was"), ("high", Figure(0.8, 0.7, 0.9), "now")]
    picture = ET.fromstring(forest(rows, title="t", span=(0.0, 1.0)))
    points = [float(c.attrib["cx"]) for c in picture.iter("circle")]
    whiskers = [(float(w.attrib["x1"]), float(w.attrib["x2"])) for w in picture.iter("line")
                if w.attrib["class"] == "whisker"]  # fmt: skip
    assert points[0] < points[1]
    for at, (low, high) in zip(points, whiskers, strict=True):
        assert math.isclose(at, (low + high) / 2, abs_tol=0.11)


@given(values=st.lists(st.floats(-5, 5), min_size=1, max_size=30), window=st.integers(1, 9))
def test_smoothing_stays_between_the_values(values: list[float], window: int) -> None:
    line = smooth(Series("x", list(range(len(values))), values), window)
    assert len(line.values) == len(values)
    assert min(values) - 1e-9 <= min(line.values) <= max(line.values) <= max(values) + 1e-9


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
