"""The list `sources` of a params file: which corpora pretraining begins from, checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import ValidationError

from regrow.params import addresses, places
from regrow.params.entries import RecipeError, listed, nearest
from regrow.params.places import FILES
from regrow.params.source import Source
from regrow.params.source_kinds import READERS

CRAWL: Literal["crawl"] = "crawl"
"""the built-in source: what `sources/manifest.yaml` names, crawled"""
KINDS: tuple[str, ...] = tuple(READERS)
ENDINGS: Mapping[str, str] = {
    ending: kind for kind, files in READERS.items() for ending in files.endings
}
"""ending of a pattern -> the kind of its files, where the entry does not say it"""
UNKNOWN = "unknown"
_PACKED = (".gz", ".zst", ".bz2", ".xz")
_LISTS, _NO_LISTS = ("warc", "wet"), ("wat", "cc-index", "cc-index-table", "segment", "robotstxt")
"""lists of paths of Common Crawl: of archives with documents, and of what has none"""
_FIXES = {
    "licence": "`licence: CC-BY-4.0` (an SPDX identifier), `licence: LicenseRef-...`, or `licence: unknown` on purpose",
    "origin": "`origin:` with an address, a package, or a sentence on where the files come from",
    "files": FILES,
}


def corpora(raw: Any) -> tuple[Source, ...]:
    """The entries of `sources`; `crawl` stands for the sources manifest. Raises RecipeError."""
    found: dict[str, Source] = {}
    for name, said in listed(raw, "sources"):
        if name in found:
            raise RecipeError(f"`{name}` comes twice. Fix: give the second another name.")
        found[name] = _crawl(said) if name == CRAWL else _entry(name, said)
    return tuple(found.values())


def apart(sources: Iterable[Source], names: Iterable[str]) -> None:
    """Raises RecipeError where a stage or data set (`names`) is called like a step of a source."""
    taken = set(names)
    for source in sources:
        for step in (f"{does}_{source.name}" for does in ("read", "filter", "signatures")):
            if step in taken:
                raise RecipeError(
                    f"`{source.name}`: its step {step} is called like a stage or data set. Fix: give one of them another name."
                )


def _crawl(said: Mapping[str, Any]) -> Source:
    made = Source(
        name=CRAWL,
        kind=CRAWL,
        files=(),
        licence="of each part by the manifest",
        origin="sources/manifest.yaml",
    )
    known = made.model_dump()
    if any(field not in known or value != known[field] for field, value in said.items()):
        raise RecipeError(
            f"`{CRAWL}` is what sources/manifest.yaml names, and says nothing more. Fix: give a corpus of your own "
            "another name."
        )
    return made


def _entry(name: str, said: dict[str, Any]) -> Source:
    values = {"name": name, **said}
    for field in ("files", "packages", "select"):
        if isinstance(values.get(field), str):
            values[field] = [values[field]]
    if isinstance(values.get("paths"), str):
        values["paths"] = {"list": values["paths"]}
    for field, fix in _FIXES.items():
        value = values.get(field)
        missing = not value or (isinstance(value, str) and not value.strip())
        if missing and not (field == "files" and (values.get("packages") or values.get("paths"))):
            raise RecipeError(f"{name}.{field}: is missing. Fix: {fix}.")
    places.check_files(name, values.get("files") or [])
    licence = str(values["licence"]).strip()
    if licence.lower() == UNKNOWN and values["licence"] != UNKNOWN:
        raise RecipeError(f"{name}.licence: `{licence}` is not counted. Fix: `licence: {UNKNOWN}`.")
    if "kind" not in values:
        values["kind"] = _kind(name, values)
    if values["kind"] not in KINDS:
        raise RecipeError(
            f"{name}.kind: no kind `{values['kind']}`. {nearest(str(values['kind']), KINDS)}"
        )
    try:
        entry = Source.model_validate(values)
    except ValidationError as error:
        raise RecipeError(_explained(name, error)) from None
    places.check(entry)
    if entry.ocr and not READERS[entry.kind].scans:
        raise RecipeError(f"{name}.ocr: only PDFs have scanned pages. Fix: leave it out.")
    if entry.fields.get("text") == "":
        raise RecipeError(
            f"{name}.fields.text: names no field, so that no row would be a document. Fix: the field that holds the text."
        )
    unknown = sorted(set(entry.fields) - set(FIELDS))
    if unknown:
        raise RecipeError(f"{name}.fields: no field `{unknown[0]}`. {nearest(unknown[0], FIELDS)}")
    if (entry.fields or entry.metadata) and not READERS[entry.kind].rows:
        raise RecipeError(
            f"{name}.fields: files of kind {entry.kind} have no fields. Fix: leave it out."
        )
    return entry


FIELDS = ("text", "id", "url", "title", "date", "licence", "language")
"""of a document that rows can name"""


def _kind(name: str, values: Mapping[str, Any]) -> str:
    """The kind that the endings of all patterns say: those of `select`, where files are taken out of archives."""
    if values.get("paths"):
        return _of_list(name, values["paths"])
    field = "select" if values.get("select") or values.get("packages") else "files"
    paths = values.get(field)
    found = {_of_ending(str(path)) for path in paths} if isinstance(paths, list | tuple) else {""}
    if len(found) == 1 and "" not in found:
        return found.pop()
    raise RecipeError(
        f"{name}.kind: the endings of `{field}` do not say it. Fix: `kind:` one of {', '.join(KINDS)}."
    )


def _of_list(name: str, paths: Any) -> str:
    """The kind of the files of a list of paths, by the list's name: that of Common Crawl's."""
    address = str(paths.get("list", "")) if isinstance(paths, Mapping) else ""
    said = address.rpartition("/")[2].partition(".")[0]
    if said in _LISTS:
        return "warc"
    if said in _NO_LISTS:
        raise RecipeError(
            f"{name}.paths: files of `{said}.paths` hold no documents. Fix: `warc.paths.gz` or `wet.paths.gz`."
        )
    raise RecipeError(
        f"{name}.kind: the name of the list `{address}` does not say it. Fix: `kind:` one of {', '.join(KINDS)}."
    )


def _of_ending(path: str) -> str:
    path = path.lower().partition("?")[0] if addresses.remote(path) else path.lower()
    for packed in _PACKED:
        path = path.removesuffix(packed)
    return next((kind for ending, kind in ENDINGS.items() if path.endswith(ending)), "")


def _explained(name: str, error: ValidationError) -> str:
    item = error.errors()[0]
    where = ".".join(str(part) for part in (name, *item["loc"]))
    if item["type"] == "extra_forbidden":
        known = [field for field in Source.model_fields if field != "name"]
        return f"{where}: unknown key. {nearest(str(item['loc'][-1]), known, 'Known')}"
    if item["loc"] == ("name",):
        return f"`{name}` is no name of a source: small letters, digits and `_`, a letter first."
    return f"{where}: {item['msg']}, got {item.get('input')!r}."
