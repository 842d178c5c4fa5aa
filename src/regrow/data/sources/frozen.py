"""The frozen list of a source: what `regrow sources freeze` found at each address, as a file that is committed.

    {"version": 1, "source": "notes", "asked": ["https://…/a.jsonl.gz"], "files": [
      {"address": "https://…/a.jsonl.gz", "name": "…/a.jsonl.gz", "size": 120, "sha256": "…", "etag": "\\"5f-1\\""}]}

Files of a list of paths have `asked` too, and the list itself is in `lists`.
A package has `registry`, `package` and `version` too; its `name` is that of the file which the registry serves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from regrow import selection
from regrow.data.sources import naming
from regrow.params import addresses

VERSION = 1
_SHA256 = re.compile(r"[0-9a-f]{64}")


class FrozenError(Exception):
    """A frozen list that cannot be followed; the message names file, field and fix."""


@dataclass(frozen=True)
class Entry:
    """A file that is not on this machine, and the bytes that it had when it was frozen."""

    address: str
    """where it is; of a package with its version"""
    name: str
    """of an address its name below the source, of a package the name of the registry's file"""
    size: int
    sha256: str
    etag: str = ""
    """what the server called this state of it; for `regrow sources check`, decides no byte"""
    registry: str = ""
    """of a package: debian, pypi, pypi-sdist"""
    package: str = ""
    version: str = ""
    asked: str = ""
    """of a package or pattern: the entry of the recipe that it came from"""

    @property
    def folder(self) -> str:
        """Below which the files of a package or archive are: `python3.11-doc_3.11.2-6`."""
        if self.registry:
            return naming.of_member(f"{self.package}_{self.version}")
        return self.name


@dataclass(frozen=True)
class Frozen:
    """A frozen list."""

    source: str
    asked: tuple[str, ...]
    """addresses, patterns and packages of the recipe"""
    files: tuple[Entry, ...]
    lists: tuple[Entry, ...] = ()
    """the lists of paths that the files were chosen from, with the bytes that these had then"""

    def is_of(self, source: Mapping[str, Any]) -> bool:
        """Whether it holds what a source of a recipe, as JSON, asks for now."""
        return addresses.digest(self.asked) == addresses.digest(addresses.asked(source))

    def part(self, instance: str) -> list[Entry]:
        """The files of a part (`003of016`): by a hash of the address, so that a new one moves no other.

        Of lists of paths, in turn: no part has more than one file more than another, and with as many parts as files
        each is one file. Such a list is of a crawl that is finished.
        """
        chosen = selection.parse(f"x#{instance}")
        if self.lists:
            ordered = sorted(self.files, key=lambda entry: entry.address)
            return ordered[chosen.part :: chosen.parts]
        return [e for e in self.files if selection.part_of(e.address, chosen.parts) == chosen.part]


def load(path: Path) -> Frozen:
    """Read a frozen list.

    Raises:
        FrozenError: it is missing, damaged, or names a file that could leave its folder.
    """
    where = f"{addresses.FOLDER}/{path.name}"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FrozenError(f"{where}: is missing. Fix: `regrow sources freeze RECIPE`.") from None
    except (OSError, ValueError) as error:
        raise _damaged(where, "", f"is no JSON ({error})") from None
    if not isinstance(raw, dict) or raw.get("version") != VERSION:
        raise _damaged(where, "version", f"must be {VERSION}")
    if not isinstance(raw.get("asked"), list) or not isinstance(raw.get("files"), list):
        raise _damaged(where, "files", "and `asked` must be lists")
    files = tuple(_entry(where, place, item) for place, item in enumerate(raw["files"]))
    for field in ("address", "name"):
        if twice := addresses.repeated([getattr(entry, field) for entry in files]):
            raise _damaged(where, f"files.{field}", f"`{twice}` comes twice")
    lists = raw.get("lists", [])
    if not isinstance(lists, list):
        raise _damaged(where, "lists", "must be a list")
    chosen_from = tuple(_entry(where, place, item, "lists") for place, item in enumerate(lists))
    return Frozen(str(raw.get("source", "")), tuple(map(str, raw["asked"])), files, chosen_from)


def _entry(where: str, place: int, item: Any, of: str = "files") -> Entry:
    field = f"{of}[{place}]"
    known = {f.name: int if f.name == "size" else str for f in fields(Entry)}
    if not isinstance(item, Mapping) or not {"address", "name", "size", "sha256"} <= item.keys():
        raise _damaged(where, field, "must have `address`, `name`, `size` and `sha256`")
    for name, value in item.items():
        if name not in known or type(value) is not known[name]:
            raise _damaged(where, f"{field}.{name}", f"has the value {value!r}")
    entry = Entry(**item)
    if not _SHA256.fullmatch(entry.sha256):
        raise _damaged(where, f"{field}.sha256", f"must be 64 hexadecimal digits, got {entry.sha256!r}")  # fmt: skip
    if entry.size < 0:
        raise _damaged(where, f"{field}.size", f"must not be negative, got {entry.size}")
    named = naming.fault_of_package if entry.registry else naming.fault
    if why := naming.fault(entry.folder) or named(entry.name):
        raise _damaged(where, f"{field}.name", f"`{entry.name}`: {why}")
    return entry


def written(frozen: Frozen) -> str:
    """A frozen list as text: sorted, a line for each file, so that a change of it can be read."""
    rows = sorted(frozen.files, key=lambda entry: entry.address)
    lines = ",\n".join(f"    {_row(entry)}" for entry in rows)
    asked = ",\n".join(f"    {json.dumps(one)}" for one in frozen.asked)
    lists = ",\n".join(f"    {_row(entry)}" for entry in frozen.lists)
    more = f'  "lists": [\n{lists}\n  ],\n' if lists else ""
    return (
        f'{{\n  "version": {VERSION},\n  "source": {json.dumps(frozen.source)},\n  "asked": [\n{asked}\n  ],\n{more}'
        f'  "files": [\n{lines}\n  ]\n}}\n'
    )


def _row(entry: Entry) -> str:
    return json.dumps({name: value for name, value in asdict(entry).items() if value != ""})


def named(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The same entries, with names that no system takes for one another."""
    listed = sorted(entries, key=lambda entry: entry.address)
    names = naming.apart(entry.name for entry in listed if not entry.registry)
    seen: set[str] = set()
    found = []
    for entry in listed:
        name = names.get(entry.name, entry.name) if not entry.registry else entry.name
        if name in seen:  # two addresses that are written alike
            name = f"{addresses.digest([entry.address])[:12]}/{name}"
        seen.add(name)
        found.append(replace(entry, name=name))
    return tuple(found)


def _damaged(where: str, field: str, why: str) -> FrozenError:
    said = f"{where}: {field}: " if field else f"{where}: "
    return FrozenError(f"{said}{why}. Fix: `git checkout -- {where}`, or `regrow sources freeze RECIPE`.")  # fmt: skip
