"""What a run's records say of the sources that its recipe names, and of the steps that read them in parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from regrow.release.records import Artifact, Source
from regrow.release.sentence import Sentence, get, plural, whole

CRAWL = "crawl"
TEXT = "regrow.data.sources.gather:text"
_DEDUP = "regrow.data.dedup.step:run"
_GATHERING = (TEXT, "regrow.data.sources.gather:filtered")
_READERS = "regrow.data.sources.kinds."
_IN_PARTS = (
    "regrow.data.filters.step:run", "regrow.data.dedup.signatures:run", "regrow.data.dedup.decontaminate:part",
    "regrow.data.mix.classify:part", "regrow.data.mix.given:part", "regrow.data.tokens.pack:part",
)  # fmt: skip
_CUT = (
    "regrow.data.dedup.decontaminate:run", "regrow.data.mix.classify:run", "regrow.data.mix.given:run",
    "regrow.data.tokens.pack:run",
)  # fmt: skip
"""functions of steps that a recipe may cut into ranges of the documents; a release is not handed what they gather"""


def reads(function: str) -> bool:
    """Whether a step of this function reads a part of a source, of whatever kind."""
    return function.startswith(_READERS)


def in_parts(function: str) -> bool:
    """Whether steps of this function are cut into parts of a source, or of the documents."""
    return reads(function) or function in _IN_PARTS


@dataclass(frozen=True)
class Corpus:
    """A source that the recipe names, as the recipe states it."""

    name: str
    kind: str
    files: tuple[str, ...]
    """paths and patterns below the repository"""
    licence: str
    """of the documents that name none"""
    origin: str
    documents: int | None
    """that were read and not there before; None: not recorded"""

    @property
    def told(self) -> str:
        """`notes (corpus/notes/**/*.md)`."""
        return f"{self.name} ({', '.join(self.files)})"


def corpora(text: Artifact | None) -> list[Corpus]:
    """The sources that the recipe names but for the crawl, by the record of the step `text`; [] where it names none."""
    stated = text.options.get("sources") if text is not None else None
    found = []
    for entry in stated if isinstance(stated, list) else []:
        if not isinstance(entry, Mapping) or entry.get("kind") == CRAWL:
            continue
        name = str(entry.get("name", ""))
        files = entry.get("files")
        found.append(
            Corpus(
                name=name,
                kind=str(entry.get("kind", "")),
                files=tuple(map(str, files)) if isinstance(files, list) else (),
                licence=str(entry.get("licence", "")),
                origin=str(entry.get("origin", "")),
                documents=_documents(text, name),
            )
        )
    return found


def crawls(text: Artifact | None) -> bool:
    """Whether the recipe names the crawl among its sources; where it names none, the crawl is all."""
    stated = text.options.get("sources") if text is not None else None
    entries = stated if isinstance(stated, list) else []
    return not entries or any(isinstance(e, Mapping) and e.get("kind") == CRAWL for e in entries)


def _documents(text: Artifact | None, name: str) -> int | None:
    counts = get(text.counts, "documents") if text is not None else None
    return (whole(counts.get(name)) or 0) if isinstance(counts, Mapping) else None


def told(text: Artifact | None) -> list[Sentence]:
    """Sentences on documents that were read from files of the recipe's sources; [] where it names none."""
    found = corpora(text)
    if not found:
        return []
    stated, counted = "text/options.sources", "text/counts.documents"
    named = "; ".join(source.told for source in found)
    each = [source.documents for source in found if source.documents is not None]
    came = plural(sum(each), "document") if each else "Documents that are not counted"
    steps = ", ".join(f"`read_{source.name}`" for source in found)
    return [
        Sentence(
            f"{came} came from files of {plural(len(found), 'source')} that the recipe names: {named}.",
            (stated, counted),
        ),
        Sentence(
            f"The files are frozen by content: their SHA-256 is in the records of {steps}. How they were gathered "
            "before, and whether a robots.txt was obeyed then, is not on record; the recipe states their origin.",
            (stated,),
        ),
    ]


def gathered(records: Iterable[Artifact]) -> set[str]:
    """The jobs whose documents, drops and counts another record adds up: those that read and filter sources.

    Also those that sign the documents of a source for deduplication: `dedup` counts each of these documents.
    """
    return {
        source.record
        for record in records
        for source in record.inputs
        if source.kind == "data" and (record.function in _GATHERING or _signatures(record, source))
    }


def _signatures(record: Artifact, source: Source) -> bool:
    return record.function == _DEDUP and source.name.startswith("signatures.")


def whole_steps(records: Iterable[Artifact]) -> list[Artifact]:
    """The records without those of parts of a source: how many there are decides no byte, and no card says it."""
    known = list(records)
    parts = {name for name in gathered(known) if "." in name}
    return [record for record in known if record.step not in parts]


def label(record: Artifact) -> str:
    """What a card calls a job: a step that is cut into parts by its name alone."""
    return record.stage if is_part(record) else record.step


def is_part(record: Artifact) -> bool:
    """Whether a job reads or filters a part of a source."""
    return in_parts(record.function) and record.step != record.stage


def keyed(records: Iterable[Artifact]) -> set[str]:
    """The jobs whose key is the same for any number of parts.

    Of a recipe that names its sources, steps that it may cut are not among them, whether they are cut or not.
    """
    known = list(records)
    named = any(record.function == TEXT for record in known)
    return {
        record.step
        for record in known
        if record.function not in _GATHERING
        and not (record.function in _CUT and (named or _is_cut(record)))
        and not any(_signatures(record, source) for source in record.inputs)
    }


def _is_cut(record: Artifact) -> bool:
    return any(source.name.startswith("part.") for source in record.inputs)
