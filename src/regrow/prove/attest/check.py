"""Believe a file of statements, or refuse it: signatures, form, consistency, and what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from regrow.engine.visible import visible
from regrow.evidence.errors import Unanswerable
from regrow.prove.attest import terms
from regrow.prove.attest.envelope import Opened, Refused, open_envelope
from regrow.prove.attest.provenance import key_from

Digest = tuple[str, str]
"""the kind (`sha256` of a file, `dirHash` of a folder) and the number: a file that lists a folder as its digest
does has the folder's number, and is not the folder"""


@dataclass(frozen=True)
class Checked:
    """A statement that may be believed as far as its signer is trusted."""

    opened: Opened
    kind: str
    """predicate type"""
    name: str
    """the first subject"""
    key: str | None = None
    """provenance: the step key, computed from the statement"""
    result: str | None = None
    """summary: PASSED or FAILED"""

    @property
    def digests(self) -> dict[Digest, str]:
        """Every digest of every subject -> the name of the first that has it."""
        found: dict[Digest, str] = {}
        for digest, name in self.named():
            found.setdefault(digest, name)
        return found

    def named(self) -> list[tuple[Digest, str]]:
        """Every digest of every subject, with its name."""
        return [
            ((str(kind), str(value)), str(subject.get("name", "")))
            for subject in self.opened.statement["subject"]
            for kind, value in subject["digest"].items()
        ]

    @property
    def predicate(self) -> dict[str, Any]:
        """The predicate."""
        return dict(self.opened.statement["predicate"])

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "predicateType": self.kind,
            "subject": self.opened.statement["subject"],
            "signed_by": self.opened.key,
            "key": self.key,
            "result": self.result,
        }


def check(content: bytes, public: Ed25519PublicKey, where: str) -> list[Checked]:
    """Verify a file: one envelope, or a bundle with one a line. Every one must be right.

    Raises:
        Refused: an envelope is damaged or not signed by this key, or its statement contradicts
            itself; the message names the line.
    """
    lines = [line for line in content.splitlines() if line.strip()]
    if not lines:
        raise Refused(f"{where}: empty.")
    # An envelope that another tool wrote may be indented.
    whole = len(lines) == 1 or lines[0].strip() == b"{"
    found = []
    for number, line in enumerate([content] if whole else lines, 1):
        place = where if whole else f"{where}, line {number}"
        found.append(_checked(open_envelope(line, public, place), place))
    return found


def _checked(opened: Opened, where: str) -> Checked:
    statement = opened.statement
    kind, predicate = str(statement["predicateType"]), statement["predicate"]
    name = str(statement["subject"][0].get("name", ""))
    try:
        if kind == terms.PROVENANCE:
            claimed, follows = key_from(predicate)
            if claimed != follows:
                raise Unanswerable(
                    f"it claims the key {claimed[:16]}, but {follows[:16]} follows from what it says."
                )
            return Checked(opened, kind, name, key=claimed)
        if kind == terms.SUMMARY:
            return Checked(opened, kind, name, result=_result(predicate))
    except Unanswerable as error:
        raise Refused(f"{where}: signed, but {error}") from None
    return Checked(opened, kind, name)


def _result(predicate: Mapping[str, Any]) -> str:
    result, levels = predicate.get("verificationResult"), predicate.get("verifiedLevels")
    if result not in ("PASSED", "FAILED") or not isinstance(levels, list):
        raise Unanswerable("it is no verification summary: neither PASSED nor FAILED.")
    found = predicate.get(terms.REBUILD)
    if found is None:
        return str(result)
    if not isinstance(found, Mapping) or (result == "PASSED") != (
        found.get("rebuilt") == found.get("recorded") and "FAILED" not in levels
    ):
        raise Unanswerable(f"it says {result}, which its own digests contradict.")
    return str(result)


def about(found: list[Checked], digest: Mapping[str, str], name: str, where: str) -> list[Checked]:
    """The statements about an artifact.

    Args:
        found: checked statements.
        digest: of the artifact, by its kind.
        name: what it was called, for the message.
        where: the file of the statements, for the message.

    Raises:
        Refused: none of them is about it.
    """
    mine = [item for item in found if set(digest.items()) & item.digests.keys()]
    if not mine:
        last = found[-1]
        _, first = next(iter(last.digests))
        value = next(iter(digest.values()))
        raise Refused(
            f"{where}: signed, but about another artifact: {visible(last.name)} ({visible(first[:16])}), "
            f"not {visible(name)} ({value[:16]})."
        )
    return mine


def unlinked(found: list[Checked]) -> list[str]:
    """Inputs of the provenances in a bundle about which it holds no provenance; sources need none.

    A data input must be the subject of another one, a record its byproduct; both by digest.
    """
    proven = [item for item in found if item.kind == terms.PROVENANCE]
    known = {digest for item in proven for digest in item.digests}
    for item in proven:
        known |= byproducts(item)
    lacking = []
    for item in proven:
        for dependency in item.predicate["buildDefinition"]["resolvedDependencies"]:
            notes = dependency.get("annotations")
            source = isinstance(notes, dict) and notes.get("kind") == "source"
            if not source and not known & _pairs(dependency):
                lacking.append(f"{item.name}: {dependency.get('uri') or dependency['name']}")
    return lacking


def dependencies(item: Checked) -> set[Digest]:
    """The digests of what a provenance says that its artifact was made from, sources too."""
    return _digests(item.predicate.get("buildDefinition"), "resolvedDependencies")


def byproducts(item: Checked) -> set[Digest]:
    """The digests of the records of a provenance."""
    return _digests(item.predicate.get("runDetails"), "byproducts")


def _digests(holder: Any, field: str) -> set[Digest]:
    """Digests of the resources in a field that a signer may have left out or filled otherwise."""
    listed = holder.get(field) if isinstance(holder, Mapping) else None
    resources = listed if isinstance(listed, list) else []
    return {pair for item in resources if isinstance(item, Mapping) for pair in _pairs(item)}


def _pairs(resource: Mapping[str, Any]) -> set[Digest]:
    digest = resource.get("digest")
    items = digest.items() if isinstance(digest, Mapping) else ()
    return {(str(kind), str(value)) for kind, value in items}
