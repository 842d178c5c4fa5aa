"""Which addresses a file of a source has: those of files that are read where they are, not of what is fetched."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from regrow.ask.trace.reading import Reading


def _reading(**entries: dict[str, Any]) -> Reading:
    jobs = [
        SimpleNamespace(
            step=f"read_{name}",
            function=f"regrow.data.sources.kinds.{entry['kind']}:run",
            options={"source": {"name": name, **entry}},
        )
        for name, entry in entries.items()
    ]
    ledger: Any = SimpleNamespace(records=jobs, by_name={})
    outputs: Any = SimpleNamespace(ledger=ledger)
    return Reading(outputs)


def test_a_path_is_looked_for_below_the_folders_that_sources_name() -> None:
    found = _reading(
        notes={"kind": "text", "files": ["notes/**/*.md"]},
        pages={"kind": "html"},  # of a package: its record names no file
        plan={"kind": "text", "files": ["notes/deep/plan.md"]},
    )
    assert found.addresses("notes/deep/plan.md") == [
        "source://notes/deep/plan.md",
        "source://plan/plan.md",
    ]
    assert found.addresses("notes/plan.txt") == []
    assert _reading(pages={"kind": "html"}).addresses("usr/share/doc/index.html") == []
