"""What a mix repeats, orders by nothing, and holds without a licence."""

from __future__ import annotations

import math
from typing import Any

import polars as pl

from regrow.ask.funnel.funnel import Funnel
from regrow.ask.guards.finding import Finding
from regrow.engine.visible import visible
from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record

REPEATS = 4.0
"""times: up to about four epochs repeated text is nearly worth new text (Muennighoff et al., arXiv 2305.16264)"""
UNKNOWN_SHARE = 0.01
"""of the bytes of a mix"""
_MEASURE = {
    "topic": "pages named in classify.topics measure the model, which does not learn from them",
    "quality": "pages named in classify.quality_positive and .quality_negative measure the model, which does not learn from them",
}
UNKNOWN = ("", "unknown", "not stated", "noassertion", "licenseref-unknown")
"""how a licence that nobody knows is written"""


def repetition(funnel: Funnel, epochs: float = 1.0) -> list[Finding]:
    """Each source whose documents in the mix are read more than `REPEATS` times on average.

    `epochs`: how often training reads the whole mix; with less than one it reads a part of the repeats.
    """
    mix = funnel.mixed()
    if mix is None:
        return []
    found = []
    known = mix.drop_nulls("bytes").with_columns(drawn=pl.col("bytes") * pl.col("repeats"))
    sums = known.group_by("source").agg(pl.col("bytes").sum(), pl.col("drawn").sum(), pl.len())
    for source, size, drawn, documents in sums.sort("source").iter_rows():
        times = drawn / size * epochs if size else 0.0
        if times > REPEATS:
            found.append(
                Finding(
                    "source_repeats",
                    "warn",
                    f"training reads {visible(source)} {times:.1f} times ({documents:,} documents in the mix, each "
                    f"{drawn / size:.1f} times; the mix itself {epochs:.2f} times).",
                    round(times, 3),
                    REPEATS,
                    "lower mix.tokens, mix.max_repeats or the steps of the stage, or add text",
                    "mix",
                    source,
                )
            )
    return found + _above(funnel, mix)


def _above(funnel: Funnel, mix: pl.DataFrame) -> list[Finding]:
    """Documents that are repeated more often than the recipe allows."""
    most = settings(funnel, "mix").get("max_repeats")
    if not isinstance(most, int | float) or mix.is_empty():
        return []
    above = mix.filter(pl.col("repeats") > math.ceil(most))
    if above.is_empty():
        return []
    top = int(above["repeats"].max() or 0)  # type: ignore[arg-type]
    return [
        Finding(
            "document_repeats", "warn",
            f"{above.height:,} documents are in the mix more often than mix.max_repeats ({most:g}), up to {top} times.",
            top, most, "mix.max_repeats bounds the mean of the best bucket: more and longer documents even it out", "mix",
        )
    ]  # fmt: skip


def unlabelled(funnel: Funnel, ledger: Ledger) -> list[Finding]:
    """Classifiers that learned from no label, and what the mix did with their scores."""
    record = ledger.by_name.get("classify")
    labels = _counted(record, "labelled")
    given = _counted(record, "given")
    found = [_given(name, given[name], labels.get(name)) for name in sorted(given)]
    cutoff = settings(funnel, "mix").get("cutoff") or 0
    if labels.get("quality") == 0 and "quality" not in given:
        dropped = _counted(ledger.by_name.get("mix"), "dropped")
        below, rounded = int(dropped.get("quality_cutoff", 0)), int(dropped.get("rate_rounding", 0))
        says = "no document has a label of quality, so that all score alike"
        if below:
            says += f": mix dropped {below:,} as below the cutoff {cutoff:g}, by nothing but the order of their ids"
        elif rounded:
            says += f": mix drew {rounded:,} documents out by chance"
        elif cutoff:
            says += f": the cutoff {cutoff:g} and the curve of repeats decide nothing"
        found.append(
            Finding(
                "unlabelled_quality", "warn" if cutoff or below or rounded else "note", f"{says}.",
                below or rounded, 0,
                "name pages in classify.quality_positive and .quality_negative, or set mix.cutoff: 0 and mix.tokens "
                "to what the text holds, or more",
                "classify",
            )
        )  # fmt: skip
    topics = _counted(record, "topics")
    if labels.get("topic") == 0 and len(topics) > 1 and "topic" not in given:
        found.append(
            Finding(
                "unlabelled_topics", "warn",
                f"no document is labelled with one of the {len(topics)} topics, so that their shares mean nothing.",
                0, 1, "classify.topics names addresses that no training document has: `regrow trace URL`", "classify",
            )
        )  # fmt: skip
    return found


def _given(name: str, about: Any, labelled: Any) -> Finding:
    """A model that was given in place of labels: which, and whether anything measured it."""
    about = about if isinstance(about, dict) else {}
    measured = (
        f"measured on {labelled:,} labelled documents"
        if labelled
        else "no label of this run measured it"
    )
    return Finding(
        f"given_{name}", "note",
        f"{name} is scored by {visible(str(about.get('file')))} (SHA-256 {visible(str(about.get('sha256'))[:12])}): {measured}.",
        labelled, 0, "" if labelled else _MEASURE[name], "classify",
    )  # fmt: skip


def _counted(record: Record | None, name: str) -> dict[str, Any]:
    """A mapping that a step counted, {} where it did not."""
    found = record.counts.get(name) if record else None
    return dict(found) if isinstance(found, dict) else {}


def unknown_licences(funnel: Funnel) -> list[Finding]:
    """The share of a mix (else of the documents for training) whose licence nobody knows."""
    at, frame = "mix", funnel.mixed()
    if frame is None:
        at = next((s for s in ("decontaminate", "dedup", "filter", "text") if s in funnel.rows), "")
        if not at:
            return []
        frame = funnel.rows[at].filter(pl.col("reason").is_null()).with_columns(repeats=pl.lit(1))
    if frame.is_empty():
        return []
    odd = frame.filter(
        pl.col("licence").is_null() | pl.col("licence").str.to_lowercase().is_in(UNKNOWN)
    )
    whole, part = (int((f["bytes"] * f["repeats"]).sum()) for f in (frame, odd))
    share = part / whole if whole else odd.height / frame.height
    if odd.is_empty():
        return []
    sources = odd.group_by("source").len().sort(["len", "source"], descending=[True, False])
    return [
        Finding(
            "unknown_licence",
            "warn" if share > UNKNOWN_SHARE else "note",
            f"{odd.height:,} of {frame.height:,} documents that {at} keeps have no known licence: {100 * share:.1f} % of "
            f"the bytes that training may read ({', '.join(visible(str(s)) for s, _ in sources.head(3).iter_rows())}).",
            round(share, 4),
            UNKNOWN_SHARE,
            "name the licence of the source, or take the source out",
            at,
        )
    ]  # fmt: skip


def settings(funnel: Funnel, step: str) -> dict[str, Any]:
    """The settings that a step ran under, its section of the params."""
    for one in funnel.steps:
        if one.name == step:
            return dict((one.records[0].parts.get("params") or {}).get(step) or {})
    return {}
