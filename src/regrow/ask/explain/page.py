"""The answer of `regrow explain` as one page: no script, nothing fetched. Equal answers give equal bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from regrow.ask.explain.answer import MANY
from regrow.ask.explain.segments import between, brief, count, segments, steps
from regrow.engine.visible import lines
from regrow.evidence.pages import embed
from regrow.evidence.pages.environment import environment

TEMPLATES = Path(__file__).parent / "templates"
LONG = (16, 32)
"""tokens from which on a span is drawn stronger, and strongest"""


def page(answer: dict[str, Any]) -> str:
    """The page about an answer of `Explainer.explain` (with `sample`, or None, beside it)."""
    jinja = environment(TEMPLATES)
    jinja.filters |= {
        "between": lambda pair: between(*pair),
        "brief": brief,
        "of": count,
        "percent": lambda share: f"{100 * share:.0f} %",
        "steps": steps,
    }
    style = jinja.get_template("explain_style.jinja").render()
    text = jinja.get_template("explain.jinja").render(
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
