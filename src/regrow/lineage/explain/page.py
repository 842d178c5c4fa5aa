"""The answer of `regrow explain` as one page: no script, nothing fetched. Equal answers give equal bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from regrow.flow.visible import lines
from regrow.lineage.explain.answer import MANY
from regrow.lineage.explain.segments import between, brief, count, segments, steps
from regrow.lineage.explorer import embed
from regrow.lineage.report import page as report

TEMPLATES = Path(__file__).parent / "templates"
LONG = (16, 32)
"""tokens from which on a span is drawn stronger, and strongest"""


def page(answer: dict[str, Any]) -> str:
    """The page about an answer of `Explainer.explain` (with `sample`, or None, beside it)."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([TEMPLATES, report.TEMPLATES]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "between": lambda pair: between(*pair),
        "brief": brief,
        "of": count,
        "percent": lambda share: f"{100 * share:.0f} %",
        "steps": steps,
    }
    style = environment.get_template("explain_style.jinja").render()
    text = environment.get_template("explain.jinja").render(
        a=answer,
        many=MANY,
        policy=embed.policy([], [style]),
        style=Markup(style),
        pieces=[(text, number, _shade(answer, number)) for text, number in segments(answer)],
        shades=[_shade(answer, number) for number in range(len(answer["spans"]))],
        levels=list(answer["covered"]),
    )
    return lines(text)  # of strangers: nothing in it turns the page round or hides


def _shade(answer: dict[str, Any], number: int | None) -> str:
    """How a span is drawn: `many` (boilerplate), else `a`, `b`, `c` by its length."""
    if number is None:
        return ""
    span = answer["spans"][number]
    if span["documents"] >= MANY:
        return "many"
    return "abc"[sum(span["tokens"] >= least for least in LONG)]
