"""`regrow sources freeze`: find, fetch and hash what a recipe names elsewhere, and write the frozen lists."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from regrow.change.sources import paths
from regrow.change.sources.named import asked, fits, is_frozen, list_of, sources
from regrow.data.sources import bucket, naming, packages, shelf
from regrow.data.sources.download import Web
from regrow.data.sources.frozen import Entry, Frozen, named, written
from regrow.data.sources.progress import Progress, Said, to_stderr
from regrow.data.sources.trouble import FetchError
from regrow.engine import files, locks
from regrow.engine.present import PRIVATE
from regrow.params import addresses
from regrow.params.addresses import BUCKET, Package
from regrow.params.source import Source

PARTS = "parts"
"""below the folder of fetched files: what is not complete, and what an interrupted freeze has found"""
_SHOWN = 5


@dataclass(frozen=True)
class _Wanted:
    """A file to freeze."""

    address: str
    asked: str
    package: Package | None = None


@dataclass(frozen=True)
class How:
    """How to freeze."""

    update: bool = False
    """ask again for what is frozen already"""
    said: Said = to_stderr
    wait: Callable[[float], None] = time.sleep
    keep: bool = True
    """keep the files for the run; else each is removed when it is hashed, and fetched again by the run"""


def freeze(root: Path, recipe: str, names: Sequence[str], how: How) -> dict[str, Any]:
    """Write the frozen lists of the sources that are not on this machine.

    What a list holds already is kept as it is, unless `how.update`; then a file with the same strong ETag and size
    is not fetched again. A file that was fetched before an interruption is not fetched again either.

    Returns:
        for each source: the path of its list, files, bytes, and the addresses that are new, changed and removed.

    Raises:
        FetchError: files could not be had: the lists of their sources are not written; others are.
    """
    kept = shelf.folder(root)
    answer, failed = [], []
    named_ones = [source for source in sources(root, recipe, names) if is_frozen(source)]
    with locks.locked(root / PRIVATE / "locks/sources", "another freeze is at work: waiting"):
        for source in named_ones:
            try:
                answer.append(_Freezing(root, source, kept, how).run())
            except FetchError as error:
                failed.append(str(error))
    if failed:
        done = f" Frozen: {', '.join(one['name'] for one in answer)}." if answer else ""
        raise FetchError("\n".join(failed) + done)
    return {"recipe": recipe, "sources": answer}


class _Freezing:
    def __init__(self, root: Path, source: Source, kept: Path, how: How) -> None:
        self.root, self.source, self.kept, self.how = root, source, kept, how
        self.before = list_of(root, source)
        self._notes: list[Path] = []
        self._lists: list[Entry] = []

    def run(self) -> dict[str, Any]:
        source = self.source
        old = {entry.address: entry for entry in self.before.files} if self.before else {}
        if self.before is not None and fits(source, self.before) and not self.how.update:
            return self._answer(old, self.before)
        wanted, entries = self._wanted(Web(self.how.wait))
        progress = Progress(source.name, len(wanted), self.how.said)
        web = Web(self.how.wait, progress.add)
        failed: list[str] = []
        for one in wanted:
            try:
                entries.append(self._frozen(one, old.get(one.address), web))
            except FetchError as error:
                failed.append(str(error))
            progress.done()
        progress.end()
        if failed:
            more = f"\n… and {len(failed) - _SHOWN} more." if len(failed) > _SHOWN else ""
            raise FetchError(
                f"{source.name}: {len(failed)} of {len(wanted)} files could not be frozen, so its list is not written "
                "(what came is kept):\n" + "\n".join(failed[:_SHOWN]) + more
            )
        unique = {entry.address: entry for entry in entries}
        found = Frozen(
            source.name, tuple(asked(source)), named(unique.values()), tuple(self._lists)
        )
        path = self.root / addresses.list_path(source.name)
        path.parent.mkdir(exist_ok=True)
        files.write_atomically(path, written(found).encode())
        for note in self._notes:
            note.unlink(missing_ok=True)
        return self._answer(old, found)

    def _wanted(self, web: Web) -> tuple[list[_Wanted], list[Entry]]:
        """What is to be asked for, and the entries that stay."""
        stay: dict[str, list[Entry]] = {}
        if self.before is not None and not self.how.update:
            for entry in self.before.files:
                stay.setdefault(entry.asked or entry.address, []).append(entry)
        wanted: list[_Wanted] = []
        for one in self.source.packages:
            if one not in stay:
                wanted.append(_Wanted(one, one, addresses.package(one)))
        for one in self.source.files:
            if one not in stay:
                wanted += [_Wanted(address, one) for address in self._addresses(one)]
        if self.source.paths:
            wanted += self._of_list(web)
            stay = {}  # which are chosen, the list says now
        return wanted, [entry for one in asked(self.source) for entry in stay.get(one, [])]

    def _of_list(self, web: Web) -> list[_Wanted]:
        assert self.source.paths is not None
        scratch = self.kept / PARTS
        scratch.mkdir(parents=True, exist_ok=True)
        entry, found = paths.chosen(self.source.paths, scratch, web)
        self._lists = [entry]
        [one] = asked(self.source)
        return [_Wanted(address, one) for address in found]

    def _addresses(self, one: str) -> list[str]:
        if not one.startswith(BUCKET):
            return [one]
        found = bucket.found(one)
        if not found:
            raise FetchError(f"{self.source.name}: `{one}` finds no file. Fix: the pattern.")
        return found

    def _frozen(self, one: _Wanted, old: Entry | None, web: Web) -> Entry:
        parts = self.kept / PARTS
        parts.mkdir(parents=True, exist_ok=True)
        key = addresses.digest([one.asked, one.address])
        note = parts / f"{key}.json"
        self._notes.append(note)
        known = files.read_json(note)
        if isinstance(known, dict) and (
            not self.how.keep or (self.kept / str(known.get("sha256"))).is_file()
        ):
            return Entry(**known)
        if one.package is None and old is not None and _same(old, web):
            return replace(old, asked=_pattern(one))
        entry = self._package(one, parts) if one.package else self._file(one, parts / key, web)
        files.write_atomically(note, json.dumps(asdict(entry)).encode())
        return entry

    def _file(self, one: _Wanted, part: Path, web: Web) -> Entry:
        etag = web.fetch(one.address, part)
        size, sha256 = part.stat().st_size, shelf.sha256_of(part)
        self._put(part, sha256)
        name = naming.of_address(one.address)
        return Entry(one.address, name, size, sha256, etag, asked=_pattern(one))

    def _put(self, path: Path, sha256: str) -> None:
        if self.how.keep:
            path.rename(self.kept / sha256)
        else:
            path.unlink()

    def _package(self, one: _Wanted, parts: Path) -> Entry:
        assert one.package is not None
        self.how.said(f"{self.source.name}: {one.address}")
        with TemporaryDirectory(dir=parts) as folder:
            path = packages.download(one.package, Path(folder))
            version = packages.version_of(one.package, path.name)
            package = one.package._replace(version=version)
            size, sha256 = path.stat().st_size, shelf.sha256_of(path)
            self._put(path, sha256)
        return Entry(
            package.address, path.name, size, sha256, "", package.registry, package.name, version, one.asked,
        )  # fmt: skip

    def _answer(self, old: dict[str, Entry], found: Frozen) -> dict[str, Any]:
        now = {entry.address: entry for entry in found.files}
        both = sorted(now.keys() & old.keys())
        return {
            "name": self.source.name,
            "list": addresses.list_path(self.source.name),
            "files": len(now),
            "shards": self.source.shards,
            "chosen": self.source.paths is not None,
            "bytes": sum(entry.size for entry in now.values()),
            "new": sorted(now.keys() - old.keys()),
            "changed": [one for one in both if now[one].sha256 != old[one].sha256],
            "removed": sorted(old.keys() - now.keys()),
        }


def _pattern(one: _Wanted) -> str:
    """What the recipe says, where that is not the address itself."""
    return one.asked if one.asked != one.address else ""


def _same(old: Entry, web: Web) -> bool:
    """Whether a server calls a file what it called it when it was frozen."""
    if not old.etag.startswith('"'):
        return False
    head = web.head(old.address)
    return head.etag == old.etag and head.size in (None, old.size)
