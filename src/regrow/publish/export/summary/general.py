"""Section 1: provider, model, modalities, size, dates and languages."""

from __future__ import annotations

from regrow.evidence import contributed
from regrow.publish.export.subject import Subject
from regrow.publish.export.summary import sizes
from regrow.publish.export.summary.dates import collected, month
from regrow.publish.export.summary.field import Choice, Field, Section, Table, asked, known, told
from regrow.release.sentence import plural


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
    from_nothing = bool(begun) and all(
        subject.artifacts[r.name].function == "regrow.learn.train.kinds.pretrain:run" for r in begun
    )
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
    for record in contributed.records(subject.chain):
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
    content = _content(subject)
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
                            sizes.words(subject, one.name),
                            one.tokens,
                            "; ".join(sizes.stage_title(subject, name) for name in one.read_by),
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


def _content(subject: Subject) -> tuple[str, ...]:
    """What each stage of the chain learned from, by its records, and the topics of the documents."""
    rows = sizes.shares(sizes.composition(subject), "topic")
    topics = [str(row["name"]) for row in rows if row["used"]]
    documents = sum(row["used"] for row in rows)
    return (
        *(
            [
                f"{plural(documents, 'document')} of the topics {', '.join(topics)}: in the pretraining mix."
            ]
            if topics
            else []
        ),
        *(f"{one.title}: {one.reads.text}" for one in subject.history),
        *(
            f"The provider of the fork added {record.name} to it."
            for record in contributed.records(subject.chain)
        ),
    )


def _latest(subject: Subject) -> Field:
    months = collected(subject)
    crawl, gathered = subject.step("crawl"), subject.gathered
    last = max(months.items(), key=lambda item: (item[1][1], item[0]), default=None)
    note = f"The latest date in the WARC files that were read: that of {last[0]}." if last else ""
    frozen = gathered is not None and not gathered.live and last is not None
    if frozen and last and gathered and last[0] in gathered.own:
        note += (
            " This crawl read frozen archives and writes the date that its params give (crawl.warc_date); the content "
            "is that of the versions in 2.1."
        )
    return known(
        "latest",
        "Latest date of data acquisition/collection for model training",
        month(last[1][1]) if last else None,
        [crawl.file] if crawl else [],
        note,
    )


def _languages(subject: Subject) -> list[Field]:
    rows = sizes.shares(sizes.composition(subject), "language")
    table = Table(
        ("Language (ISO 639)", "Documents", "Bytes of text", "Bytes in the mix"),
        tuple((r["name"], r["documents"], r["bytes"], r["drawn"]) for r in rows),
    )
    record = subject.step("filter")
    return [
        known(
            "languages",
            "Description of the linguistic characteristics of the overall training data",
            table if rows else None,
            [record.file] if record else [],
            "As the filter identified it, per document that pretraining may draw on; the mix counts repeats. The "
            "language of other training sets is not on record.",
        )
    ]
