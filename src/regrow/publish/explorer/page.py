"""The page: facts, graph and index into one file that fetches nothing."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from regrow.engine.visible import shown
from regrow.evidence import contributed, corpora, datasets
from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.evidence.pages import embed
from regrow.evidence.pages.environment import environment
from regrow.evidence.record import Record
from regrow.evidence.sources import crawled, source_files, sources
from regrow.publish.explorer import figures
from regrow.publish.explorer.documents import Known, documents
from regrow.publish.explorer.draw import HEIGHT, PAD, ROW, WIDTH, draw
from regrow.publish.explorer.facts import Facts
from regrow.publish.explorer.graph import Graph, graph
from regrow.publish.explorer.index import MOST, index, listed
from regrow.publish.explorer.layout import GAP_Y, Layout, layout
from regrow.publish.explorer.paired import paired
from regrow.publish.explorer.tasks import tasks
from regrow.publish.export.subject import Subject
from regrow.publish.report import page as report

HERE = Path(__file__).parent
SCRIPTS = ("dom", "data", "graph", "panel", "documents", "tasks", "compare", "start")
"""files of the script, in the order in which they are joined"""
_APART = (
    ("documents of midtraining", datasets.MIDTRAIN_DATA),
    ("documents of long context", datasets.LONGCONTEXT_DATA),
)
"""what `regrow trace` follows and the page counts at its origin"""


def scope(ledger: Ledger, record: Record | None) -> Ledger:
    """The part of the ledger that `record` was made from, with what was measured of it; None: all.

    Evaluations and releases of checkpoints on the way belong to it, even where an evaluation also read
    something that was made later (the pairs, for one of fine-tuning).
    """
    if record is None:
        return ledger
    chain = ledger.ancestry(record)
    kept = {item.file: item for item in chain}
    for item in chain:
        if item.makes_checkpoint:
            for step in ("evaluate", "release"):
                about = ledger.about(step, item)
                if about is not None:
                    kept.setdefault(about.file, about)
    return Ledger(ledger.root, list(kept.values()))


def shown_of(ledger: Ledger, record: Record | None) -> Record:
    """The record that the page is about: the one asked for, or the final release, or the last one."""
    if record is not None:
        return record
    final = ledger.final
    return (ledger.about("release", final) if final else None) or final or ledger.records[-1]


def facts(ledger: Ledger, record: Record | None = None, most: int = MOST) -> dict[str, Any]:
    """Everything that the page holds, as JSON-able data; `most`: documents.

    Raises:
        Unanswerable: the sources manifest cannot be read, or the records name each other in a circle.
    """
    subject = shown_of(ledger, record)
    part = scope(ledger, record)
    outputs = Outputs(part)
    nodes = graph(part, subject)
    drawn = layout(len(nodes.nodes), nodes.direct, WIDTH)
    folded = Facts(part, ledger)
    manifest = crawled(part.records)
    told = {
        **_about(part, subject),
        **folded.as_json(),
        "graph": _graph(nodes, drawn),
        "stages": figures.about(part),
        "figures": figures.figures(part, outputs),
        "sources": [
            asdict(source)
            for source in [
                *(sources(part.root) if manifest else []),
                *corpora.sources(part.records),
                *contributed.sources(outputs, part.records),
            ]
        ],
        "source_files": [
            *(source_files(part.root) if manifest else []),
            *corpora.files(part.root, part.records),
            *contributed.files(part.root, part.records),
        ],
        "apart": _apart(outputs),
    }
    told["paired"] = paired(part)
    known = Known.of(outputs)
    packed = {  # their long strings are packed numbers: left as they are
        "documents": index(documents(outputs, known), most),
        "tasks": listed(tasks(outputs, known.runs, known.exposed)),
    }
    return {**shown(told), **packed, "missing": outputs.hint()}


def page(ledger: Ledger, record: Record | None = None, most: int = MOST) -> str:
    """The explorer of `record` (default: the whole run) as HTML. Equal records and data give equal bytes.

    Raises:
        Unanswerable: see `facts`.
    """
    subject, part = shown_of(ledger, record), scope(ledger, record)
    known = graph(part, subject)
    drawn = layout(len(known.nodes), known.direct, WIDTH)
    charts = figures.curves(part, Outputs(part))
    data = facts(ledger, record, most)
    jinja = environment(HERE / "templates")
    jinja.filters["size"] = report.size
    style = jinja.get_template("explorer_style.jinja").render()
    script = "\n".join(
        (HERE / "script" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS
    )
    script = f'"use strict";\n(() => {{\n{script}}})();\n'
    return jinja.get_template("explorer.jinja").render(
        data=Markup(embed.as_json(data)),
        policy=embed.policy([script], [style]),
        script=Markup(script),
        style=Markup(style),
        svg=Markup(draw(known, drawn)),
        charts={
            stage: [{**chart, "svg": Markup(chart["svg"])} for chart in rows]
            for stage, rows in charts.items()
        },
        title=data["title"],
        description=data["description"],
        artifact=data["artifact"],
        count=len(part.records),
    )


def _about(ledger: Ledger, subject: Record) -> dict[str, Any]:
    about = Subject(ledger, ledger.final or subject)
    said = about.description
    return {
        "title": about.stated.get("name") or "A run of the flow",
        "description": f"The publisher describes it so: {said}" if said else "",
        "artifact": {
            "name": subject.name,
            "path": subject.path,
            "sha256": subject.sha256,
            "size": subject.size,
        },
    }


def _graph(nodes: Graph, drawn: Layout) -> dict[str, Any]:
    return {
        "nodes": [
            {
                "name": node.name,
                "kind": node.kind,
                "step": node.step,
                "records": [r.name for r in node.records],
                "x": place.x,
                "layer": place.layer,
            }
            for node, place in zip(nodes.nodes, drawn.places, strict=True)
        ],
        "edges": sorted(nodes.edges),
        "ways": [[*edge, way] for edge, way in sorted(drawn.ways.items())],
        "sizes": {"width": WIDTH, "height": HEIGHT, "row": ROW, "pad": PAD, "gap": GAP_Y},
    }


def _apart(outputs: Outputs) -> list[list[Any]]:
    """What the page does not list: how many of what."""
    found: list[list[Any]] = []
    for what, function in _APART:
        tables = [
            outputs.table(job, "documents.parquet")
            for job in datasets.jobs(outputs.ledger, (function,))
        ]
        count = sum(t.select(pl.len()).collect().item() for t in tables if t is not None)
        if count:
            found.append([what, count])
    return found
