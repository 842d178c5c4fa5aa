"""The page of `regrow funnel --html`: one file, no script, nothing fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from regrow.ask.funnel.meanings import meaning
from regrow.ask.funnel.samples import TEXT
from regrow.ask.funnel.steps import APART
from regrow.engine.visible import lines
from regrow.evidence.pages.environment import environment
from regrow.evidence.pages.numbers import count, size
from regrow.publish.funnel.flows import flows
from regrow.publish.funnel.sankey import sankey
from regrow.release.render import visible

TEMPLATES = Path(__file__).parent / "templates"
TITLE = "Documents from step to step, by source"


def page(answer: dict[str, Any]) -> str:
    """The answer of `regrow funnel`, with `findings` and perhaps `samples`, as HTML."""
    jinja = environment(TEMPLATES)
    jinja.filters |= {"size": size, "count": count, "visible": visible, "meaning": meaning}
    return lines(jinja.get_template("funnel.jinja").render(facts(answer)))


def facts(answer: dict[str, Any]) -> dict[str, Any]:
    """What the template shows."""
    steps = [one for one in answer["steps"] if one["dropped"] or one["tokens"] is not None]
    names = [one["step"] for one in steps]
    rows = [_row(one["source"], one["licences"], one["steps"], names) for one in answer["sources"]]
    whole = {one["step"]: one for one in answer["steps"]}
    alone = len(answer["sources"]) == 1
    if not alone:
        rows.append(_row("all", [], whole, names) | {"whole": True})
    return {
        **picture(answer),
        "only": answer["sources"][0]["source"] if alone else "",
        "first": next((one for one in answer["steps"] if one["step"] not in APART), None),
        "crawled": any(one["step"] in APART for one in answer["steps"]),
        "last": answer["steps"][-1] if answer["steps"] else None,
        "found": [one for one in answer["findings"] if one["severity"] in ("warn", "fail")],
        "steps": steps,
        "all_steps": answer["steps"],
        "rows": rows,
        "samples": answer.get("samples", []),
        "cut": TEXT,
        "hint": answer["hint"],
    }


def picture(answer: dict[str, Any]) -> dict[str, Any]:
    """`drawn`: the picture as SVG, and `names`: sources with the numbers of their colours."""
    found = flows(answer)
    return {"drawn": Markup(sankey(found, TITLE)), "names": found.names}


def _row(name: str, licences: list[str], of: dict[str, Any], steps: list[str]) -> dict[str, Any]:
    reached = [of[step] for step in steps if step in of]
    end = of.get(steps[-1]) if steps else None
    return {
        "name": name,
        "licences": licences,
        "met": reached[0]["in"] if reached else 0,
        "kept": [of[step]["kept"] if step in of else 0 for step in steps],
        "bytes": end["bytes_kept"] if end else 0,
        "tokens": (end["tokens"] or 0) if end else 0,
        "whole": False,
    }
