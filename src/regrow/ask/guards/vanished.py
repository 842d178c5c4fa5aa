"""Languages and topics of which a step leaves nothing."""

from __future__ import annotations

from typing import Any

import polars as pl

from regrow.ask.funnel.funnel import Funnel
from regrow.ask.guards.finding import Finding
from regrow.ask.guards.losses import FEWEST
from regrow.ask.guards.mixes import settings
from regrow.engine.visible import visible

_ANY = "any"
"""among `filter.languages`: every language"""


def vanished(funnel: Funnel, fewest: int = FEWEST) -> list[Finding]:
    """Each language and topic that came into a step and did not come out; a note where documents were few, or where
    the recipe gives the topic no share."""
    found = _wanted(funnel)
    for step in ("dedup", "decontaminate", "mix"):
        frame = funnel.rows.get(step)
        if frame is None:
            continue
        for column in ("language", "topic"):
            sums = (
                frame.drop_nulls(column)
                .group_by(column)
                .agg(met=pl.len(), kept=pl.col("reason").is_null().sum())
                .filter(pl.col("kept") == 0)
                .sort(column)
            )
            for value, met, _ in sums.iter_rows():
                meant = column == "topic" and _weights(funnel).get(value) == 0
                found.append(
                    Finding(
                        f"{column}_vanishes",
                        "warn" if met >= fewest and not meant else "note",
                        f"{step} keeps none of the {met:,} documents of the {column} {visible(value)}"
                        + (", which has no share in mix.topic_weights" if meant else "")
                        + f": {_reasons(frame.filter(pl.col(column) == value))}.",
                        met,
                        fewest,
                        "read some: `regrow funnel --html funnel.html`",
                        step,
                    )
                )
    return found


def _wanted(funnel: Funnel) -> list[Finding]:
    """Languages that the filter was to keep, and of which it met documents but kept none."""
    frame = funnel.rows.get("filter")
    step = next((one for one in funnel.steps if one.name == "filter"), None)
    if frame is None or step is None:
        return []
    asked = settings(funnel, "filter").get("languages") or []
    kept = set(frame.filter(pl.col("reason").is_null())["language"].drop_nulls().to_list())
    found = []
    for language in sorted(map(str, asked)):
        if language in kept or language == _ANY:
            continue
        unsure = pl.col("reason").str.starts_with("language") & (pl.col("detail") == language)
        met = frame.filter(unsure.fill_null(False)).height
        found.append(
            Finding(
                "language_vanishes",
                "warn",
                f"filter keeps no document of the language {visible(language)}, which filter.languages asks for"
                + (f"; {met:,} of it were dropped as unsure." if met else "; none of it was recognised."),
                met,
                1,
                "look at `language.unsure` and filter.language_min_score, or take the language out of the list",
                "filter",
            )
        )  # fmt: skip
    return found


def _reasons(frame: pl.DataFrame) -> str:
    counts = frame.group_by("reason").len().sort(["len", "reason"], descending=[True, False])
    return ", ".join(f"{visible(name)} {n:,}" for name, n in counts.head(3).iter_rows())


def _weights(funnel: Funnel) -> dict[str, Any]:
    return dict(settings(funnel, "mix").get("topic_weights") or {})
