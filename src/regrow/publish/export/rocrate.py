"""RO-Crate 1.1 with the profile Process Run Crate 0.5: the repository as a research object.

The crate's root is the repository, so `ro-crate-metadata.json` belongs at its top. Files are data
entities with SHA-256 and size; each job is a CreateAction with the step as its instrument, the
inputs as its objects and the output as its result. Actions have no start and no end: no record
knows them.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from regrow.evidence.record import Record
from regrow.publish.export.identifiers import (
    PRODUCER,
    is_selection,
    licence_url,
    media_type,
    run_id,
)
from regrow.publish.export.subject import Subject
from regrow.release.sentence import NOT_STATED
from regrow.selection import parse

_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"},
]
FILE = "ro-crate-metadata.json"


def crate(subject: Subject) -> dict[str, Any]:
    """The metadata file as JSON-able data."""
    entities: dict[str, dict[str, Any]] = {}

    def add(entity: dict[str, Any]) -> dict[str, str]:
        entities.setdefault(entity["@id"], entity)
        return {"@id": entity["@id"]}

    read = [f for f in subject.source_files if not is_selection(subject.ledger.root, f["path"])]
    parts = [add(_source(file)) for file in read if file["sha256"]]
    actions = []
    for record in subject.chain:
        files = [add(_file(record, entry)) for entry in record.files]
        parts.append(add(_dataset(record, files)))
        parts.append(add(_record_file(record)))
        add(_instrument(record))
        actions.append(add(_action(subject, record)))
    inputs = _inputs(subject, entities)
    collections = [add(entity) for entity in inputs if entity["@type"] == "Collection"]
    parts += [add(entity) for entity in inputs if entity["@type"] != "Collection"]
    licence = add(_licence(subject.licence or "unknown"))
    agent = add(_agent(subject))
    for action in actions:
        entities[action["@id"]]["agent"] = agent
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": subject.name,
        "description": _described(subject),
        "datePublished": _date(subject),
        "license": licence,
        "conformsTo": {"@id": _PROFILE},
        "identifier": f"sha256:{subject.record.sha256}",
        "author": agent,
        "publisher": agent,
        "hasPart": _compact(sorted(parts, key=lambda part: part["@id"])),
        "mentions": _compact([*actions, *collections]),
    }
    profile = {
        "@id": _PROFILE,
        "@type": "CreativeWork",
        "name": "Process Run Crate",
        "version": "0.5",
    }
    descriptor = {
        "@id": FILE,
        "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "about": {"@id": "./"},
    }
    rest = [entities[name] for name in sorted(entities)]
    return {"@context": _CONTEXT, "@graph": [descriptor, root, profile, *rest]}


def _described(subject: Subject) -> str:
    text = f"The run that made {subject.record.name}: records, data, provenance."
    return f"{text} The publisher states: {subject.description}" if subject.description else text


def _compact(values: list[Any]) -> Any:
    """A single value stands alone, as the standard recommends."""
    return values[0] if len(values) == 1 else values


def _date(subject: Subject) -> str:
    placed = subject.about.model.placed_on_market
    return placed.isoformat() if placed else subject.time


def _file(record: Record, entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "@id": f"{record.path}/{entry['path']}",
        "@type": "File",
        "name": f"{record.name}: {entry['path']}",
        "encodingFormat": media_type(entry["path"]),
        "contentSize": str(entry["size"]),
        "sha256": entry["sha256"],
    }


def _dataset(record: Record, files: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "@id": f"{record.path}/",
        "@type": "Dataset",
        "name": record.name,
        "description": f"Output of the step {record.step}.",
        "identifier": f"sha256:{record.sha256}",
        "hasPart": _compact(files),
    }


def _record_file(record: Record) -> dict[str, Any]:
    return {
        "@id": record.file,
        "@type": "File",
        "name": f"Record of {record.name}",
        "description": "Key, params, code digest, packages, inputs, output and counts of the job.",
        "encodingFormat": "application/json",
        "about": {"@id": f"{record.path}/"},
    }


def _source(file: dict[str, Any]) -> dict[str, Any]:
    return {
        "@id": file["path"],
        "@type": "File",
        "name": f"Source of {', '.join(file['hosts'] or [file['source']])}",
        "encodingFormat": media_type(file["path"]),
        "contentSize": str(file["size"]),
        "sha256": file["sha256"],
    }


def _inputs(subject: Subject, known: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Source folders and files that jobs name as inputs and that are not entities yet."""
    found = {}
    for record in subject.chain:
        for name, entry in sorted(record.inputs.items()):
            path = str(entry["path"])
            identity = _entity(subject, entry)
            if entry.get("kind") == "source" and identity not in known:
                found[identity] = (
                    _collection(identity, path, record, name)
                    if identity.startswith("#")
                    else {
                        "@id": identity,
                        "@type": "Dataset" if identity.endswith("/") else "File",
                        "name": f"Source: {path}",
                        "description": "Committed files that the run begins from.",
                        **({} if identity.endswith("/") else {"encodingFormat": media_type(path)}),
                        "identifier": f"sha256:{record.parts['inputs'][name]}",
                    }
                )
    return [found[name] for name in sorted(found)]


def _collection(identity: str, path: str, record: Record, name: str) -> dict[str, Any]:
    """Some files of a folder: those that a pattern finds, or a part of them."""
    return {
        "@id": identity,
        "@type": "Collection",
        "name": f"Source: {path}",
        "description": "Files that the run begins from; the digest is over the lines of their SHA-256 and paths.",
        "identifier": f"sha256:{record.parts['inputs'][name]}",
    }


def _entity(subject: Subject, entry: dict[str, Any]) -> str:
    path = str(entry["path"])
    if entry.get("kind") == "record":
        return path
    if entry.get("kind") == "source":
        if not parse(path).plain:
            return f"#files-{quote(path, safe='')}"
        return f"{path}/" if (subject.ledger.root / path).is_dir() else path
    return f"{path}/"


def _instrument(record: Record) -> dict[str, Any]:
    digest = str((record.parts.get("code") or {}).get("digest") or "unknown")
    return {
        "@id": f"{PRODUCER}:step:{record.step}:{digest[:16]}",
        "@type": "SoftwareApplication",
        "name": f"regrow step {record.step}",
        "softwareVersion": digest,
        "softwareRequirements": _compact(
            [f"{n}=={v}" for n, v in sorted((record.parts.get("packages") or {}).items())]
        ),
    }


def _action(subject: Subject, record: Record) -> dict[str, Any]:
    return {
        "@id": f"#run-{run_id(record.key)}",
        "@type": "CreateAction",
        "name": record.name,
        "description": f"Job {record.name}, step key {record.key}.",
        "instrument": {"@id": _instrument(record)["@id"]},
        "object": _compact(
            [{"@id": _entity(subject, e)} for _, e in sorted(record.inputs.items())]
        ),
        "result": {"@id": f"{record.path}/"},
        "actionStatus": "http://schema.org/CompletedActionStatus",
    }


def _licence(licence: str) -> dict[str, Any]:
    url = licence_url(licence)
    return {
        "@id": url or f"#licence-{licence.replace(' ', '-')}",
        "@type": "CreativeWork",
        "name": licence if licence != "unknown" else NOT_STATED,
        "description": "Licence of the weights, as the publisher states it. It is not that of the text.",
    }


def _agent(subject: Subject) -> dict[str, Any]:
    provider = subject.about.provider
    return {
        "@id": provider.website or "#provider",
        "@type": "Organization",
        "name": provider.name or "to be filled in by the provider",
        **({"url": provider.website} if provider.website else {}),
    }
