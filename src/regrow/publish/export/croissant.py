"""Croissant 1.1 (MLCommons): a step's output, or all that a checkpoint was trained on, as one dataset.

Files with SHA-256, the columns of every table as record sets, and the provenance in PROV-O. Paths
are relative to the top of the repository, where the file belongs; `mlcroissant` then reads the
records themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

import polars as pl

from regrow.evidence.errors import Unanswerable
from regrow.evidence.record import Record
from regrow.publish.export.croissant_context import CONTEXT
from regrow.publish.export.identifiers import licence_url, media_type, run_id
from regrow.publish.export.subject import Subject
from regrow.publish.export.summary import sizes
from regrow.release.composition import UNKNOWN

_TYPES = {
    pl.Boolean: "sc:Boolean",
    pl.String: "sc:Text",
    pl.Int8: "cr:Int8",
    pl.Int16: "cr:Int16",
    pl.Int32: "cr:Int32",
    pl.Int64: "cr:Int64",
    pl.UInt8: "cr:UInt8",
    pl.UInt16: "cr:UInt16",
    pl.UInt32: "cr:UInt32",
    pl.UInt64: "cr:UInt64",
    pl.Float32: "cr:Float32",
    pl.Float64: "cr:Float64",
}


def dataset(subject: Subject) -> dict[str, Any]:
    """The dataset as JSON-LD.

    Raises:
        Unanswerable: a table whose columns must be described is not on disk.
    """
    told = _told(subject)
    distribution, record_sets = [], []
    licences: dict[str, int] = {}
    for record in told:
        for entry in record.files:
            distribution.append(_file_object(record, entry))
            if PurePosixPath(entry["path"]).suffix != ".parquet":
                continue
            table = subject.outputs.table(record.name, entry["path"])
            if table is None:
                continue
            schema = table.collect_schema()
            record_sets.append(_record_set(record, entry["path"], schema))
            if "licence" in schema.names():
                counted = table.group_by(pl.col("licence").fill_null(UNKNOWN)).len().collect()
                for name, count in counted.iter_rows():
                    licences[name] = licences.get(name, 0) + count
    if subject.outputs.missing:
        raise Unanswerable(f"the columns of tables cannot be described: {subject.outputs.hint()}")
    provider = subject.about.provider
    found: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": _plain(subject.name),
        "alternateName": subject.name,
        "description": _describe(subject, told),
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "license": _licences(licences or _of_documents(subject)),
        "version": "1.0.0",
        "identifier": f"sha256:{subject.record.sha256}",
        "citeAs": _cite(subject),
        "inLanguage": _languages(subject),
        "distribution": distribution,
        "recordSet": record_sets,
        "prov:wasDerivedFrom": _derived(subject),
        "prov:wasGeneratedBy": [_activity(record) for record in told],
    }
    if provider.name:
        found["creator"] = {
            "@type": "sc:Organization",
            "name": provider.name,
            **({"url": provider.website} if provider.website else {}),
        }
    if provider.website:
        found["url"] = provider.website
    if subject.about.model.placed_on_market:
        found["datePublished"] = subject.about.model.placed_on_market.isoformat()
    return {key: value for key, value in found.items() if value not in ([], "")}


def unfilled(subject: Subject) -> list[str]:
    """Properties that Croissant requires and only the provider knows."""
    provider = subject.about.provider
    known = {
        "creator": provider.name,
        "url": provider.website,
        "datePublished": subject.about.model.placed_on_market,
    }
    return [name for name, value in known.items() if value is None]


def _told(subject: Subject) -> list[Record]:
    """The datasets that are described: the artifact, or what the checkpoint's stages read."""
    if not subject.is_model:
        return [subject.record]
    found = {}
    for checkpoint in subject.chain:
        if checkpoint.makes_checkpoint:
            for parent in subject.ledger.parents(checkpoint):
                if not parent.makes_checkpoint:
                    found[parent.name] = parent
    return sorted(found.values(), key=lambda record: record.order)


def _describe(subject: Subject, told: list[Record]) -> str:
    names = ", ".join(record.name for record in told)
    if subject.is_model:
        return f"What {subject.name} was trained on: the outputs of {names}."
    stated = f" The publisher states: {subject.description}" if subject.description else ""
    return f"The output of the step {names}.{stated}"


def _cite(subject: Subject) -> str:
    provider = subject.about.provider.name
    who = f"author = {{{provider}}}, " if provider else ""
    return f"@misc{{{_plain(subject.name)}, {who}title = {{{subject.name}}}, note = {{SHA-256 {subject.record.sha256}}}}}"


def _languages(subject: Subject) -> list[str]:
    """The languages that the chain's filter was to keep."""
    kept = subject.section("filter").get("languages")
    return [str(language) for language in kept] if isinstance(kept, list) else []


def _of_documents(subject: Subject) -> dict[str, int]:
    """Documents by licence that pretraining may draw on, for tables without a column of licences."""
    found = sizes.shares(sizes.composition(subject), "licence")
    return {str(row["name"]): int(row["documents"]) for row in found}


def _licences(rows: dict[str, int]) -> list[Any]:
    """The licences of the tables' rows; rows without one are counted, never passed over.

    Croissant requires a licence, so tables without that column say that none is on record.
    """
    if not rows:
        return [{"@type": "sc:CreativeWork", "name": "no licence on record"}]
    total = sum(rows.values())
    return [
        {
            "@type": "sc:CreativeWork",
            "name": f"no licence on record for {rows[name]:,} of {total:,} documents or rows",
        }
        if name == UNKNOWN
        else licence_url(name) or {"@type": "sc:CreativeWork", "name": name}
        for name in sorted(rows)
    ]


def _file_object(record: Record, entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": f"{record.name}/{entry['path']}",
        "name": f"{record.name}/{entry['path']}",
        "contentUrl": f"{record.path}/{entry['path']}",
        "contentSize": f"{entry['size']} B",
        "encodingFormat": _format(entry["path"]),
        "sha256": entry["sha256"],
    }


def _format(path: str) -> str:
    # mlcroissant knows Parquet under its first name only.
    return "application/x-parquet" if path.endswith(".parquet") else media_type(path)


def _record_set(record: Record, path: str, schema: pl.Schema) -> dict[str, Any]:
    name = f"{record.name}/{path.removesuffix('.parquet')}"
    fields = [
        _field(name, f"{record.name}/{path}", column, kind) for column, kind in schema.items()
    ]
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "field": fields}


def _field(table: str, file: str, column: str, kind: pl.DataType) -> dict[str, Any]:
    inner = kind
    depth = 0
    while isinstance(inner, pl.List | pl.Array):
        inner = inner.inner  # type: ignore[assignment]
        depth += 1
    found: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{table}/{column}",
        "name": column,
        "dataType": _TYPES.get(type(inner), "sc:Text"),
        "source": {"fileObject": {"@id": file}, "extract": {"column": column}},
    }
    if depth:
        found |= {"isArray": True, "arrayShape": ",".join(["-1"] * depth)}
    return found


def _derived(subject: Subject) -> list[dict[str, Any]]:
    """The sources, by origin and hash."""
    return [
        {
            "@type": "prov:Entity",
            "@id": f"urn:regrow:source:{_plain(source.name)}:{_plain(source.licence)}",
            "prov:label": source.title or source.name,
            "sc:identifier": source.name
            if source.kind
            else f"{source.origin} {source.version}".strip() or source.name,
            **(
                {"sc:description": f"{source.origin} (stated by the recipe)"} if source.kind else {}
            ),
            **({"sc:sha256": source.sha256} if source.sha256 else {}),
        }
        for source in subject.sources
    ]


def _activity(record: Record) -> dict[str, Any]:
    used: Iterable[str] = (str(digest) for _, digest in sorted(record.parts["inputs"].items()))
    return {
        "@type": "prov:Activity",
        "@id": f"urn:uuid:{run_id(record.key)}",
        "prov:label": f"regrow step {record.name}",
        "sc:identifier": record.key,
        "prov:used": [{"@id": f"urn:sha256:{digest}"} for digest in used],
    }


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-")
