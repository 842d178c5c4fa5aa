"""The bytes of records, each file reread and compared with its SHA-256 before anything uses it.

The workspace comes first, then DVC's cache. Nothing is written into either.
"""

from __future__ import annotations

from pathlib import Path

from regrow.engine.hashing import sha256_file
from regrow.engine.state import FileTree
from regrow.engine.store import Store
from regrow.evidence.errors import Unanswerable
from regrow.evidence.record import Record


class VerifiedFiles:
    """Files of the repository at `root`; `scratch` holds folders put together from the cache."""

    def __init__(self, root: Path, scratch: Path) -> None:
        self.root = root
        self._store = Store(root)
        self._scratch = scratch
        self._files: dict[tuple[str, str], Path] = {}
        self._folders: dict[str, Path] = {}

    def file(self, record: Record, name: str) -> Path:
        """A file of a record's output, with the recorded bytes.

        Raises:
            Unanswerable: it is nowhere here, or only with other bytes.
        """
        entry = next((item for item in record.files if item["path"] == name), None)
        if entry is None:
            raise Unanswerable(f"{record.file} lists no {name}: {record.name} is no checkpoint.")
        mark = (record.path + "/" + name, entry["sha256"])
        if mark not in self._files:
            self._files[mark] = self._find(record, entry)
        return self._files[mark]

    def _find(self, record: Record, entry: dict[str, str]) -> Path:
        here = self.root / record.path / entry["path"]
        there = False
        for path in (here, self._store.object_path(entry["md5"])):
            if path.is_file():
                there = True
                if sha256_file(path) == entry["sha256"]:
                    return path
        label = f"{record.path}/{entry['path']}"
        if there:
            raise Unanswerable(
                f"{label} does not hold the bytes of {record.file} (SHA-256 {entry['sha256'][:16]}…): "
                f"it was changed. `dvc checkout -f {record.path}` or `dvc pull -f {record.path}` "
                "restores it."
            )
        raise Unanswerable(f"{label} is not on disk. Fetch with `dvc pull {record.path}`.")

    def folder(self, record: Record) -> Path:
        """The output of a record, complete, with the recorded bytes and nothing else.

        Raises:
            Unanswerable: a file of it is nowhere here.
        """
        mark = record.sha256
        if mark in self._folders:
            return self._folders[mark]
        found = {entry["path"]: self.file(record, entry["path"]) for entry in record.files}
        here = self.root / record.path
        plain = all(path == here / name for name, path in found.items())
        if plain and set(FileTree(self.root, record.path).listing()) == set(found):
            self._folders[mark] = here
            return here
        made = self._scratch / "inputs" / mark
        for name, path in found.items():
            target = made / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            target.symlink_to(path.resolve())
        self._folders[mark] = made
        return made
