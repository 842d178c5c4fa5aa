"""From records to a file of statements: state, reread the bytes, sign, write."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from regrow.engine import files
from regrow.engine.verify import verify
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.naming import Artifact
from regrow.prove.attest.envelope import seal
from regrow.prove.attest.provenance import Provenance


@dataclass(frozen=True)
class Vouched:
    """Artifacts that somebody is about to vouch for with a signature."""

    ledger: Ledger
    artifacts: Sequence[Artifact]

    @classmethod
    def chain(cls, ledger: Ledger, artifact: Artifact) -> Vouched:
        """Everything that an artifact was made from, and last the artifact itself."""
        before = [r for r in ledger.ancestry(artifact.record) if r.file != artifact.record.file]
        return cls(ledger, [*map(Artifact, before), artifact])

    def statements(self) -> list[dict[str, Any]]:
        """The provenance of each.

        Raises:
            Unanswerable: a record of them contradicts itself, another record or the sources.
        """
        return [Provenance(self.ledger, one).statement() for one in self.artifacts]

    def absent(self) -> list[str]:
        """Read every byte of their outputs that is here; returns the names of those that are not (whole).

        Raises:
            Unanswerable: bytes are here that are not the recorded ones: whoever signed the record
                would vouch for something else than what is there.
        """
        records = [one.record for one in self.artifacts]
        gone = []
        read = verify(self.ledger.root, [record.raw for record in records])
        for record, result in zip(records, read, strict=True):
            wrong = [*result.differing, *result.extra] if not result.absent else []
            if wrong:
                raise Unanswerable(
                    f"nothing was attested: {wrong[0]} is not what {record.file} says. "
                    "Fix: `snakemake --cores all` restores it."
                )
            if result.missing:
                gone.append(record.name)
        return gone


@dataclass(frozen=True)
class Bundle:
    """A file of statements, as bytes: signed by a key, or for people to read."""

    statements: Sequence[dict[str, Any]]
    key: Ed25519PrivateKey | None = None

    @cached_property
    def content(self) -> bytes:
        """Signed, in in-toto's form: one DSSE envelope a line. Else indented JSON, a list where there are several."""
        if self.key is not None:
            return b"".join(seal(statement, self.key) for statement in self.statements)
        value = self.statements[0] if len(self.statements) == 1 else self.statements
        return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()

    def write(self, path: Path) -> None:
        """Write by rename. Raises Unanswerable where something else than statements is there."""
        check_free(path)
        try:
            files.write_atomically(path, self.content)
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
