"""CycloneDX 1.6 ML-BOM (ECMA-424) of a checkpoint: the model, what it was trained on, and the packages.

The model is the BOM's subject with a model card; the components are the checkpoints it began from,
the datasets, the source files and the Python packages of the chain; `dependencies` is the graph of
the records. There is no `timestamp`: the serial number follows from the model's digest, so equal
models give equal BOMs.
"""

from __future__ import annotations

from typing import Any

from regrow.evidence import contributed
from regrow.evidence.errors import Unanswerable
from regrow.evidence.record import Record
from regrow.publish.export.identifiers import document_id, is_selection, purl, spdx
from regrow.publish.export.modelcard import card, properties
from regrow.publish.export.subject import Subject
from regrow.release.composition import UNKNOWN
from regrow.release.corpora import reads

_SOURCES = "source:sources"


def bom(subject: Subject) -> dict[str, Any]:
    """The BOM as JSON-able data.

    Raises:
        Unanswerable: the artifact is no checkpoint.
    """
    record = subject.record
    if not subject.is_model:
        raise Unanswerable(
            f"`{record.name}` is no checkpoint, and an ML-BOM is about a model. "
            "Name a checkpoint (`regrow release --list`), or use `regrow export croissant` for data."
        )
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{document_id('cyclonedx', record.sha256 + record.key)}",
        "version": 1,
        "metadata": {
            "lifecycles": [{"phase": "post-build"}],
            **_manufacturer(subject),
            "component": {**_component(subject, record), **_subject(subject)},
        },
        "components": [
            *(_component(subject, other) for other in subject.chain if other is not record),
            *_source_components(subject),
            *_packages(subject),
        ],
        "dependencies": _dependencies(subject),
    }


def _manufacturer(subject: Subject) -> dict[str, Any]:
    provider = subject.about.provider
    if provider.name is None:
        return {}
    found: dict[str, Any] = {"name": provider.name}
    if provider.website:
        found["url"] = [provider.website]
    return {"manufacturer": found}


def _subject(subject: Subject) -> dict[str, Any]:
    """What is said of the BOM's subject beyond its bytes."""
    found: dict[str, Any] = {"name": subject.name, "modelCard": card(subject)}
    if subject.description:
        found["description"] = f"{subject.description} (stated by the publisher)"
    if subject.licence:
        found["licenses"] = [{"expression": subject.licence}]
    return found


def _component(subject: Subject, record: Record) -> dict[str, Any]:
    model = record.makes_checkpoint
    found: dict[str, Any] = {
        "type": "machine-learning-model" if model else "data",
        "bom-ref": f"record:{record.name}",
        "name": record.name,
        "version": record.sha256[:12],
    }
    if not model:
        found["data"] = [
            {
                "type": "dataset",
                "name": record.name,
                "contents": {"properties": properties(_counts(record.counts))},
            }
        ]
    found["components"] = [
        {
            "type": "file",
            "bom-ref": f"file:{record.path}/{entry['path']}",
            "name": f"{record.path}/{entry['path']}",
            "hashes": [{"alg": "SHA-256", "content": entry["sha256"]}],
        }
        for entry in record.files
    ]
    found["properties"] = properties(
        {
            "regrow:tree-sha256": record.sha256,
            "regrow:key": record.key,
            "regrow:code-digest": (record.parts.get("code") or {}).get("digest"),
            "regrow:numerics": record.parts.get("numerics"),
        }
    )
    return found


def _source_components(subject: Subject) -> list[dict[str, Any]]:
    """The sources, each with its licence, and the committed files that hold them."""
    if not subject.sources:
        return []
    parts = []
    for source in subject.sources:
        part: dict[str, Any] = {
            "type": "data",
            "bom-ref": f"source:{source.name}:{source.licence}",
            "name": source.name,
            "description": source.title,
            "licenses": [_licence(source.licence)],
            "data": [{"type": "dataset", "name": source.name}],
        }
        if source.version:
            part["version"] = source.version
        if source.sha256:
            part["hashes"] = [{"alg": "SHA-256", "content": source.sha256}]
        if source.kind:
            part["description"] = f"{source.origin} (stated by the recipe)"
        elif source.origin.startswith("sdist ") or source.origin.startswith("wheel "):
            part["purl"] = purl(source.origin.split()[1], source.version)
        elif source.origin.startswith("deb "):
            part["purl"] = f"pkg:deb/debian/{source.origin.split()[1]}@{source.version}"
        parts.append(part)
    files = [
        {
            "type": "data" if is_selection(subject.ledger.root, file["path"]) else "file",
            "bom-ref": f"file:{file['path']}",
            "name": file["path"],
            **(
                {"hashes": [{"alg": "SHA-256", "content": file["sha256"]}]}
                if file["sha256"]
                else {}
            ),
        }
        for file in [
            *subject.source_files,
            *contributed.files(subject.ledger.root, subject.chain),
        ]
    ]
    whole = {
        "type": "data",
        "bom-ref": _SOURCES,
        "name": "sources",
        "licenses": _licences({s.licence for s in subject.sources}),
        "data": [{"type": "dataset", "name": "sources"}],
        "components": [*parts, *files],
        "properties": properties({"regrow:documents-without-licence": subject.unlicensed}),
    }
    return [whole]


def _licences(found: set[str]) -> list[dict[str, Any]]:
    """One expression; where a licence is unknown, which no expression can say, one after the other by name."""
    if UNKNOWN in found:
        return [{"license": {"name": name}} for name in sorted(found)]
    return [{"expression": spdx(found)}]


def _licence(licence: str) -> dict[str, Any]:
    if licence.startswith("LicenseRef") or licence == UNKNOWN:
        return {"license": {"name": licence}}
    return {"expression": licence}


def _packages(subject: Subject) -> list[dict[str, Any]]:
    return [
        {
            "type": "platform" if name == "python" else "library",
            "bom-ref": _package_ref(name, version),
            "name": name,
            "version": version,
            **({} if name == "python" else {"purl": purl(name, version)}),
        }
        for name, version in sorted(
            {
                item
                for record in subject.chain
                for item in (record.parts.get("packages") or {}).items()
            }
        )
    ]


def _package_ref(name: str, version: str) -> str:
    return f"package:{name}@{version}"


def _dependencies(subject: Subject) -> list[dict[str, Any]]:
    rows = []
    for record in subject.chain:
        needs = {f"record:{parent.name}" for parent in subject.ledger.parents(record)}
        needs |= {_package_ref(*item) for item in (record.parts.get("packages") or {}).items()}
        if subject.sources and any(
            str(entry.get("path")).startswith(("sources", "forks/"))
            or (entry.get("kind") == "source" and reads(record.function))
            for entry in record.inputs.values()
        ):
            needs.add(_SOURCES)
        rows.append({"ref": f"record:{record.name}", "dependsOn": sorted(needs)})
    return rows


def _counts(counts: dict[str, Any], above: str = "regrow:count") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in counts.items():
        if isinstance(value, dict):
            found |= _counts(value, f"{above}:{name}")
        elif isinstance(value, int | float | str):
            found[f"{above}:{name}"] = value
    return found
