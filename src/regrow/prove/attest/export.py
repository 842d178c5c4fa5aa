"""From a ledger to a file of statements: reread the bytes, sign, write."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from regrow.engine import files
from regrow.engine.verify import verify
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.naming import Artifact
from regrow.evidence.record import Record
from regrow.prove.attest.envelope import seal
from regrow.prove.attest.provenance import provenance


def statements(ledger: Ledger, artifact: Artifact, *, chain: bool = False) -> list[dict[str, Any]]:
    """The provenance of an artifact; with `chain`, first that of everything it was made from.

    Raises:
        Unanswerable: a record of them contradicts itself, another record or the sources.
    """
    before = [r for r in ledger.ancestry(artifact.record) if r.file != artifact.record.file]
    found = [provenance(ledger, Artifact(record)) for record in before if chain]
    return [*found, provenance(ledger, artifact)]


def reread(root: Path, records: Iterable[Record]) -> list[str]:
    """Read every byte of the outputs that is here; returns the names of those that are not (whole).

    Raises:
        Unanswerable: bytes are here that are not the recorded ones: whoever signed the record
            would vouch for something else than what is there.
    """
    gone = []
    for record, result in zip(records, verify(root, [r.raw for r in records]), strict=True):
        wrong = [*result.differing, *result.extra] if not result.absent else []
        if wrong:
            raise Unanswerable(
                f"nothing was attested: {wrong[0]} is not what {record.file} says. "
                "Fix: `snakemake --cores all` restores it."
            )
        if result.missing:
            gone.append(record.name)
    return gone


def sealed(found: Iterable[dict[str, Any]], key: Ed25519PrivateKey) -> bytes:
    """A bundle in in-toto's form: one envelope a line. One statement: a plain DSSE envelope."""
    return b"".join(seal(statement, key) for statement in found)


def readable(found: list[dict[str, Any]]) -> bytes:
    """Unsigned statements for people: indented JSON, a list where there are several."""
    value = found[0] if len(found) == 1 else found
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def write(path: Path, content: bytes) -> None:
    """Write by rename. Raises Unanswerable where something else than statements is there."""
    check_free(path)
    try:
        files.write_atomically(path, content)
    except OSError as error:
        raise Unanswerable(f"{path} cannot be written: {error.strerror}.") from None


def check_free(path: Path) -> None:
    """Refuse a place that holds anything but earlier statements (a key, say)."""
    if not path.exists():
        return
    if path.is_file():
        with path.open("rb") as handle:
            head = handle.read(1 << 16).lstrip()
        if not head or (head[:1] in b"{[" and (b'"payloadType"' in head or b'"_type"' in head)):
            return
        # A payload of more than 64 KB comes before its type.
        if head.startswith(b'{"payload":"'):
            return
    raise Unanswerable(f"{path} exists and holds no statements: it is not overwritten.")
