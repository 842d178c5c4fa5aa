"""Where a takedown is kept: its files below the root of the flow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from regrow.evidence.errors import Unanswerable

FOLDER = "takedowns"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


@dataclass(frozen=True)
class Place:
    """The files of a takedown, whether they are there or not."""

    root: Path
    name: str

    @property
    def folder(self) -> Path:
        """What the flow reads of it, and what is said about it."""
        return self.root / FOLDER / self.name

    @property
    def documents(self) -> Path:
        """The list of ids: a source of the flow."""
        return self.folder / "documents.json"

    @property
    def request(self) -> Path:
        """What was asked for and what it was to cost, in no key."""
        return self.folder / "request.json"

    @property
    def params_file(self) -> str:
        """Path below the root of the params under which the flow is without the documents."""
        return f"params/{self.name}.yaml"

    def statement(self, *, signed: bool) -> Path:
        """What is attested of it."""
        return self.folder / ("statement.intoto.jsonl" if signed else "statement.json")

    def below(self, path: Path) -> str:
        """A path as people read it."""
        return str(path.relative_to(self.root))

    def check_free(self) -> None:
        """Raises Unanswerable: no name of a takedown, or one that is taken."""
        if not _NAME.fullmatch(self.name):
            raise Unanswerable(
                f"--name {self.name}: lower-case letters, digits and _, a letter first, 41 at most."
            )
        for path in (self.folder, self.root / self.params_file):
            if path.exists():
                raise Unanswerable(
                    f"{self.below(path)} is there already: choose another --name, or remove it."
                )
