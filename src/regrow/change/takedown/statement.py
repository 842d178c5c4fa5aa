"""A takedown as an in-toto statement: which artifacts stand in place of which, without which documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regrow.change.takedown.place import Place
from regrow.engine.hashing import sha256_file
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.prove.attest import terms
from regrow.prove.attest.subject import FILE, FOLDER, output

TAKEDOWN = "urn:regrow:takedown:v1"
"""predicateType: docs/guides/takedown.md says what it claims and what not"""

COVERS = {
    "training": "No training step of any subject read a token of the documents: trained again from the last "
    "checkpoint before the first that did, on the same sequences with their text masked.",
    "everything": "No step behind the extraction of text read the documents: made again from the sources.",
}
NOT_COVERED = {
    "training": [
        "data steps before the packing still hold the text",
        "tokenizer, classifiers and deduplication were fitted with it",
        "other documents that repeat the text",
    ],
    "everything": [
        "crawl, extracted text and sources still hold the page",
        "other documents that repeat the text",
    ],
}


def statement(ledger: Ledger, found: Mapping[str, Any]) -> dict[str, Any]:
    """An in-toto statement v1 about a takedown that `finish` has checked.

    Subjects are the outputs that were rebuilt. No clock, host or path outside the repository is in it:
    the same takedown gives the same statement.

    Raises:
        Unanswerable: nothing was rebuilt.
    """
    records = [ledger.by_name[row["job"]] for row in found["rebuilt"]]
    if not records:
        raise Unanswerable(f"the takedown {found['name']} rebuilt nothing: nothing to attest.")
    listed = Place(ledger.root, found["name"]).documents
    return {
        "_type": terms.STATEMENT,
        "subject": [output(record) for record in records],
        "predicateType": TAKEDOWN,
        "predicate": {
            "name": found["name"],
            "depth": found["depth"],
            "why": found["why"],
            "documents": {
                "ids": list(found["documents"]),
                "list": {"digest": {FILE: sha256_file(listed)}},
            },
            "covers": COVERS[found["depth"]],
            "notCovered": NOT_COVERED[found["depth"]],
            "firstSteps": dict(found["first"]),
            "kept": [output(ledger.by_name[name]) for name in found["kept"]],
            "superseded": [
                {"name": row["job"], "digest": {FOLDER: row["before"]}}
                for row in found["rebuilt"]
                if row["before"] and row["before"] != row["after"]
            ],
            "keys": {record.name: record.key for record in records},
            "checks": dict(found["checks"]),
            "vouchedByRecord": list(found["not_here"]),
        },
    }
