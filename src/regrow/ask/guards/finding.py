"""What a guard found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["ok", "note", "warn", "fail"]
"""ok: looked at and in order; note: worth knowing; warn: it runs, and is probably not what was meant; fail: it will not
run, or what it says is not true"""
_ORDER = ("fail", "warn", "note", "ok")


@dataclass(frozen=True)
class Finding:
    """A named finding: what, by how much, what to do."""

    name: str
    severity: Severity
    says: str
    """a sentence"""
    value: float | int | str | None = None
    """the figure that was compared"""
    limit: float | int | str | None = None
    """what it was compared with"""
    fix: str = ""
    step: str = ""
    source: str = ""

    def as_json(self) -> dict[str, Any]:
        """The finding as a mapping."""
        return asdict(self)


def ranked(findings: list[Finding]) -> list[Finding]:
    """The gravest first, else in the order in which they were found."""
    return sorted(findings, key=lambda finding: _ORDER.index(finding.severity))


def grave(findings: list[Finding]) -> list[Finding]:
    """Warnings and failures."""
    return [finding for finding in ranked(findings) if finding.severity in ("warn", "fail")]
