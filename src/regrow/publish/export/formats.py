"""The table of formats: what each is for, the file it is written to, and who writes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from regrow.publish.export import croissant, cyclonedx, openlineage, rocrate
from regrow.publish.export.identifiers import canonical
from regrow.publish.export.subject import Subject
from regrow.publish.export.summary import page, summary


@dataclass(frozen=True)
class Format:
    """A format. `write` gives the text of the file."""

    name: str
    standard: str
    """the standard and its version"""
    file: str
    """default file, at the top of the repository"""
    write: Callable[[Subject], str]
    also: tuple[tuple[str, Callable[[Subject], str]], ...] = ()
    """further files that go beside it"""
    notes: Callable[[Subject], list[str]] = lambda subject: []
    """what the provider still has to fill in"""

    def text(self, subject: Subject, json_wanted: bool = False) -> str:
        """The export as text: of several files the first, or the JSON one."""
        for name, make in self.also:
            if json_wanted and name.endswith(".json"):
                return make(subject)
        return self.write(subject)


def _json(make: Callable[[Subject], object]) -> Callable[[Subject], str]:
    return lambda subject: canonical(make(subject))


FORMATS = {
    one.name: one
    for one in (
        Format(
            "croissant",
            "Croissant 1.1 (MLCommons)",
            "croissant.json",
            _json(croissant.dataset),
            notes=croissant.unfilled,
        ),
        Format("cyclonedx", "CycloneDX 1.6 ML-BOM", "model.cdx.json", _json(cyclonedx.bom)),
        Format("openlineage", "OpenLineage 2-0-2", "openlineage.ndjson", openlineage.lines),
        Format(
            "ro-crate",
            "RO-Crate 1.1, Process Run Crate 0.5",
            rocrate.FILE,
            _json(rocrate.crate),
        ),
        Format(
            "summary",
            "AI Act, Article 53(1)(d): template of 24 July 2025",
            "training-summary.html",
            page.html,
            also=(("training-summary.json", _json(summary.as_json)),),
            notes=summary.unfilled,
        ),
    )
}
