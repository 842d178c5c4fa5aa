"""The files of a job's folder against its record: compared, named, put right.

What the record does not describe is replaced from the cache, or else the remote, each file only
by bytes with the SHA-256 of the record; where neither has them, the answer is `Lost`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import Any

from regrow.engine import files
from regrow.engine.errors import FlowError
from regrow.engine.hashing import Digest
from regrow.engine.present import PRIVATE
from regrow.engine.records import Record
from regrow.engine.remote import Remote
from regrow.engine.state import FileTree
from regrow.engine.store import Store


class Lost(FlowError):
    """A file can be had from neither cache nor remote."""


@dataclass
class Workspace:
    """How the files of a job's folder compare with its record."""

    missing: set[str] = field(default_factory=set)
    differing: dict[str, str] = field(default_factory=dict)
    """file -> what was found: for people"""
    extra: set[str] = field(default_factory=set)
    unverified: set[str] = field(default_factory=set)

    @property
    def upset(self) -> bool:
        """Something is there that the record does not describe."""
        return bool(self.differing or self.extra)


def compare(
    root: Path, record: Record, budget: list[int] | None = None, reread: bool = False
) -> Workspace:
    """Compare the files of a record's output with the workspace.

    `budget`: one number, the bytes that may still be read; files beyond it are `unverified`.
    `reread`: believe neither times nor what was noted of earlier reads.
    """
    output = record["output"]
    tree = FileTree(root, output["path"], reread)
    listing = tree.listing()
    found = Workspace()
    for entry in output["files"]:
        name = entry["path"]
        stat = listing.pop(name, None)
        if stat is None:
            found.missing.add(name)
        elif not S_ISREG(stat.st_mode):
            found.differing[name] = "no plain file"
        else:
            digest = tree.known(name, stat)
            size = "" if stat.st_size == entry["size"] else f"{stat.st_size} bytes"
            if digest is None and budget is not None and stat.st_size > budget[0]:
                if size:
                    found.differing[name] = size
                else:
                    found.unverified.add(name)
                continue
            if digest is None:
                digest = tree.digest(name, stat)
                if budget is not None:
                    budget[0] -= stat.st_size
            if digest.sha256 != entry["sha256"]:
                found.differing[name] = f"sha256 {digest.sha256}" + (size and f" ({size})")
    found.extra = set(listing)
    tree.save()
    return found


def say_differing(record: Record, differing: Mapping[str, str]) -> None:
    """Name what the workspace has otherwise than the record, before it is put right."""
    path = record["output"]["path"]
    for entry in record["output"]["files"]:
        if entry["path"] in differing:
            print(
                f"{path}/{entry['path']}: refused. Expected sha256 {entry['sha256']}, "
                f"found {differing[entry['path']]}.",
                file=sys.stderr,
            )


def provide(root: Path, store: Store, remote: Remote, record: Record, reader: str) -> None:
    """Make the data of a record complete and right in the workspace.

    A step is about to read it: every byte is reread, whatever times and earlier reads say. Jobs side by side may need the same folder: one completes it, the others wait and find it so.

    Raises:
        Lost: a file can be had from neither cache nor remote.
    """
    path = record["output"]["path"]
    with files.locked(root / PRIVATE / "locks" / path.replace("/", "%2F")):
        state = compare(root, record, reread=True)
        for name in sorted(state.extra):
            (root / path / name).unlink()
        say_differing(record, state.differing)
        gone = state.missing | state.differing.keys()
        wanted = [f for f in record["output"]["files"] if f["path"] in gone]
        obtain(store, remote, root / path, wanted, reader)


def obtain(
    store: Store, remote: Remote, folder: Path, wanted: list[Mapping[str, Any]], reader: str
) -> bool:
    """Restore files from the cache, or else the remote; returns whether the remote was used.

    Raises:
        Lost: one can be had from neither.
    """
    rest = [entry for entry in wanted if not store.restore(entry, folder / entry["path"])]
    if rest:
        place = folder.relative_to(store.root).as_posix()
        remote.fetch({**entry, "path": f"{place}/{entry['path']}"} for entry in rest)
        lost = [e for e in rest if not store.restore(e, folder / e["path"])]
        if lost:
            names = ", ".join(str(folder / e["path"]) for e in lost[:3])
            why = f" ({remote.trouble})" if remote.trouble else ""
            raise Lost(
                f"{reader} needs {names}{' ...' if len(lost) > 3 else ''}, which neither the cache "
                f"nor a remote has{why}. Fix: `snakemake --cores all` rebuilds it."
            )
    if wanted:
        tree = FileTree(store.root, folder.relative_to(store.root).as_posix())
        for entry in wanted:
            digest = Digest(entry["sha256"], entry["md5"], entry["size"])
            tree.remember(entry["path"], (folder / entry["path"]).stat(), digest)
        tree.save()
    return bool(rest)
