"""The step that brings the files of a frozen list: what the list says, byte for byte, or an error that says why not.

Who brought a file, when and in which order is in no output: `files/` holds the files (of packages and archives those
that are selected in them), `files.tsv` says where each came from.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regrow import selection
from regrow.data.sources import naming, shelf, unpack
from regrow.data.sources.download import Web
from regrow.data.sources.frozen import Entry, FrozenError, load
from regrow.data.sources.progress import Progress, to_stderr
from regrow.data.sources.trouble import ArchiveError
from regrow.params import addresses

FILES = "files"
"""the folder of the files in the output"""
LIST = "files.tsv"


def run(
    inputs: Mapping[str, Path],
    params: Any,
    output: Path,
    *,
    source: Mapping[str, Any],
    instance: str,
    scratch: Path,
) -> dict[str, Any]:
    """Fill `output` with the files of a part of a frozen list.

    Args:
        inputs: `list`, the frozen list. Beside its folder, files that were fetched before are looked for
            (`regrow.data.sources.shelf`), which decides no byte.
        source: its `name`, `select`, and `asked`, the digest of what the recipe asks for.
        instance: the part.
        scratch: where downloads go, and are continued after a kill.

    Raises:
        FrozenError: the list is damaged, or was frozen for another recipe.
        FetchError: a file cannot be had, or has other bytes; the message names address, hashes and fix.
    """
    name, frozen = str(source["name"]), load(inputs["list"])
    if addresses.digest(frozen.asked) != source["asked"]:
        raise FrozenError(
            f"{addresses.list_path(name)}: asked: was frozen for other files than the recipe names now. Fix: "
            f"`regrow sources freeze RECIPE {name}` and `git add {addresses.list_path(name)}`."
        )
    kept = shelf.folder(inputs["list"].parents[1])
    entries = frozen.part(instance)
    title, size = f"fetch_{name} {instance}", sum(entry.size for entry in entries)
    shown = Progress(title, len(entries), most=size)
    web = Web(progress=shown.add)
    wanted = selected(source["select"])
    made = _Made(output / FILES)
    scratch.mkdir(parents=True, exist_ok=True)
    for entry in sorted(entries, key=lambda one: one.address):
        path = shelf.obtain(entry, kept, scratch, lambda said: to_stderr(f"{title}: {said}"), web)
        if entry.registry or source["select"]:
            made.unpack(entry, path, wanted, scratch)
        else:
            made.put(entry.name, entry, path)
        shown.done()
    (output / LIST).write_text(made.table(), encoding="utf-8")
    return {
        "addresses": len(entries),
        "fetched_bytes": size,
        "files": len(made.rows),
        "bytes": made.bytes,
        "members": made.members,
        "left": dict(sorted(made.left.items())),
    }


def selected(patterns: Any) -> Callable[[str], bool]:
    """Whether a file of an archive is wanted: patterns as in `files` (`regrow.selection`); none: all are."""
    chosen = [selection.parse(pattern) for pattern in patterns]
    return lambda name: not chosen or any(_fits(one, name) for one in chosen)


def _fits(chosen: selection.Selection, name: str) -> bool:
    if not chosen.folder:
        return chosen.matches(name)
    if name == chosen.folder:
        return not chosen.pattern
    return name.startswith(f"{chosen.folder}/") and chosen.matches(name[len(chosen.folder) + 1 :])


@dataclass
class _Made:
    """The output so far."""

    folder: Path
    rows: list[str] = field(default_factory=list)
    bytes: int = 0
    members: int = 0
    left: Counter[str] = field(default_factory=Counter)

    def put(
        self, name: str, entry: Entry, path: Path, member: str = "", move: bool = False
    ) -> None:
        """Add a file: a copy, so that no later write to one reaches the other."""
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            raise ArchiveError(
                f"{entry.address}: {name} comes twice. Fix: two sources, one for each address."
            )
        if move:
            path.rename(target)
        else:
            shutil.copyfile(path, target)
        size = target.stat().st_size
        self.bytes += size
        shown = member.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in shown)
        self.rows.append(f"{name}\t{size}\t{entry.address}\t{shown}\n")

    def unpack(
        self, entry: Entry, path: Path, wanted: Callable[[str], bool], scratch: Path
    ) -> None:
        """Add what is selected of an archive."""
        place = self.folder.parent / ".unpacked"
        named = scratch / "archive" / entry.name.rpartition("/")[2]
        shutil.rmtree(named.parent, ignore_errors=True)
        named.parent.mkdir()
        named.symlink_to(path.resolve())  # what it is, its name says
        found = unpack.unpack(named, wanted, place)
        names = naming.apart(naming.of_member(name) for name in found.files)
        for member in sorted(found.files):
            name = names[naming.of_member(member)]
            self.put(f"{entry.folder}/{name}", entry, found.files[member], member, move=True)
        self.members += found.members
        self.left.update(found.left)
        shutil.rmtree(place)
        shutil.rmtree(named.parent)
        if not found.files:
            raise ArchiveError(
                f"{entry.address}: `select` finds none of its {found.members:,} files. Fix: patterns as "
                "`usr/share/doc/**/*.html`; `dpkg-deb --contents`, `unzip -l` or `tar -tf` show what there is."
            )

    def table(self) -> str:
        """Name, bytes, address and member of each file, by name."""
        return "".join(["name\tbytes\taddress\tmember\n", *sorted(self.rows)])
