"""OpenLineage 2-0-2: one COMPLETE event per job, one JSON object per line.

No START event, since no record knows when its job began; the standard allows a run of one event.
`runId` is the UUIDv5 of the step key, so the same job has the same run on every machine, and a
consumer that receives the events twice keeps one run. `eventTime` is the export's time (`instant`).
"""

from __future__ import annotations

import json
from typing import Any

from regrow.evidence.record import Record
from regrow.publish.export.identifiers import PRODUCER, run_id
from regrow.publish.export.subject import Subject

_SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/"
_FACETS = "https://openlineage.io/spec/facets/"


def events(subject: Subject) -> list[dict[str, Any]]:
    """The events of the jobs that made the artifact, in the order of the flow."""
    namespace = str(subject.stated.get("name") or "regrow")
    return [_event(subject, record, namespace) for record in subject.chain]


def lines(subject: Subject) -> str:
    """The events as newline-delimited JSON, which the client's file transport writes as well."""
    return "".join(
        json.dumps(e, sort_keys=True, ensure_ascii=False) + "\n" for e in events(subject)
    )


def _event(subject: Subject, record: Record, namespace: str) -> dict[str, Any]:
    hashes = record.parts["inputs"]
    inputs = [
        {
            "namespace": namespace,
            "name": entry["path"],
            "facets": {"version": _version(str(hashes[name]))},
        }
        for name, entry in sorted(record.inputs.items())
    ]
    return {
        "eventType": "COMPLETE",
        "eventTime": subject.time,
        "producer": PRODUCER,
        "schemaURL": _SPEC + "RunEvent",
        "run": {"runId": run_id(record.key), "facets": {"regrow_step": _step(record)}},
        "job": {"namespace": namespace, "name": record.name, "facets": _job(record)},
        "inputs": inputs,
        "outputs": [
            {
                "namespace": namespace,
                "name": record.path,
                "facets": {"version": _version(record.sha256)},
                "outputFacets": {"outputStatistics": _statistics(record)},
            }
        ],
    }


def _facet(url: str) -> dict[str, Any]:
    return {"_producer": PRODUCER, "_schemaURL": url}


def _version(sha256: str) -> dict[str, Any]:
    url = _FACETS + "1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet"
    return {**_facet(url), "datasetVersion": f"sha256:{sha256}"}


def _statistics(record: Record) -> dict[str, Any]:
    name = "OutputStatisticsOutputDatasetFacet"
    found = {
        **_facet(f"{_FACETS}1-0-2/{name}.json#/$defs/{name}"),
        "size": record.size,
        "fileCount": len(record.files),
    }
    kept = record.counts.get("kept")
    if isinstance(kept, int) and not isinstance(kept, bool):
        found["rowCount"] = kept
    return found


def _job(record: Record) -> dict[str, Any]:
    name = "JobTypeJobFacet"
    return {
        "jobType": {
            **_facet(f"{_FACETS}2-0-4/{name}.json#/$defs/{name}"),
            "processingType": "BATCH",
            "integration": "REGROW",
            "jobType": "STEP",
        }
    }


def _step(record: Record) -> dict[str, Any]:
    """A custom facet: the parts of the step key. Its schema is the base of all run facets."""
    parts = record.parts
    return {
        **_facet(_SPEC + "RunFacet"),
        "key": record.key,
        "codeDigest": (parts.get("code") or {}).get("digest"),
        "params": parts.get("params") or {},
        "packages": parts.get("packages") or {},
        "numerics": parts.get("numerics"),
        "counts": record.counts,
        "record": record.file,
    }
