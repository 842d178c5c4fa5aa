"""What files hold, without reading them again: digests remembered by inode, size and times.

The change time (ctime) is part of the mark, so a file that was rewritten with its size and
modification time put back is noticed. The memory is per host (inodes and change times of a
network file system are no shared truth) and per folder of data. It is there to make a run that
has nothing to do fast. Nothing that is about to be read by a step is taken from it, and
`regrow verify` does not use it: whoever can write the folder can write the memory too.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG
from typing import Any

from regrow.engine import files
from regrow.engine.errors import FlowError
from regrow.engine.hashing import Digest, digest_file
from regrow.engine.names import shown
from regrow.selection import beside, parse

__all__ = ["FileTree", "Memory", "beside", "walk"]

STATE = ".regrow/state"
_SKIPPED = frozenset({"__pycache__", ".snakemake_timestamp", ".DS_Store"})
_REMOVED_WHILE_OPEN = re.compile(r"\.nfs[0-9a-f]{16,}")
"""what NFS calls a file that was removed while a process had it open, until that one closes it"""


class FileTree:
    """A folder (or one file) below the root, or some files of a folder, and what is known of their content.

    `path` may be a pattern or a part (`regrow.selection`). `reread`: believe no memory; every digest comes from the
    bytes.
    """

    def __init__(
        self, root: Path, path: str, reread: bool = False, memory: Memory | None = None
    ) -> None:
        """`memory`: of the folder, where several trees share it; default: read from the disk."""
        self.selection = parse(path)
        self.root = root
        self.path = root / self.selection.folder
        self._reread = reread
        self._memory = memory or Memory(root, self.selection.folder)
        self._known = self._memory.known
        self.read = 0
        """bytes that had to be read"""

    def listing(self) -> dict[str, os.stat_result]:
        """Files by path below the folder, sorted; of a single file, the one entry ``""``.

        Links to files count as the file (DVC may link to its cache). Links to folders are not
        followed: such a link is one entry, which no record has, so it is found to be foreign.
        """
        found = walk(self.path)
        names = sorted(found) if self.selection.plain else self.selection.counted(found)
        return {name: found[name] for name in names}

    def others(self) -> bool:
        """Of a part: whether any part has files."""
        return bool(FileTree(self.root, self.selection.whole).listing())

    def place(self, name: str) -> str:
        """The path below the root of a file of the listing."""
        return f"{self.selection.folder}/{name}" if name else self.selection.folder

    def known(self, name: str, stat: os.stat_result) -> Digest | None:
        """The digest of a file if it has not been touched since it was last read."""
        entry = None if self._reread else self._known.get(name)
        if entry is None or entry[0] != _mark(stat):
            return None
        return Digest(entry[1], entry[2], stat.st_size)

    def digest(self, name: str, stat: os.stat_result | None = None) -> Digest:
        """The digest of a file, read if need be. Raises OSError."""
        path = self.path / name if name else self.path
        stat = stat or path.stat()
        found = self.known(name, stat)
        if found is None:
            settled = files.settled(stat)
            found = digest_file(path)
            self.read += found.size
            if settled:
                self.remember(name, stat, found)
        return found

    def remember(self, name: str, stat: os.stat_result, digest: Digest) -> None:
        """Note a digest that was learned elsewhere (while writing or copying)."""
        self._known[name] = [_mark(stat), digest.sha256, digest.md5]
        self._memory.changed = True

    def digests(self) -> dict[str, Digest]:
        """All files with their digests; what is missing is forgotten.

        Raises:
            FlowError: something there is no plain file, so that its content could not count.
        """
        listing = self.listing()
        for name, stat in listing.items():
            if not S_ISREG(stat.st_mode):
                raise FlowError(
                    f"{self.path}/{shown(name)} is no plain file (a link to a folder, a broken link or a "
                    "pipe): its content would not count. Fix: put the files themselves there."
                )
        found = {name: self.digest(name, stat) for name, stat in listing.items()}
        # Of some files of a folder nothing is known about the others.
        gone = self._known.keys() - found.keys() if self.selection.plain else set()
        for name in gone:
            del self._known[name]
            self._memory.changed = True
        return found

    def save(self) -> None:
        """Write what was learned."""
        self._memory.save()


class Memory:
    """What is known of the files of a folder: path below it -> mark and digests."""

    def __init__(self, root: Path, folder: str) -> None:
        name = folder.replace("%", "%25").replace("/", "%2F")
        self._path = root / STATE / os.uname().nodename / f"{name}.json"
        self.known: dict[str, list[Any]] = _sound(files.read_json(self._path))
        self.changed = False

    def save(self) -> None:
        """Write it, if it is other than what was read."""
        if self.changed:
            files.note(self._path, json.dumps(self.known, separators=(",", ":")).encode())
            self.changed = False


def walk(path: Path) -> dict[str, os.stat_result]:
    """Files by path below a folder; of a single file, the one entry ``""``."""
    return {"": path.stat()} if path.is_file() else dict(_walk(path, ""))


def _sound(known: Any) -> dict[str, list[Any]]:
    """The entries of a memory that are of the right form: it may have been edited, or be of another version."""
    if not isinstance(known, dict):
        return {}
    return {
        name: entry
        for name, entry in known.items()
        if isinstance(entry, list)
        and len(entry) == 3
        and isinstance(entry[1], str)
        and isinstance(entry[2], str)
    }


def _mark(stat: os.stat_result) -> list[int]:
    return [stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.name in _SKIPPED or _REMOVED_WHILE_OPEN.fullmatch(entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), f"{prefix}{entry.name}/")
        else:
            # A pipe or a broken link is an entry too: what a record does not name is foreign.
            linked = entry.is_symlink() and entry.is_file()
            yield f"{prefix}{entry.name}", entry.stat(follow_symlinks=linked)
