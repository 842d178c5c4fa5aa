"""What the records say, folded for a page: tables of params, packages and modules that records point to."""

from __future__ import annotations

import json
from typing import Any

from regrow.ask.audit import documents, problems
from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record

FILES = 40
"""files of an output that are listed; of the rest the number is said"""
DIGITS = 16
"""hex digits of a module's digest on the page"""


class Pool:
    """Values that many records share, each once."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._places: dict[str, int] = {}

    def place(self, value: Any) -> int:
        """The place of a JSON-able value; equal values have one."""
        name = json.dumps(value, sort_keys=True)
        if name not in self._places:
            self._places[name] = len(self.values)
            self.values.append(value)
        return self._places[name]


class Facts:
    """The facts of all records of a ledger, which may be a part of a `whole` one."""

    def __init__(self, ledger: Ledger, whole: Ledger) -> None:
        self.ledger, self.whole = ledger, whole
        self.params, self.packages, self.code = Pool(), Pool(), Pool()
        self.modules = Pool()
        self._definitions: dict[tuple[str, str], dict[str, str]] = {}
        self.records = [self._record(record) for record in ledger.records]

    def as_json(self) -> dict[str, Any]:
        """The records and what they point to."""
        return {
            "records": self.records,
            "params": self.params.values,
            "packages": self.packages.values,
            "code": self.code.values,
            "modules": [
                [name, digest, self._definitions[name, digest] if many else None]
                for name, digest in self.modules.values
                for many in [self._versions(name) > 1]
            ],
        }

    def _versions(self, module: str) -> int:
        return sum(1 for name, _ in self.modules.values if name == module)

    def _record(self, record: Record) -> dict[str, Any]:
        parts, hashes = record.parts, record.parts["inputs"]
        made = {
            name: self.whole.by_file.get(e.get("record", "")) for name, e in record.inputs.items()
        }
        files = record.files
        return {
            "name": record.name,
            "step": record.step,
            "instance": record.instance,
            "path": record.path,
            "sha256": record.sha256,
            "key": record.key,
            "size": record.size,
            "files": [[f["path"], f["sha256"], f["size"]] for f in files[:FILES]],
            "more_files": max(0, len(files) - FILES),
            "inputs": [
                [name, entry.get("kind"), entry.get("path"), hashes.get(name), _name(made[name])]
                for name, entry in sorted(record.inputs.items())
            ],
            "params": self.params.place(parts.get("params") or {}),
            "packages": self.packages.place(parts.get("packages") or {}),
            "code": self.code.place(self._code(dict(parts.get("code") or {}))),
            "options": record.options,
            "numerics": parts.get("numerics"),
            "counts": record.counts,
            "documents": documents(record),
            "trained": list(record.trained) if record.trained else None,
            "checkpoint": record.makes_checkpoint,
            "evaluation": _name(self.ledger.about("evaluate", record))
            if record.makes_checkpoint
            else None,
            "release": _name(self.ledger.about("release", record))
            if record.makes_checkpoint
            else None,
            "problems": problems(self.whole, record),
        }

    def _code(self, code: dict[str, Any]) -> dict[str, Any]:
        modules = []
        for name, entry in sorted((code.get("modules") or {}).items()):
            digest = str(entry.get("digest", ""))[:DIGITS]
            self._definitions.setdefault((name, digest), dict(entry.get("definitions") or {}))
            modules.append(self.modules.place([name, digest]))
        native = {
            path: str(digest)[:DIGITS]
            for path, digest in sorted((code.get("native") or {}).items())
        }
        return {
            "function": code.get("function"),
            "digest": code.get("digest"),
            "modules": modules,
            "native": native,
        }


def _name(record: Record | None) -> str | None:
    return None if record is None else record.name
