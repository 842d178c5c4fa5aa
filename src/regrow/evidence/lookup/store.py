"""Where lookups are, and when they are made: on first use, named by the content of their table.

`.regrow/lookup/<code>/<SHA-256 of the table>.<column>.tree` and `….rows`. A table whose bytes are others has
another name, and so have lookups that other code made: none is ever stale. What an earlier run or a fork
asked for is found again. Every block is checked when it is read; a broken lookup is removed and made
again. The folder may be deleted.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from regrow.engine import files
from regrow.engine.hashing import sha256_file
from regrow.evidence.errors import Unanswerable
from regrow.evidence.lookup.damaged import Damaged
from regrow.evidence.lookup.rows import Rows
from regrow.evidence.lookup.tree import BTree

FOLDER = ".regrow/lookup"
_CODE = (
    "evidence/lookup/*.py",
    "evidence/runs/places.py",
    "learn/train/buckets.py",
    "numerics/permutation.py",
)
"""what decides the bytes of a lookup, besides its table"""
_DAY = 86_400.0
_PATIENCE = 1.0
"""seconds of making lookups, after which it is said"""
_LARGE = 50_000_000
"""bytes of a table, from which it is said before"""


def _mark(stat: os.stat_result) -> list[int]:
    return [stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]


def _clear(folder: Path) -> None:
    """Remove lookups of other code that nobody has added to for a day."""
    import shutil  # loads slowly, see Store.folder

    for other in folder.iterdir() if folder.is_dir() else ():
        if time.time() - other.stat().st_mtime > _DAY:
            shutil.rmtree(other, ignore_errors=True)


def code() -> str:
    """12 digits that name the code that makes lookups."""
    package = Path(__file__).parents[2]
    found = hashlib.sha256()
    for path in sorted(path for pattern in _CODE for path in package.glob(pattern)):
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:12]


Opened = TypeVar("Opened", BTree, Rows)


class Store:
    """The lookups of the tables below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folder: Path | None = None
        self._marks: dict[str, list[Any]] | None = None
        self._names: dict[Path, str] = {}
        self._open: dict[str, BTree | Rows] = {}
        self._stats: dict[Path, list[int]] = {}
        self._spent = 0.0
        self._said = False

    @property
    def folder(self) -> Path:
        """The folder of the lookups: of this process alone, where the repository cannot be written."""
        if self._folder is None:
            folder = self.root / FOLDER / code()
            try:
                if not folder.is_dir():
                    _clear(folder.parent)
                folder.mkdir(parents=True, exist_ok=True)
                usable = os.access(folder, os.W_OK)
            except OSError:
                usable = False
            if not usable:
                # Here and below: what a question that finds its lookups made never needs is not loaded.
                import tempfile

                self._temporary = tempfile.TemporaryDirectory(prefix="regrow-lookup-")
                folder = Path(self._temporary.name)
            self._folder = folder
        return self._folder

    def sha256(self, path: Path) -> str:
        """The SHA-256 of a table; read once, and by a later process if size, times or inode changed."""
        found = self._names.get(path)
        if found is None:
            found = self._names[path] = self._sha256(path)
        return found

    def _sha256(self, path: Path) -> str:
        if self._marks is None:
            known = files.read_json(self.folder / "marks.json")
            self._marks = known if isinstance(known, dict) else {}
        stat = path.stat()
        mark = self._stats[path] = _mark(stat)
        name = str(path.relative_to(self.root))
        entry = self._marks.get(name)
        if isinstance(entry, list) and len(entry) == 2 and entry[0] == mark:
            return str(entry[1])
        settled = files.settled(stat)
        digest = sha256_file(path)
        if settled:
            self._marks[name] = [mark, digest]
            # Of two processes that write at once one wins: the other's tables are hashed again.
            content = json.dumps(self._marks, separators=(",", ":")).encode()
            files.write_atomically(self.folder / "marks.json", content)
        return digest

    def tree(self, path: Path, column: str) -> BTree:
        """The tree of a column of the table at `path`; empty where it has no such column."""

        def make(target: Path) -> None:
            from regrow.evidence.lookup import grow, sort, table

            if not table.has(path, column):
                grow.grow(target, "hash", [])
                return
            kind = table.kind_of(path, column)
            found = table.entries(path, column, kind)
            grow.grow(target, kind, sort.ordered(found, target.parent, prefix=f"{target.name}."))

        return self._of(path, f"{column}.tree", BTree, make)

    def rows(self, path: Path) -> Rows:
        """The rows of the table at `path`."""

        def make(target: Path) -> None:
            from regrow.evidence.lookup import rows, table

            rows.write(target, table.rows(path))

        return self._of(path, "rows", Rows, make)

    def _of(
        self, path: Path, what: str, kind: Callable[[Path], Opened], make: Callable[[Path], None]
    ) -> Opened:
        """A lookup of a table, which must stay what it is while it is read."""

        def made(target: Path) -> None:
            self._tell(path.stat().st_size > _LARGE)
            make(target)
            if _mark(path.stat()) != self._stats.get(path):
                raise Unanswerable(f"{path} was written while it was read: ask again.")

        return self.opened(f"{self.sha256(path)}.{what}", kind, made)

    def _tell(self, large: bool) -> None:
        if not self._said and (large or self._spent > _PATIENCE):
            self._said = True
            print("regrow: making lookups of the tables (once) …", file=sys.stderr)

    def opened(
        self, name: str, kind: Callable[[Path], Opened], make: Callable[[Path], None]
    ) -> Opened:
        """A lookup by its file name, made if it is not there or cannot be opened."""
        found = self._open.get(name)
        if found is None:
            try:
                found = kind(self.folder / name)
            except (OSError, Damaged):
                found = self._made(name, kind, make)
            self._open[name] = found
        return found  # type: ignore[return-value]

    def forget(self, damage: Damaged) -> None:
        """Close everything and remove the lookup that is damaged, so that it is made again."""
        for name, found in list(self._open.items()):
            found.close()
            if str(damage).startswith(str(found.path)):
                found.path.unlink(missing_ok=True)
                print(f"regrow: {damage}; it is made again.", file=sys.stderr)
            del self._open[name]

    def _made(
        self, name: str, kind: Callable[[Path], Opened], make: Callable[[Path], None]
    ) -> Opened:
        target = self.folder / name
        lock = self.folder / "locks" / name
        with files.locked(lock, f"regrow: another process makes {name}; waiting for it."):
            try:
                return kind(target)  # another process was faster
            except (OSError, Damaged):
                pass
            import shutil

            # Nobody else writes this name while the lock is held: what is there was left by a kill.
            for left in self.folder.glob(f".{name}.*"):
                if left.is_dir():
                    shutil.rmtree(left, ignore_errors=True)
                else:
                    left.unlink(missing_ok=True)
            temporary = files.beside(target)
            start = time.monotonic()
            try:
                make(temporary)
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
                self._spent += time.monotonic() - start
        return kind(target)
