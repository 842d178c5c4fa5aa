"""Rows to documents: which field is which, and what a row without text, or with another kind of value, becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from regrow.data.sources.decoding import SURROGATES, clean, decoded
from regrow.data.sources.item import Item, Refused
from regrow.data.sources.json_rows import Number, canonical, kind_of
from regrow.data.sources.opening import HEAD_BYTES
from regrow.params.source import Source

USUAL: dict[str, tuple[str, ...]] = {
    "text": ("text", "content", "raw_content", "body", "contents", "code", "markdown"),
    "id": ("id", "_id", "uuid", "doc_id", "document_id", "record_id", "hexsha", "blob_id", "metadata.id"),
    "url": (
        "url", "uri", "source_url", "link", "metadata.url", "meta.url", "metadata.uri", "metadata.source_url",
        "warc_headers.warc-target-uri",
    ),
    "title": ("title", "metadata.title", "meta.title"),
    "date": (
        "date", "timestamp", "created", "created_at", "published", "date_download", "metadata.date", "meta.date",
        "metadata.timestamp", "metadata.created", "warc_headers.warc-date",
    ),
    "licence": (
        "licence", "license", "licences", "licenses", "detected_licenses", "max_stars_repo_licenses",
        "metadata.licence", "metadata.license", "meta.licence", "meta.license",
    ),
    "language": ("language", "lang", "metadata.language", "metadata.lang", "meta.language", "meta.lang"),
}  # fmt: skip
"""our name -> theirs, the first that a row has: C4, Dolma, FineWeb, OSCAR, RedPajama, The Stack, Wikipedia"""

_MISSING = object()


@dataclass(frozen=True)
class _Wrong:
    """A field of the wrong type."""

    theirs: str
    value: object


class Fields:
    """What the fields of a source's rows are called.

    `source.fields` decides where it names a field (an empty name: the rows have none); else the first usual name
    does that the row has. A dot descends into an object, unless a field has that very name.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._given = dict(source.fields)

    def names(self) -> list[str]:
        """Every name that may be asked for, as it is written in `fields`, `metadata` and `USUAL`."""
        asked = [name for ours in USUAL for name in self._theirs(ours)]
        return [*dict.fromkeys([*asked, *self._source.metadata])]

    def text_names(self) -> tuple[str, ...]:
        """The names that the text may have."""
        return self._theirs("text")

    def item(self, row: Mapping[str, object], payload: bytes, place: str) -> Item | Refused:
        """The document of a row; `payload` are the row's bytes, which name it if it is refused.

        Refused are: `missing_text` (no such field, or null), `wrong_type` (text that is no string; another field
        that `source.fields` names and that is no string, number or boolean), `empty`, `too_large`; of bytes in the
        text's place also `not_text` and `bad_charset`.
        """
        known = {ours: self._value(row, ours) for ours in USUAL if ours != "text"}
        said = {ours: value if isinstance(value, str) else "" for ours, value in known.items()}
        head, name, url = payload[:HEAD_BYTES], said["id"], said["url"]

        def refused(reason: str, detail: str, value: float | None = None, limit: float | None = None) -> Refused:  # fmt: skip
            return Refused(head, reason, detail, place, name, url, value, limit)

        theirs, text = self._found(row, "text")
        if text is _MISSING:
            return refused(
                "missing_text", f"no field {' or '.join(map(repr, self._theirs('text')))}"
            )
        for ours, value in known.items():
            if isinstance(value, _Wrong):
                return refused("wrong_type", f"{ours}: {value.theirs!r} is {kind_of(value.value)}")
        if not isinstance(text, str | bytes) or isinstance(text, Number):
            return refused("wrong_type", f"text: {theirs!r} is {kind_of(text)}, not a string")
        held = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        limit = self._source.max_document_bytes
        if len(held) > limit:
            return refused("too_large", "bytes of text", float(len(held)), float(limit))
        charset, repaired = "utf-8", 0
        if isinstance(text, bytes):
            found = decoded(held, place)
            if isinstance(found, Refused):
                return refused(found.reason, found.detail, found.value, found.threshold)
            text, charset, repaired = found.text, found.charset, found.repaired
        else:
            text, repaired = SURROGATES.subn("", text)
        if not text.strip():
            return refused("empty", "no character but white space")
        return Item(
            text=text, payload=held, name=name, url=url, title=said["title"], date=said["date"],
            licence=said["licence"], language=said["language"], charset=charset, repaired=repaired,
            metadata=self._metadata(row),
        )  # fmt: skip

    def _theirs(self, ours: str) -> tuple[str, ...]:
        if ours not in self._given:
            return USUAL[ours]
        return (self._given[ours],) if self._given[ours] else ()

    def _found(self, row: Mapping[str, object], ours: str) -> tuple[str, object]:
        """The field and its value; the value is `_MISSING` where no name leads to one."""
        for theirs in self._theirs(ours):
            value = descend(row, theirs)
            if value is not _MISSING and value is not None:
                return theirs, value
        return "", _MISSING

    def _value(self, row: Mapping[str, object], ours: str) -> str | _Wrong:
        for theirs in self._theirs(ours):
            value = descend(row, theirs)
            if value is _MISSING or value is None:
                continue
            said = _many(value) if ours == "licence" else _scalar(value)
            if said is not None:
                return clean(said)
            if ours in self._given:
                return _Wrong(theirs, value)
        return ""

    def _metadata(self, row: Mapping[str, object]) -> dict[str, str]:
        found = ((name, descend(row, name)) for name in self._source.metadata)
        return {
            name: clean(canonical(value) if (said := _scalar(value)) is None else said)
            for name, value in found
            if value is not _MISSING and value is not None
        }


def descend(row: Mapping[str, object], name: str) -> object:
    """The value of a field, of an object inside a row for a name with dots; `_MISSING` if there is none."""
    if name in row:
        return row[name]
    first, dot, rest = name.partition(".")
    inside = row.get(first)
    return descend(inside, rest) if dot and isinstance(inside, dict) else _MISSING


def _scalar(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return None
    return str(value) if isinstance(value, str) else None


def _many(value: object) -> str | None:
    """A licence, or a list of them, which all hold."""
    if isinstance(value, list):
        parts = [_scalar(part) for part in value]
        return None if None in parts else " AND ".join(dict.fromkeys(p for p in parts if p))
    return _scalar(value)
