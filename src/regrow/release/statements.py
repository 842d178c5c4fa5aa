"""Sentences of the data card on licences, languages, repeats and steps, from the run's table and records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from regrow.release import corpora
from regrow.release.composition import UNKNOWN
from regrow.release.records import Artifact
from regrow.release.sentence import TABLE, Sentence, get, plural, whole

_ITEMS = "evaluation items"
_READ = "takes text out of the files of a source; what it cannot read is dropped"
KNOWN = {
    "regrow.data.crawl.step:crawl": "fetches and copies pages",
    "regrow.data.text.step:extract": "takes text out of pages and PDFs; what it cannot read is dropped",
    "regrow.data.sources.gather:text": "gathers the documents of all sources; what comes twice is dropped",
    "regrow.data.takedown.withdraw:run": "takes documents out of the text",
    "regrow.data.filters.step:run": "drops by language, length, repetition, symbols and addresses",
    "regrow.data.dedup.signatures:run": "computes what deduplication compares",
    "regrow.data.sources.gather:filtered": "gathers what the filters kept of all sources",
    "regrow.data.dedup.step:run": "drops exact and near duplicates",
    "regrow.data.dedup.decontaminate:run": "holds documents out, and drops what shares text with held-out documents or evaluation items",
    "regrow.data.dedup.decontaminate:hold_out": "chooses the documents that are held out",
    "regrow.data.dedup.decontaminate:part": "computes what documents share with held-out documents or evaluation items",
    **{
        f"regrow.data.mix.{module}:{function}": "computes what gives each document a topic and a quality"
        for module in ("classify", "given")
        for function in ("models", "part")
    },
    "regrow.data.mix.classify:run": "gives each document a topic and a quality",
    "regrow.data.mix.given:run": "gives each document a topic and a quality, by a model that is given",
    "regrow.data.mix.step:run": "drops below a quality cutoff, and repeats",
    "regrow.learn.tasks.step:run": "writes questions with worked answers",
    "regrow.data.tokens.train:run": "learns the vocabulary",
    "regrow.data.tokens.given:run": "takes a vocabulary that is given",
    "regrow.data.tokens.pack:part": "cuts texts into tokens",
    "regrow.data.tokens.pack:run": "cuts the mix into sequences",
    "regrow.learn.tasks.midtrain_data:run": "composes the midtraining mix, without what shares text with evaluation items",
    "regrow.learn.tasks.forkmix:run": "adds a fork's documents to the midtraining mix, without repeats and what shares text with held-out items",
    "regrow.learn.tasks.longcontext_data:run": "composes long sequences; drops what is short or too (in)compressible",
    "regrow.learn.tasks.sft_data:run": "composes chat examples; drops duplicates, repetition, other languages and claims to be somebody",
    "regrow.learn.tasks.forksft:run": "adds a fork's conversations; drops what is too long, repeated or shared with items",
    "regrow.learn.tasks.chats:run": "takes conversations that are given; drops what is too long, repeated or shared with items",
    "regrow.data.tokens.joined:run": "joins sequences of several data sets in given shares",
    "regrow.learn.tasks.joined:run": "joins chat examples of several data sets in given shares",
    "regrow.learn.rl.pairs:run": "draws pairs of answers; drops those without a right answer or a difference",
    "regrow.learn.rl.difficulty:run": "drops questions that are too easy or too hard",
    "regrow.data.takedown.mask:run": "masks documents that were taken down",
}
"""what the flow's own data steps do, by function; none of them looks for personal data, bias or illegal content"""


def does(record: Artifact) -> str:
    """What a step does, "" for one that is not the flow's; held-out tasks are named where it read them."""
    said = _READ if corpora.reads(record.function) else KNOWN.get(record.function, "")
    if record.function == "regrow.data.dedup.decontaminate:run" and record.made_by("tasks"):
        return said.replace(_ITEMS, f"{_ITEMS} or held-out tasks")
    return said


def licences(table: pl.DataFrame, records: Mapping[str, Artifact]) -> list[Sentence]:
    """How many documents have a licence on record, and who says it."""
    if table.is_empty():
        return [Sentence("No document came through.", (TABLE,))]
    odd = table.filter(pl.col("licence") == UNKNOWN)
    text = records.get("text")
    stated = bool(corpora.corpora(text))
    by = (f"{TABLE}/licence", *(("text/options.sources",) if stated else ()))
    if odd.is_empty():
        given = _given(text, stated)
        return [Sentence(f"Each of the {plural(table.height, 'document')} has {given}.", by)]
    drawn, whole_mix = _drawn(odd), _drawn(table)
    share = (
        f"; they are {100 * drawn / whole_mix:.1f} % of the bytes of the mix" if whole_mix else ""
    )
    return [
        Sentence(
            f"**{odd.height:,} of {plural(table.height, 'document')} have no licence on record** (held-out ones counted): "
            f"{_none_given(text, odd, stated)}{share}.",
            by,
        )
    ]


_BY_MANIFEST = "the licence that the manifest of sources gives for its address"


def _given(text: Artifact | None, stated: bool) -> str:
    """Whose the licence of each document is."""
    if not stated:
        return _BY_MANIFEST
    own = "its own licence, or that which the recipe states for its source"
    return f"{own}; of the crawl's, {_BY_MANIFEST}" if corpora.crawls(text) else own


def _none_given(text: Artifact | None, odd: pl.DataFrame, stated: bool) -> str:
    """Why documents have no licence."""
    nowhere = "the manifest of sources names none for their address"
    if not stated:
        return nowhere
    counts = dict(odd.group_by("source").len().iter_rows())
    said = []
    for source in corpora.corpora(text):
        if count := counts.pop(source.name, 0):
            none = f"which name none and of which the recipe says `{UNKNOWN}`"
            why = none if source.licence == UNKNOWN else f"which say `{UNKNOWN}` of themselves"
            said.append(f"{count:,} of the source {source.name}, {why}")
    if counts:
        said.append(f"{sum(counts.values()):,} of the crawl: {nowhere}")
    return "; ".join(said)


def _drawn(table: pl.DataFrame) -> int:
    used = table.filter(~pl.col("heldout"))
    return int((used["bytes"] * used["repeats"]).sum())


def languages(table: pl.DataFrame, records: Mapping[str, Artifact]) -> list[str]:
    """The languages of the documents that training may draw on, else those that the filter was to keep."""
    if "language" in table.columns:
        found = table.filter(~pl.col("heldout"))["language"].drop_nulls().unique().to_list()
        if found:
            return sorted(str(name) for name in found)
    record = records.get("filter")
    kept = get(record.params, "filter.languages") if record else None
    return [str(item) for item in kept] if isinstance(kept, list) else []


def of_languages(table: pl.DataFrame, records: Mapping[str, Artifact]) -> list[Sentence]:
    """What is known of the languages."""
    found = languages(table, records)
    record = records.get("filter")
    if not found or record is None:
        return []
    other = sum(
        n
        for reason, n in (record.counts.get("dropped") or {}).items()
        if str(reason).startswith("language") and whole(n)
    )
    by = (f"{TABLE}/language", "filter/params.filter.languages", "filter/counts.dropped")
    return [
        Sentence(
            f"Of the documents kept, by the filter's language identification: {', '.join(found)}. "
            f"{plural(other, 'document')} of other or unsure language were dropped.",
            by,
        )
    ]


def of_mix(records: Mapping[str, Artifact], table: pl.DataFrame) -> list[Sentence]:
    """How the mix was made."""
    record = records.get("mix")
    if record is None or record.function not in ("", "regrow.data.mix.step:run"):
        return []
    said: list[Sentence] = []
    most, cutoff = get(record.params, "mix.max_repeats"), get(record.params, "mix.cutoff")
    counts = records["classify"].counts if "classify" in records else {}
    labelled, given = get(counts, "labelled.quality"), get(counts, "given.quality")
    if given is not None:
        said += _given_quality(given, labelled)
    if labelled == 0 and given is None:
        said.append(
            Sentence(
                "No labels of quality were given, so the mix does not tell documents apart by quality.",
                ("classify/counts.labelled.quality",),
            )
        )
    elif isinstance(most, int | float):
        said.append(
            Sentence(
                "Within its topic a document of a higher quality percentile is repeated more often; the mean "
                f"repeats of the best are at most {most:g}.",
                ("mix/params.mix.max_repeats",),
            )
        )
    if isinstance(cutoff, int | float):
        text = f"Nothing is kept below percentile {cutoff:g} of quality." if cutoff else ""
        text = text or "No percentile of quality is left out."
        said.append(Sentence(text, ("mix/params.mix.cutoff",)))
    found = [int(n) for n in table.filter(~pl.col("heldout"))["repeats"].to_list()]
    if found:
        said.append(
            Sentence(
                f"A document is in the mix at most {plural(max(found), 'time')}.",
                (f"{TABLE}/repeats",),
            )
        )
    return said


def _given_quality(given: Any, labelled: Any) -> list[Sentence]:
    """Which model a run took its quality from, and whether it was measured on labels of the run."""
    file, digest = (str(get(given, name) or "") for name in ("file", "sha256"))
    measured = (
        f"{plural(labelled, 'labelled document')} of this run measured it"
        if whole(labelled)
        else "no label of this run measured it"
    )
    return [
        Sentence(
            f"Quality is the score of a model that was given, {file} (SHA-256 {digest}); {measured}.",
            ("classify/counts.given.quality", "classify/counts.labelled.quality"),
        )
    ]


def of_overlap(records: Mapping[str, Artifact]) -> list[Sentence]:
    """What was kept from training for what it shares with held-out text."""
    record = records.get("decontaminate")
    overlap = get(record.params, "decontaminate.max_overlap") if record else None
    words = get(record.params, "decontaminate.ngram") if record else None
    if record is None or not isinstance(overlap, int | float) or whole(words) is None:
        return []
    whole_tasks = ", or when a held-out task is in it" if record.made_by("tasks") else ""
    return [
        Sentence(
            f"A document was kept from training when more than {100 * overlap:g} % of its sequences of {words} words "
            f"occur in held-out documents or {_ITEMS}{whole_tasks}.",
            (
                "decontaminate/params.decontaminate.max_overlap",
                "decontaminate/params.decontaminate.ngram",
            ),
        )
    ]


def of_people(records: Sequence[Artifact]) -> list[Sentence]:
    """Whether a step looks for personal data."""
    steps = [record for record in records if record.function and not _trains(record)]
    if not steps:
        return [
            Sentence("Whether a step looks for personal data is not on record.", ("*/function",))
        ]
    by = tuple(f"{record.step}/function" for record in steps)
    odd = [corpora.label(record) for record in steps if not does(record)]
    names = ", ".join(dict.fromkeys(corpora.label(record) for record in steps))
    if odd:
        return [Sentence(f"Whether {', '.join(odd)} look for personal data is not on record.", by)]
    return [
        Sentence(
            f"None of the data steps of this run ({names}) looks for personal data; what the sources say of "
            "people is in the text unless another rule dropped it.",
            by,
        )
    ]


def _trains(record: Artifact) -> bool:
    return any(isinstance(v, Mapping) and "optimizer" in v for v in record.params.values())
