"""Section 3: reservations of rights, illegal content, and what else was done to the data."""

from __future__ import annotations

from regrow.lineage.audit import documents
from regrow.lineage.export.subject import Subject
from regrow.lineage.export.summary import sizes
from regrow.lineage.export.summary.domains import domains
from regrow.lineage.export.summary.field import Field, Section, Table, asked, known, told
from regrow.lineage.ledger import Record

_ASPECTS = {
    "text": "text taken out of pages and PDFs; what is unreadable is dropped",
    "filter": "language, length, repetition and symbol rules; addresses with words on a list",
    "dedup": "exact and near duplicates",
    "decontaminate": "documents that share text with evaluation items",
    "classify": "topic and quality of each document",
    "mix": "documents below the quality cutoff; the best are repeated",
    "midmix": "texts that share much with evaluation items",
    "longmix": "documents too short or too compressible for the long context",
    "forkmix": "the fork's documents that repeat another, or share much with held-out documents, tasks or items",
    "sftdata": "duplicates, repetition, other languages, claims to be somebody",
    "forksft": "the fork's conversations that are too long, repeat another or share much with items",
    "pairs": "pairs without a right answer or without a difference",
    "difficulty": "questions that are too easy or too hard",
}


def sections(subject: Subject) -> list[Section]:
    """Sections 3.1 to 3.3."""
    return [_reservations(subject), _illegal(subject), _other(subject)]


def _reservations(subject: Subject) -> Section:
    processing = subject.about.processing
    crawl = subject.ledger.by_name.get("crawl")
    fields: list[Field] = [
        asked(
            "code_of_practice",
            "Are you a signatory to the Code of Practice for general-purpose AI models that includes "
            "commitments to respect reservations of rights from the TDM exception or limitation?",
            processing.code_of_practice,
        )
    ]
    if crawl is not None:
        obeys = (crawl.parts["params"].get("crawl") or {}).get("obey_robots")
        found = domains(subject)
        sizes.complete(subject)
        robots, noindex = sum(d.robots for d in found), sum(d.noindex for d in found)
        sentences = (
            (
                "Honoured before and during collection: robots.txt (RFC 9309), the robots meta element "
                "and the X-Robots-Tag header (noindex, nofollow).",
                f"{robots:,} addresses were left alone because of robots.txt and {noindex:,} fetched "
                "pages were not kept because they ask for it; 2.3 gives them by domain, and the crawl's "
                "table (data/crawl/fetches.parquet) address by address.",
                "Not looked for by this crawler: other protocols (TDMRep, ai.txt, terms of use in words).",
            )
            if obeys
            else ("None: the crawl ran with crawl.obey_robots false.",)
        )
        fields.append(
            known(
                "measures",
                "Measures implemented to respect reservations of rights before and during data "
                "collection, and the opt-out protocols honoured",
                sentences,
                [crawl.file],
            )
        )
    fields.append(
        known(
            "later",
            "Reservations that arrive after training",
            "A document can be found by its address or a line of text (`regrow trace`), with every "
            "training step that saw it, and be taken out; the model without it has another digest.",
            [subject.record.file],
        )
    )
    if processing.reservations:
        fields.append(told("more", "Further measures of the provider", processing.reservations))
    return Section(
        "3.1",
        "Respect of reservation of rights from text and data mining exception or limitation",
        tuple(fields),
    )


def _illegal(subject: Subject) -> Section:
    record = subject.ledger.by_name.get("filter")
    fields = []
    if record is not None:
        params = record.parts["params"].get("filter") or {}
        words, hosts = params.get("url_words") or [], params.get("url_hosts") or []
        dropped = documents(record) or {"dropped": {}}
        lost = sum(n for reason, n in dropped["dropped"].items() if str(reason).startswith("url"))
        fields.append(
            known(
                "measures",
                "General description of measures taken",
                (
                    f"Pages whose address holds one of these words are dropped: {', '.join(words) or 'none'}.",
                    f"Pages of these hosts are dropped: {', '.join(hosts) or 'none'}.",
                    f"Documents dropped for it in this run: {lost:,}.",
                    "No classifier of illegal content and no list of hashes is part of the flow.",
                ),
                [record.file],
            )
        )
    more = subject.about.processing.illegal_content
    if more or not fields:
        fields.append(told("more", "Further measures of the provider", more))
    return Section("3.2", "Removal of illegal content", tuple(fields))


def _other(subject: Subject) -> Section:
    rows = []
    for record in subject.chain:
        counted = documents(record)
        if counted and counted["dropped"]:
            rows.append(_row(record, counted))
    return Section(
        "3.3",
        "Other information",
        (
            known(
                "funnel",
                "What each step kept and dropped, and why",
                Table(("Step", "What it removes", "In", "Kept", "Dropped, by reason"), tuple(rows))
                if rows
                else None,
                [r.file for r in subject.chain if documents(r)],
                "Every dropped document is a row with its reason, the measured value and the threshold.",
            ),
            *(
                [told("other", "Other relevant information", subject.about.processing.other)]
                if subject.about.processing.other
                else []
            ),
        ),
    )


def _row(record: Record, counted: dict[str, object]) -> tuple[object, ...]:
    dropped = counted["dropped"]
    assert isinstance(dropped, dict)
    reasons = ", ".join(f"{reason} {n:,}" for reason, n in dropped.items())
    kept = counted["kept"] if isinstance(counted["kept"], int) else None
    return (record.name, _ASPECTS.get(record.step, ""), counted["in"], kept, reasons)
