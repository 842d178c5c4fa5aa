"""Sources that lose nearly everything at a step, and sums that do not add up.

The largest open flow found only later that deduplication had emptied 15 of its 113 sources by more than 95 %
(marin-community/marin#6854): totals by step do not show it.
"""

from __future__ import annotations

import polars as pl

from regrow.ask.funnel.conserve import disagreements
from regrow.ask.funnel.funnel import Funnel, by_source
from regrow.ask.funnel.steps import HELD_OUT
from regrow.ask.guards.finding import Finding
from regrow.engine.visible import visible
from regrow.release.composition import UNKNOWN

SHARE = 0.95
"""of a source's documents; a step that drops more is named"""
FEWEST = 20
"""documents: a smaller source that a step empties is worth a note only"""


def emptied(funnel: Funnel, share: float = SHARE, fewest: int = FEWEST) -> list[Finding]:
    """Each source that loses more than `share` of its documents at a step; held-out ones are not lost."""
    found = []
    for step, frame in funnel.rows.items():
        lost = frame.filter(pl.col("reason").is_null() | (pl.col("reason") != HELD_OUT))
        for source, sums in by_source(lost).items():
            loss = sums["dropped"] / sums["in"] if sums["in"] else 0.0
            whole = sums["in"] >= fewest
            if not (loss > share if whole else loss == 1.0):
                continue
            if source == UNKNOWN and not sums["kept"]:
                found.append(_nobodys(step, sums["dropped"]))
                continue
            reasons = ", ".join(
                f"{visible(one['reason'])} {one['documents']:,}" for one in sums["reasons"][:3]
            )
            found.append(
                Finding(
                    "source_loss",
                    "warn" if whole else "note",
                    f"{step} drops {sums['dropped']:,} of {sums['in']:,} documents of {visible(source)} "
                    f"({100 * loss:.1f} %): {reasons}.",
                    round(loss, 4),
                    share,
                    f"read some: `regrow funnel --source {visible(source)} --html funnel.html`",
                    step,
                    source,
                )
            )
    return found


def _nobodys(step: str, dropped: int) -> Finding:
    """Drops of which neither a table nor an address says the source: no source was emptied."""
    return Finding(
        "source_unknown", "note", f"{step} drops {dropped:,} of which the source is not known.", dropped, 0,
        "`sources/manifest.yaml` names no source for their addresses, or they have none", step, UNKNOWN,
    )  # fmt: skip


def unbalanced(funnel: Funnel) -> list[Finding]:
    """Where in is not kept plus dropped."""
    return [
        Finding("not_conserved", "fail", text, fix="`regrow verify` says whether files or records changed")
        for text in disagreements(funnel)
    ]  # fmt: skip
