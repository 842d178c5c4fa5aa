"""The page: facts into the template. One file, no script, nothing fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from regrow.ask.audit import documents
from regrow.ask.funnel.answer import answer
from regrow.ask.funnel.funnel import read
from regrow.ask.guards.check import check
from regrow.ask.guards.finding import grave
from regrow.engine.visible import lines
from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.evidence.pages.chart import line_chart
from regrow.evidence.pages.environment import environment
from regrow.evidence.pages.numbers import count, size
from regrow.evidence.pages.series import Series
from regrow.publish.export.subject import Subject
from regrow.publish.funnel.page import picture
from regrow.publish.report import arcs, model, run
from regrow.publish.report.answers import answers
from regrow.publish.report.chapters import chapters, final_table
from regrow.publish.report.gains import Gain, gains
from regrow.publish.report.pictures import Chapter
from regrow.publish.report.plots import forest
from regrow.publish.report.results import Results
from regrow.release import statements
from regrow.release.render import visible

TEMPLATES = Path(__file__).parent / "templates"


def page(ledger: Ledger) -> str:
    """The report of the run in `ledger` as HTML. What is not on disk is said to be missing.

    Raises:
        Unanswerable: the sources manifest cannot be read.
    """
    jinja = environment(TEMPLATES)
    jinja.filters |= {
        "size": size,
        "duration": duration,
        "count": count,
        "figure": figure,
        "signed": signed,
        "visible": visible,
    }
    text = jinja.get_template("page.jinja").render(facts(ledger))
    return lines(text)  # of strangers: nothing in it turns the page round or hides


def facts(ledger: Ledger) -> dict[str, Any]:
    """What the template shows: of the records whose chains hold together, the rest is counted."""
    whole = ledger
    ledger = whole.sound()
    outputs = Outputs(ledger)
    rows = arcs.nodes(ledger)
    graph, graph_width = arcs.svg(rows, arcs.edges(ledger, rows))
    final = ledger.final
    release = ledger.about("release", final) if final else None
    about = Subject(ledger, final or ledger.records[-1])
    results = Results(ledger, outputs)
    found = gains(ledger)
    spent = run.spent(ledger)
    told = chapters(ledger, outputs, results, found, {row.step: row.seconds for row in spent})
    scores = model.scores(results)
    return {
        "title": about.stated.get("name") or "A run of the flow",
        "description": about.description,
        "model": _shape(about, _on_the_way(ledger, told)),
        "released": release or final or ledger.records[-1],
        "published": run.published(whole),
        "records": len(ledger.records),
        "others": len(whole.records) - len(ledger.records),
        "spent": run.brief(spent),
        "seconds": sum(row.seconds for row in spent),
        "graph": Markup(graph),
        "graph_width": graph_width,
        "row": arcs.ROW,
        "nodes": rows,
        "funnel": _funnel(ledger),
        **_by_source(ledger),
        "chapters": told,
        "gains": [gain for rows in found.values() for gain in rows],
        "pairs": {name: Markup(_pair(measures[0])) for name, measures in found.items()},
        "questions": answers(ledger, outputs),
        "final": final_table(results),
        "score_charts": _charts(scores),
        "samples": model.samples(ledger, outputs),
        "composition": model.composition(outputs),
        "sources": {source.name: source for source in about.sources},
        "named": bool(about.corpora),
        **_of_text(about, outputs),
        "missing": outputs.hint(),
    }


def _of_text(about: Subject, outputs: Outputs) -> dict[str, Any]:
    """Sentences on licences and repeats, from the tables; none where they are not on disk."""
    rows = model.texts(outputs)
    if rows is None:
        return {"licences": [], "of_mix": []}
    return {
        "licences": statements.licences(rows, about.artifacts),
        "of_mix": statements.of_mix(about.artifacts, rows),
    }


def _on_the_way(ledger: Ledger, told: list[Chapter]) -> list[Chapter]:
    """The stages that led to the final checkpoint."""
    final = ledger.final
    way = {record.step for record in ledger.ancestry(final)} if final else set()
    return [chapter for chapter in told if chapter.about.stage in way]


def _shape(about: Subject, told: list[Chapter]) -> dict[str, Any]:
    shape = about.section("model")
    known = [c.tokens for c in told if c.tokens]
    return {
        "layers": shape.get("layers"),
        "hidden": shape.get("hidden"),
        "vocabulary": about.section("tokenizer").get("vocabulary"),
        "tokens": sum(known) if known else None,
    }


def _pair(gain: Gain) -> str:
    """Before and after as two intervals, and the control's where there is one."""
    rows = [("before", gain.before, "was"), ("after", gain.after, "now")]
    if gain.control is not None:
        rows.append(("control", gain.control, "control"))
    return forest(rows, title=f"{gain.title}, before and after", width=300)


def _funnel(ledger: Ledger) -> list[dict[str, Any]]:
    """Per step: documents in, kept, dropped by reason, and their widths in percent of what came in."""
    rows = []
    for record in ledger.records:
        counted = documents(record)
        if counted is None or counted["in"] is None or counted["kept"] is None:
            continue
        held = {k: v for k, v in counted["dropped"].items() if k == "held_out"}
        lost = {k: v for k, v in counted["dropped"].items() if k != "held_out"}
        rows.append({"step": record.name, **counted, "held": sum(held.values()), "lost": lost})
    for (
        row
    ) in rows:  # of conversations there are many more than of documents: each bar is its own whole
        met = row["in"] or 1
        row["kept_width"] = 100 * row["kept"] / met
        row["held_width"] = 100 * row["held"] / met
        row["lost_width"] = 100 * sum(row["lost"].values()) / met
    return rows


def _by_source(ledger: Ledger) -> dict[str, Any]:
    """The picture of the funnel and what the guards find: warnings, and how many notes there are beside them."""
    funnel = read(ledger)
    findings = check(ledger, funnel)
    found = grave(findings)
    return {
        **picture(answer(funnel)),
        "warnings": [one.as_json() for one in found],
        "notes": len(findings) - len(found),
    }


def _charts(scores: list[Series]) -> list[tuple[Series, Markup]]:
    """A small chart per domain, all on one scale, so that they can be compared by eye."""
    if not scores:
        return []
    span = (
        min(min(series.low) for series in scores),
        max(max(series.high) for series in scores),
    )
    return [
        (
            series,
            Markup(
                line_chart(
                    series,
                    title=f"Bits per byte on {series.name} by training step",
                    size=(300, 180),
                    span=span,
                    dots=True,
                )
            ),
        )
        for series in scores
    ]


def figure(value: float) -> str:
    """A figure with the digits that its size deserves: 0.532, 12.3."""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def signed(value: float) -> str:
    """A difference with its sign, a real minus."""
    return ("+" if value >= 0 else "−") + figure(abs(value))


def duration(seconds: float) -> str:
    """Seconds for people: 3.2 s, 4 min 05 s."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return (
        f"{minutes} min {rest:02d} s"
        if minutes < 60
        else f"{minutes // 60} h {minutes % 60:02d} min"
    )
