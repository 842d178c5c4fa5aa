"""The data card: sources, licences, funnel, mix, and what is to be said about consent and privacy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from regrow.params.evaluate import Release
from regrow.release import stages
from regrow.release.composition import Share, Source, shares
from regrow.release.model_card import flat
from regrow.release.own import SHOWN, Own
from regrow.release.records import Artifact
from regrow.release.render import card

_FUNNEL = ("in", "kept", "dropped")


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def funnel(records: Mapping[str, Artifact]) -> list[dict[str, Any]]:
    """Documents in, kept and dropped of every step that counted them."""
    found = []
    for record in records.values():
        into, kept = _whole(record.counts.get("in")), _whole(record.counts.get("kept"))
        if into is None and kept is None:
            continue
        dropped = record.counts.get("dropped")
        if isinstance(dropped, Mapping):
            total: int | None = sum(n for n in map(_whole, dropped.values()) if n is not None)
        else:
            total = _whole(dropped)
        found.append({"step": record.step, "into": into, "kept": kept, "dropped": total})
    return found


def reasons(records: Mapping[str, Artifact]) -> list[dict[str, Any]]:
    """Dropped documents by step and reason, the most frequent first within a step."""
    found = []
    for record in records.values():
        dropped = record.counts.get("dropped")
        if isinstance(dropped, Mapping):
            known = [(str(k), n) for k, v in dropped.items() if (n := _whole(v))]
            found += [
                {"step": record.step, "reason": reason, "documents": n}
                for reason, n in sorted(known, key=lambda item: (-item[1], item[0]))
            ]
    return found


def other(records: Mapping[str, Artifact]) -> list[dict[str, Any]]:
    """Whatever else the data steps counted, flattened: (step, name, value)."""
    found = []
    for record in records.values():
        rest = {k: v for k, v in record.counts.items() if k not in _FUNNEL}
        for name, value in flat(rest):
            if isinstance(value, int | float) and not isinstance(value, bool):
                digits = 0 if isinstance(value, int) else 3
                found.append({"step": record.step, "name": name, "value": value, "digits": digits})
    return found


def histogram(table: pl.DataFrame) -> list[tuple[int, int]]:
    """Repeats -> training documents, by repeats."""
    train = table.filter(~pl.col("heldout"))
    return sorted(Counter(train["repeats"].to_list()).items())


def total(rows: Sequence[Share]) -> Share:
    """The sum of a composition table."""
    whole = Share("all")
    for row in rows:
        whole.documents += row.documents
        whole.size += row.size
        whole.used += row.used
        whole.drawn += row.drawn
        whole.heldout += row.heldout
    return whole


def section(records: Mapping[str, Artifact], step: str) -> dict[str, Any]:
    """The params of a step's own section, {} where they are not recorded."""
    record = records.get(step)
    found = record.params.get(step) if record else None
    return dict(found) if isinstance(found, Mapping) else {}


def robots(records: Mapping[str, Artifact]) -> int | None:
    """Addresses that the crawler left alone because of robots.txt, wherever the counts say it."""
    record = records.get("crawl")
    for name, value in flat(record.counts) if record else []:
        if name.rpartition(".")[2] == "robots":
            return _whole(value)
    return None


def languages(records: Mapping[str, Artifact]) -> list[str]:
    """Languages that the filter kept, [] where it is not recorded."""
    found = section(records, "filter").get("languages")
    return [str(item) for item in found] if isinstance(found, list) else []


def data_card(
    *,
    release: Release,
    stage: stages.Stage,
    sources: Sequence[Source],
    table: pl.DataFrame,
    records: Mapping[str, Artifact],
    own: Sequence[Own] = (),
) -> str:
    """The text of `DATA_CARD.md`.

    `table` is `composition.documents`; `records` those of the data steps; `own` what a fork brought.
    """
    by_source = shares(table, "source")
    mix = section(records, "mix")
    named = (
        ("Wanted tokens", "tokens"),
        ("Quality percentile below which nothing is kept", "cutoff"),
        ("Ceiling on the mean repeats of the best documents", "max_repeats"),
    )
    return card(
        "DATA_CARD.md.jinja",
        {
            "name": release.name,
            "licence": release.licence,
            "sources": sources,
            "by_source": by_source,
            "total": total(by_source),
            "by_licence": shares(table, "licence"),
            "by_topic": [row for row in shares(table, "topic") if row.documents],
            "histogram": histogram(table),
            "funnel": funnel(records),
            "reasons": reasons(records),
            "other": other(records),
            "mix": [(label, mix[key]) for label, key in named if key in mix],
            "overlap": section(records, "decontaminate"),
            "crawl": section(records, "crawl"),
            "robots": robots(records),
            "languages": languages(records),
            "chain": stages.chain(stage.name),
            "lineage": list(records.values()),
            "own": own,
            "shown": SHOWN,
        },
    )
