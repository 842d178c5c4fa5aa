"""The whole document: sections 1 to 3 of the Commission's template, and the figures of Annex XI."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from regrow.evidence.errors import Unanswerable
from regrow.publish.export.identifiers import document_id
from regrow.publish.export.subject import Subject
from regrow.publish.export.summary import (
    crawled,
    data_sources,
    general,
    made,
    processing,
    technical,
)
from regrow.publish.export.summary.field import Choice, Field, Section, Table, told

TEMPLATE = "Annex to the Commission's Explanatory Notice C(2025) 5235 final of 24 July 2025"
CHAPTERS = (
    ("1", "General information"),
    ("2", "List of data sources"),
    ("3", "Data processing aspects"),
    ("XI", "Technical documentation figures (Annex XI)"),
)


def sections(subject: Subject) -> list[Section]:
    """All sections, in the order of the template.

    Raises:
        Unanswerable: the artifact is no checkpoint, or a table is not on disk.
    """
    if not subject.is_model:
        raise Unanswerable(
            f"`{subject.record.name}` is no checkpoint, and the summary is about a model. "
            "Name a checkpoint: `regrow release --list`."
        )
    return [
        *general.sections(subject),
        data_sources.public(subject),
        *data_sources.private(subject),
        crawled.section(subject),
        data_sources.users(subject),
        made.synthetic(subject),
        made.other(subject),
        *processing.sections(subject),
        *technical.sections(subject),
    ]


def head(subject: Subject) -> list[Field]:
    """Version, date and earlier versions."""
    about = subject.about.summary
    updated = about.updated.strftime("%d/%m/%Y") if about.updated else None
    return [
        told("version", "Version of the Summary", about.version),
        told("updated", "Last update", updated),
        *([told("previous", "Earlier versions", about.previous)] if about.previous else []),
    ]


def as_json(subject: Subject) -> dict[str, Any]:
    """The document as JSON-able data: every field with its answer and who gave it."""
    record = subject.record
    told_sections = sections(subject)
    return {
        "title": f"Public summary of training content: {subject.name}",
        "law": "Regulation (EU) 2024/1689, Article 53(1)(d) and Annex XI",
        "template": TEMPLATE,
        "id": f"urn:uuid:{document_id('summary', record.sha256 + record.key)}",
        "model": {
            "name": subject.name,
            "record": record.file,
            "sha256": record.sha256,
            "key": record.key,
        },
        "summary": [_field(field) for field in head(subject)],
        "sections": [
            {
                "number": section.number,
                "title": section.title,
                "fields": [_field(field) for field in section.fields],
            }
            for section in told_sections
        ],
        "to_be_filled_in": [
            f"{section.number} {field.key}"
            for section in told_sections
            for field in section.fields
            if field.by == "open"
        ],
    }


def unfilled(subject: Subject) -> list[str]:
    """The template's questions that are still open."""
    return [
        f"{section.number} {field.label}"
        for section in sections(subject)
        for field in section.fields
        if field.by == "open"
    ]


def _field(field: Field) -> dict[str, Any]:
    value: Any = field.value
    if isinstance(value, Table):
        value = [dict(zip(value.columns, row, strict=True)) for row in value.rows]
    elif isinstance(value, Choice):
        value = asdict(value) | {"options": list(value.options)}
    elif isinstance(value, tuple):
        value = list(value)
    found = {"key": field.key, "label": field.label, "value": value, "by": field.by}
    if field.evidence:
        found["evidence"] = list(field.evidence)
    if field.note:
        found["note"] = field.note
    return found
