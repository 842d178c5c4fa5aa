"""Section 1: provider, model, modalities, size, dates and languages."""

from __future__ import annotations

from regrow.lineage.export.subject import Subject
from regrow.lineage.export.summary import sizes
from regrow.lineage.export.summary.dates import collected, month
from regrow.lineage.export.summary.field import Choice, Field, Section, Table, asked, known, told
from regrow.lineage.fork import own


def sections(subject: Subject) -> list[Section]:
    """Sections 1.1 to 1.3."""
    return [_provider(subject), _model(subject), _data(subject)]


def _provider(subject: Subject) -> Section:
    provider = subject.about.provider
    contact = [
        p for p in (provider.name, provider.address, provider.contact, provider.website) if p
    ]
    name = contact if provider.name and provider.contact else None
    return Section(
        "1.1",
        "Provider identification",
        (
            told("provider", "Provider name and contact details", name),
            told(
                "representative",
                "Authorised representative name and contact details",
                provider.representative,
                "Only for providers established outside the Union (Article 54).",
            ),
        ),
    )


def _model(subject: Subject) -> Section:
    about, record = subject.about.model, subject.record
    names = (
        told("names", "Versioned model name(s)", about.names)
        if about.names
        else known("names", "Versioned model name(s)", (subject.name,), [record.file])
    )
    begun = [
        r
        for r in subject.chain
        if r.makes_checkpoint and not any(p.makes_checkpoint for p in subject.ledger.parents(r))
    ]
    from_nothing = all(r.step == "pretrain" for r in begun) and bool(begun)
    points = _points(subject)
    depends = (
        told("dependencies", "Model dependencies", about.dependencies)
        if about.dependencies
        else known(
            "dependencies",
            "Model dependencies",
            "None: training began from random weights." if from_nothing and not points else None,
            [begun[0].file] if begun else [],
            f"The records begin from random weights, but this model continues {' and '.join(points)}, which may "
            "have been released by another provider: name that model and its summary."
            if points
            else "",
        )
    )
    placed = about.placed_on_market
    return Section(
        "1.2",
        "Model identification",
        (
            names,
            known(
                "digest",
                "Digest of the weights and the state of training",
                f"sha256:{record.sha256}",
                [record.file],
                "Not asked for by the template. Whoever holds it can check every figure below: "
                f"`regrow audit {record.name}`.",
            ),
            depends,
            told(
                "placed",
                "Date of placement of the model on the Union market",
                placed.strftime("%d/%m/%Y") if placed else None,
            ),
        ),
    )


def _points(subject: Subject) -> list[str]:
    """The checkpoints of a parent that forks in the chain begin from, with their digests."""
    found = {}
    for record in own.records(subject.chain):
        fork = record.parts["params"].get("fork") or {}
        parent = subject.ledger.by_name.get(
            f"{fork.get('stage')}.{int(fork.get('checkpoint', 0)):06d}"
        )
        if parent is not None:
            found[parent.name] = f"{parent.name} (sha256:{parent.sha256})"
    return list(found.values())


def _data(subject: Subject) -> Section:
    sets = sizes.prepared(subject)
    total = sum(one.tokens for one in sets)
    table = sizes.composition(subject)
    topics = [row["name"] for row in sizes.shares(table, "topic") if row["used"]]
    content = (
        "Text only: "
        + (f"crawled documents on {', '.join(topics)}; " if topics else "")
        + (
            "documents and conversations that the provider added; "
            if own.records(subject.chain)
            else ""
        )
        + "questions with worked answers made by programs, chat examples and the model's own answers."
    )
    return Section(
        "1.3",
        "Modalities, overall training data size and other characteristics",
        (
            known("modality", "Modality", ("Text",), [subject.record.file]),
            Field(
                "size",
                "Training data size: text",
                Choice(tuple(name for _, name in sizes.RANGES), sizes.size_range(total)),
                "records",
                tuple(f"records/{one.name}.json" for one in sets if " " not in one.name),
                f"{total:,} tokens of this model's tokenizer, repeats counted.",
            ),
            known(
                "sets",
                "Training sets after processing, before training",
                Table(
                    ("Training set", "Tokens", "Read by"),
                    tuple(
                        (
                            sizes.WORDS.get(one.name.partition(".")[0], one.name),
                            one.tokens,
                            "; ".join(map(sizes.stage_title, one.read_by)),
                        )
                        for one in sets
                    ),
                )
                if sets
                else None,
                note="Each training set may repeat text of the one before it.",
            ),
            known("content", "Types of content", content, [subject.record.file]),
            _latest(subject),
            asked(
                "continuous",
                "Is the model continuously trained on new data after this date?",
                subject.about.model.continuously_trained,
                "A checkpoint is named by its digest and does not change; further training gives another.",
            ),
            *_languages(subject),
            told(
                "characteristics",
                "Other relevant characteristics of the overall training data",
                subject.about.data.characteristics,
            ),
            *(
                [told("comments", "Additional comments", subject.about.data.comments)]
                if subject.about.data.comments
                else []
            ),
        ),
    )


def _latest(subject: Subject) -> Field:
    months = [last for _, last in collected(subject).values()]
    crawl = subject.ledger.by_name.get("crawl")
    live = bool(crawl and crawl.parts["params"].get("crawl", {}).get("live"))
    return known(
        "latest",
        "Latest date of data acquisition/collection for model training",
        month(max(months)) if months else None,
        [crawl.file] if crawl else [],
        "The latest date in the crawl's WARC files."
        if live
        else "The latest date in the crawl's WARC files. This crawl read frozen archives and writes "
        "the date that its params give (crawl.warc_date); the content is that of the versions in 2.1.",
    )


def _languages(subject: Subject) -> list[Field]:
    rows = sizes.shares(sizes.composition(subject), "language")
    table = Table(
        ("Language (ISO 639)", "Documents", "Bytes of text", "Bytes in the mix"),
        tuple((r["name"], r["documents"], r["bytes"], r["drawn"]) for r in rows),
    )
    record = subject.ledger.by_name.get("filter")
    return [
        known(
            "languages",
            "Description of the linguistic characteristics of the overall training data",
            table if rows else None,
            [record.file] if record else [],
            "Identified by a classifier, per document; the mix counts repeats. Text made by programs "
            "and by the model is in the same languages.",
        )
    ]
