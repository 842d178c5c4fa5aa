"""Section 3: reservations of rights, illegal content, and what else was done to the data."""

from __future__ import annotations

from regrow.ask.audit import documents
from regrow.evidence import corpora
from regrow.evidence.reasons import counted as said_of
from regrow.evidence.record import Record
from regrow.publish.export.subject import Subject
from regrow.publish.export.summary import sizes
from regrow.publish.export.summary.domains import domains
from regrow.publish.export.summary.field import Field, Section, Table, asked, known, told
from regrow.release.corpora import is_part, label
from regrow.release.sentence import plural
from regrow.release.statements import KNOWN, does


def sections(subject: Subject) -> list[Section]:
    """Sections 3.1 to 3.3."""
    return [_reservations(subject), _illegal(subject), _other(subject)]


def _reservations(subject: Subject) -> Section:
    processing = subject.about.processing
    fields: list[Field] = [
        asked(
            "code_of_practice",
            "Are you a signatory to the Code of Practice for general-purpose AI models that includes "
            "commitments to respect reservations of rights from the TDM exception or limitation?",
            processing.code_of_practice,
        )
    ]
    fields.append(_measures(subject))
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


def _measures(subject: Subject) -> Field:
    """What the crawl did before and during collection, as far as its record and table prove it."""
    label = (
        "Measures implemented to respect reservations of rights before and during data "
        "collection, and the opt-out protocols honoured"
    )
    gathered, crawl = subject.gathered, subject.step("crawl")
    if gathered is None or crawl is None:
        return told("measures", label, None, "No crawl is among the records of this model.")
    others = (
        f" What the crawlers of {plural(len(gathered.foreign), 'WARC file')} from elsewhere did is in no record."
        if gathered.foreign
        else ""
    )
    if not gathered.fetches:
        note = f"The run's own crawler fetched nothing, so it shows no measure.{others}"
        return told("measures", label, None, note)
    if gathered.obeys is None:
        return told(
            "measures", label, None, f"Whether robots.txt was obeyed is not recorded.{others}"
        )
    if not gathered.obeys:
        none = ("None: the crawl ran with crawl.obey_robots false.",)
        return known("measures", label, none, [crawl.file], others.strip())
    found = domains(subject)
    sizes.complete(subject)
    robots, noindex = sum(d.robots for d in found), sum(d.noindex for d in found)
    rules = gathered.outcome("robots_txt")
    sentences = (
        f"The crawler was set to honour robots.txt (RFC 9309), the robots meta element and the X-Robots-Tag header "
        f"(noindex, nofollow); it fetched {rules:,} robots.txt files.",
        f"{robots:,} addresses were left alone because of robots.txt and {noindex:,} fetched "
        "pages were not kept because they ask for it; 2.3 gives them by domain, and the crawl's "
        f"table ({crawl.path}/fetches.parquet) address by address.",
        "Not looked for by this crawler: other protocols (TDMRep, ai.txt, terms of use in words).",
    )
    return known("measures", label, sentences, [crawl.file], others.strip())


def _illegal(subject: Subject) -> Section:
    record = subject.step("filter")
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
                    _no_classifier(subject),
                ),
                [record.file],
            )
        )
    more = subject.about.processing.illegal_content
    if more or not fields:
        fields.append(told("more", "Further measures of the provider", more))
    return Section("3.2", "Removal of illegal content", tuple(fields))


def _no_classifier(subject: Subject) -> str:
    """Whether a step of the chain looks for illegal content otherwise."""
    steps = [one for one in subject.artifacts.values() if one.function in KNOWN]
    odd = [
        label(subject.artifacts[record.name])
        for record in subject.chain
        if not record.makes_checkpoint and subject.artifacts[record.name].function not in KNOWN
    ]
    if odd:
        return f"Whether {', '.join(dict.fromkeys(odd))} look for illegal content is not on record."
    return (
        f"None of the data steps of this run ({', '.join(dict.fromkeys(map(label, steps)))}) is a classifier of illegal "
        "content or compares with a list of hashes."
    )


def _other(subject: Subject) -> Section:
    rows = []
    about = {label(subject.artifacts[record.name]): record for record in subject.chain}
    each = ((record, documents(record)) for record in subject.chain)
    for counted in corpora.summed((record, said) for record, said in each if said is not None):
        if counted["dropped"]:
            rows.append(_row(subject, about[counted["step"]], counted))
    return Section(
        "3.3",
        "Other information",
        (
            known(
                "funnel",
                "What each step kept and dropped, and why",
                Table(("Step", "What it does", "In", "Kept", "Dropped, by reason"), tuple(rows))
                if rows
                else None,
                [
                    r.file
                    for r in subject.chain
                    if documents(r) and not is_part(subject.artifacts[r.name])
                ],
                "Every dropped document is a row with its reason, the measured value and the threshold.",
            ),
            *(
                [told("other", "Other relevant information", subject.about.processing.other)]
                if subject.about.processing.other
                else []
            ),
        ),
    )


def _row(subject: Subject, record: Record, counted: dict[str, object]) -> tuple[object, ...]:
    dropped = counted["dropped"]
    assert isinstance(dropped, dict)
    reasons = ", ".join(said_of(str(reason), n) for reason, n in dropped.items())
    kept = counted["kept"] if isinstance(counted["kept"], int) else None
    return (counted["step"], does(subject.artifacts[record.name]), counted["in"], kept, reasons)
