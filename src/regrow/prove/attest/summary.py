"""SLSA verification summary v1 of a rebuild: PASSED or FAILED, with what was rebuilt.

`timeVerified` is left out (SLSA 1.1 makes it optional): the same rebuild gives the same
statement whenever it is done. Whoever needs the time adds it from outside, as a time stamp of
the envelope.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regrow.engine.hashing import sha256_file
from regrow.evidence.ledger import Ledger
from regrow.evidence.naming import Artifact
from regrow.prove.attest import terms
from regrow.prove.attest.subject import FILE, FOLDER, subjects
from regrow.version import VERSION


def summary(ledger: Ledger, artifact: Artifact, verdict: Mapping[str, Any]) -> dict[str, Any]:
    """An in-toto statement v1 with a verification summary.

    Args:
        ledger: the records that the rebuild was compared with.
        artifact: what was rebuilt.
        verdict: the answer of `regrow.prove.rebuild.rebuild`.

    `inputAttestations` are those records. `dependencyLevels` counts the outputs on the way that
    were rebuilt too and came out equal.
    """
    passed = verdict["verdict"] == "equal"
    level = terms.LEVELS[verdict["from"]]
    before = [job for job in verdict["jobs"] if job["name"] != artifact.record.name]
    equal = sum(job["state"] == "equal" for job in before)
    predicate: dict[str, Any] = {
        "verifier": {"id": terms.VERIFIER, "version": {"regrow": VERSION}},
        "resourceUri": terms.artifact(artifact.path),
        "policy": {"uri": terms.POLICY},
        "inputAttestations": [_attestation(ledger, str(job["name"])) for job in verdict["jobs"]],
        "verificationResult": "PASSED" if passed else "FAILED",
        "verifiedLevels": [level if passed else "FAILED"],
        "slsaVersion": terms.SLSA_VERSION,
        terms.REBUILD: _found(artifact, verdict),
    }
    if equal:
        predicate["dependencyLevels"] = {level: equal}
    return {
        "_type": terms.STATEMENT,
        "subject": subjects(artifact),
        "predicateType": terms.SUMMARY,
        "predicate": predicate,
    }


def _attestation(ledger: Ledger, name: str) -> dict[str, Any]:
    record = ledger.by_name[name]
    return {
        "uri": terms.record(name),
        "digest": {FILE: sha256_file(ledger.root / record.file)},
    }


def _found(artifact: Artifact, verdict: Mapping[str, Any]) -> dict[str, Any]:
    """The extension: all of the verdict that another rebuild on another machine would say too."""
    kind = FOLDER if artifact.file is None else FILE
    rebuilt = verdict["rebuilt"]
    return {
        "from": verdict["from"],
        "commit": {"gitCommit": verdict["commit"]},
        "key": verdict["key"],
        "numerics": list(verdict["numerics"]),
        "recorded": {kind: verdict["sha256"]},
        "rebuilt": None if rebuilt is None else {kind: rebuilt},
        "equal": verdict["equal"],
        "of": verdict["of"],
        "first": verdict["first"],
        "otherPackages": [
            {name: row[name] for name in ("package", "recorded", "installed")}
            for row in verdict["packages"]
        ],
        "jobs": [
            {name: job[name] for name in ("name", "state", "recorded", "rebuilt")}
            for job in verdict["jobs"]
        ],
    }
