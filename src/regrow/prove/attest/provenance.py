"""SLSA provenance v1 of a record, and back: the step key computed from a statement alone.

Everything comes from the record and the records and sources that it names, so that equal records
give equal statements: no clock, host, user, path outside the repository or git commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from regrow.ask.audit import problems
from regrow.engine import definition
from regrow.engine.definition import key_of
from regrow.engine.hashing import sha256_file
from regrow.engine.records import sound
from regrow.engine.witness import differences
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.naming import Artifact
from regrow.evidence.record import Record
from regrow.prove.attest import terms
from regrow.prove.attest.subject import FILE, FOLDER, subjects
from regrow.selection import parse

_ELSEWHERE = ("params", "instance", "inputs", "code")
"""parts of a key that are no internal parameters: what whoever runs the flow chooses, dependencies, and the code,
of which not all is said"""


@dataclass(frozen=True)
class Provenance:
    """How an artifact was made, by the records of a ledger."""

    ledger: Ledger
    artifact: Artifact

    @property
    def record(self) -> Record:
        """Of the artifact, or of the output that it is a file of."""
        return self.artifact.record

    def statement(self) -> dict[str, Any]:
        """An in-toto statement v1 with SLSA provenance v1.

        Raises:
            Unanswerable: the record contradicts itself, the records of its inputs or the sources.
        """
        if doubt := self.doubt():
            raise Unanswerable(doubt)
        return {
            "_type": terms.STATEMENT,
            "subject": subjects(self.artifact),
            "predicateType": terms.PROVENANCE,
            "predicate": {
                "buildDefinition": self._definition(),
                "runDetails": {
                    "builder": {"id": terms.BUILDER},
                    "byproducts": [
                        {
                            "name": self.record.file,
                            "uri": terms.record(self.record.name),
                            "digest": {FILE: sha256_file(self.ledger.root / self.record.file)},
                        }
                    ],
                },
            },
        }

    def doubt(self) -> str:
        """Why nobody should sign this, "" where nothing speaks against it."""
        file, raw = self.record.file, self.record.raw
        if unknown := definition.unknown(raw):
            return f"nothing was attested. {file}: {unknown}."
        if not sound(raw):
            return (
                f"{file}: its key or digests do not follow from its content. Restore it with "
                f"`git checkout -- {file}`, or delete it and run `snakemake`."
            )
        content = {file: self.ledger.content(self.record)}
        contradicted, _ = differences(self.ledger.root, content)
        said = [f"{text}." for text in contradicted.values()]
        if found := [*said, *problems(self.ledger, self.record)]:
            return "nothing was attested. " + found[0]
        return ""

    def _definition(self) -> dict[str, Any]:
        record, parts = self.record, self.record.parts
        code = {"digest": parts["code"]["digest"], "function": parts["code"]["function"]}
        external = {"step": record.step, "params": parts["params"]}
        if record.instance is not None:
            external["instance"] = record.instance
        # A record of the first definition says nothing of it, and so does its provenance.
        numbered = {"definition": record.raw["definition"]} if "definition" in record.raw else {}
        inside = {n: value for n, value in parts.items() if n not in _ELSEWHERE}
        return {
            "buildType": terms.BUILD,
            "externalParameters": external,
            "internalParameters": {**inside, **numbered, "code": code, "key": record.key},
            "resolvedDependencies": [self._dependency(name) for name in sorted(parts["inputs"])],
        }

    def _dependency(self, name: str) -> dict[str, Any]:
        """An input: its name in the step, its path and digest."""
        entry = self.record.inputs[name]
        notes = {key: str(entry[key]) for key in ("kind", "record") if entry.get(key)}
        chosen = parse(str(entry["path"]))
        folder = entry["kind"] == "data" or (
            entry["kind"] == "source"
            and (bool(chosen.pattern) or (self.ledger.root / chosen.folder).is_dir())
        )
        return {
            "name": name,
            "uri": terms.artifact(str(entry["path"])),
            "digest": {FOLDER if folder else FILE: str(self.record.parts["inputs"][name])},
            "annotations": notes,
        }


def key_from(predicate: Mapping[str, Any]) -> tuple[str, str]:
    """The step key that a provenance claims, and the one that follows from what it says.

    Raises:
        Unanswerable: it is no provenance of a step of Regrow.
    """
    try:
        built = predicate["buildDefinition"]
        if built["buildType"] != terms.BUILD:
            raise Unanswerable(f"buildType is `{built['buildType']}`, not `{terms.BUILD}`.")
        external, inside = built["externalParameters"], dict(built["internalParameters"])
        claimed = str(inside.pop("key"))
        if unknown := definition.unknown(inside):
            raise Unanswerable(f"{unknown}.")
        number = definition.said(inside)
        inside.pop("definition", None)
        inputs = {}
        for item in built["resolvedDependencies"]:
            (digest,) = item["digest"].values()
            inputs[str(item["name"])] = digest
        parts = {
            **inside,
            "params": external["params"],
            "instance": external.get("instance"),
            "inputs": dict(sorted(inputs.items())),
        }
        return claimed, key_of(parts, number)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unanswerable(
            f"it is no provenance of a step ({type(error).__name__}: {error})."
        ) from None
