"""The data card: sources, licences, funnel, mix, and what the records show of consent and privacy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from regrow.params.evaluate import Release
from regrow.release import corpora, gathering, statements
from regrow.release.composition import Share, Source, shares
from regrow.release.gathering import Gathered
from regrow.release.history import book, history, upstream
from regrow.release.methods import Methods
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


def read(
    sources: Sequence[Source], records: Mapping[str, Artifact], table: pl.DataFrame
) -> list[tuple[Source, int]]:
    """The sources of the manifest that this run read, each with its documents that came through.

    Read is what a document came from, or what the crawl's record names: a host that it visited, an archive of
    another crawler that it copied. The rest of the manifest is no source of this run.
    """
    counts = dict(table.group_by("source").len().iter_rows())
    crawl = records.get("crawl")
    gathered = Gathered(crawl) if crawl else None
    found = [(source, int(counts.get(source.name, 0))) for source in sources]
    return [
        (source, count)
        for source, count in found
        if count or (gathered is not None and gathered.reads(source))
    ]


def _came(table: pl.DataFrame, source: corpora.Corpus) -> int:
    return table.filter(pl.col("source") == source.name).height


def data_card(
    *,
    release: Release,
    instance: str,
    sources: Sequence[Source],
    table: pl.DataFrame,
    records: Mapping[str, Artifact],
    methods: Methods,
    own: Sequence[Own] = (),
) -> str:
    """The text of `DATA_CARD.md`.

    `table` is `composition.documents`; `records` those of the chain, the checkpoint's as `checkpoint`; `own` what
    a fork brought.
    """
    return card(
        "DATA_CARD.md.jinja",
        facts(
            release=release, instance=instance, sources=sources, table=table, records=records,
            methods=methods, own=own,
        ),
    )  # fmt: skip


def facts(
    *,
    release: Release,
    instance: str,
    sources: Sequence[Source],
    table: pl.DataFrame,
    records: Mapping[str, Artifact],
    methods: Methods,
    own: Sequence[Own] = (),
) -> dict[str, Any]:
    """What the card shows."""
    by_source = shares(table, "source")
    mix = section(records, "mix")
    named = (
        ("Wanted tokens", "tokens"),
        ("Quality percentile below which nothing is kept", "cutoff"),
        ("Ceiling on the mean repeats of the best documents", "max_repeats"),
    )
    last = records.get("checkpoint")
    known = book(records.values())
    lineage = [r for r in upstream(known, last) if r is not last] if last else []
    lineage = [r for r in known.values() if r not in lineage and r is not last] + lineage
    added = corpora.gathered(lineage)
    shown = {record.step: record for record in lineage if record.step not in added}
    text = records.get("text")
    return {
        "name": release.name or instance,
        "sources": read(sources, records, table),
        "corpora": [(one, _came(table, one)) for one in corpora.corpora(text)],
        "by_source": by_source,
        "total": total(by_source),
        "by_licence": shares(table, "licence"),
        "licences": statements.licences(table, records),
        "by_topic": [row for row in shares(table, "topic") if row.documents],
        "histogram": histogram(table),
        "funnel": funnel(shown),
        "reasons": reasons(shown),
        "other": other(shown),
        "mix": [(label, mix[key]) for label, key in named if key in mix],
        "of_mix": statements.of_mix(records, table),
        "overlap": statements.of_overlap(records),
        "gathering": gathering.told(records.get("crawl"), text),
        "people": statements.of_people(lineage),
        "languages": statements.of_languages(table, records),
        "chain": history(known, last, methods) if last else [],
        "lineage": [record for record in corpora.whole_steps(lineage) if record.output],
        "own": own,
        "shown": SHOWN,
    }
