"""The document as one HTML page that fetches nothing and runs no script."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from regrow.publish.export.subject import Subject
from regrow.publish.export.summary import summary
from regrow.publish.export.summary.field import OPEN, Choice, Table
from regrow.release.render import visible

TEMPLATES = Path(__file__).parent / "templates"


def html(subject: Subject) -> str:
    """The page.

    Raises:
        Unanswerable: the artifact is no checkpoint, or a table is not on disk.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"cell": cell, "prose": prose}
    environment.tests |= {
        "table": lambda value: isinstance(value, Table),
        "choice": lambda value: isinstance(value, Choice),
        "listing": lambda value: isinstance(value, tuple),
        "figure": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    }
    told = summary.sections(subject)
    fields = [field for section in told for field in section.fields]
    return environment.get_template("summary.jinja").render(
        subject=subject,
        title=f"Public summary of training content: {subject.name}",
        template=summary.TEMPLATE,
        head=summary.head(subject),
        chapters=[
            (number, title, [s for s in told if s.number.split(".")[0].split(" ")[0] == number])
            for number, title in summary.CHAPTERS
        ],
        counts={
            who: sum(field.by == who for field in fields) for who in ("records", "provider", "open")
        },
        opening=OPEN,
    )


def prose(text: str) -> Markup:
    """A sentence with its `commands` set as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(visible(text)))))


def cell(value: Any) -> str:
    """A table's cell: numbers with thousands separated, nothing as a dash."""
    if value is None or value == "":
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    return visible(value)
