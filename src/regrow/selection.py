"""Some files of a folder, written as one path: a pattern, and a part of what it finds.

    dumps/news            the file or folder itself
    dumps/**/*.jsonl.zst  the files below dumps/ that the pattern finds; `**/` is any number of folders
    dumps/news#003of016   the fourth of sixteen parts of the files
    code/**/*.py+LICEN*   those that the pattern finds, and below code/ every file that is called like this, whatever
                          its part: what is read beside the files counts as well; `|` parts several names

A file belongs to a part by a hash of its path, so that a new file changes one part and leaves the others as they are.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_PART = re.compile(r"(.*)#(\d{3,})of(\d{3,})", re.DOTALL)
_BESIDE = re.compile(r"(.*)\+([^/+#]+)", re.DOTALL)
_INSTANCE = re.compile(r"(\d{3,})of(\d{3,})")
_ASIDE = frozenset({".git", "__pycache__", ".DS_Store", ".snakemake_timestamp"})
_REMOVED_WHILE_OPEN = re.compile(r"\.nfs[0-9a-f]{16,}")
"""what NFS calls a file that was removed while a process had it open, until that one closes it"""
_SPECIAL = re.compile(r"[*?\[]")
_PIECE = re.compile(r"\*\*/|\*\*|\*|\?|\[!?[^\]/]+\]|[^*?\[]+|\[")


@dataclass(frozen=True)
class Selection:
    """What a path stands for."""

    folder: str
    """the file or folder without wildcards"""
    pattern: str = ""
    """of paths below it; "": all"""
    part: int = 0
    parts: int = 1
    plain: bool = True
    """the path is that of a file or a whole folder, and selects nothing"""
    names: str = ""
    """of files that are read beside them, in any case of letters"""

    @property
    def whole(self) -> str:
        """The path without its part."""
        return "/".join(piece for piece in (self.folder, self.pattern) if piece)

    @cached_property
    def _finds(self) -> re.Pattern[str]:
        return re.compile(_expression(self.pattern), re.DOTALL)

    def matches(self, name: str) -> bool:
        """Whether a path below the folder fits the pattern, whatever its part."""
        return not self.pattern or self._finds.fullmatch(name) is not None

    @cached_property
    def _named(self) -> re.Pattern[str]:
        names = "|".join(map(_expression, self.names.split("|")))
        return re.compile(names, re.DOTALL | re.IGNORECASE)

    def is_beside(self, name: str) -> bool:
        """Whether a file is read beside the selected ones, by the last part of its path."""
        return bool(self.names) and self._named.fullmatch(name.rpartition("/")[2]) is not None

    def chosen(self, names: Iterable[str]) -> list[str]:
        """Of paths below the folder ("" for the file that `folder` is) those that are selected, sorted."""
        seen = (n for n in names if not aside(n) and self.matches(n))
        return sorted(n for n in seen if part_of(n, self.parts) == self.part)

    def counted(self, names: Iterable[str]) -> list[str]:
        """The same, and those that are read beside them."""
        known = list(names)
        beside = (n for n in known if self.is_beside(n) and not aside(n))
        return sorted({*self.chosen(known), *beside})


def instance(part: int, parts: int) -> str:
    """How a part is written: `003of016`."""
    return f"{part:03d}of{parts:03d}"


def parts_of(written: str) -> int:
    """How many parts there are, by one of them: 16 for `003of016`; 1 for anything else."""
    return place_of(written)[1]


def place_of(written: str) -> tuple[int, int]:
    """Which part it is, counted from 0, and how many there are: (3, 16) for `003of016`; (0, 1) for anything else."""
    found = _INSTANCE.fullmatch(written)
    return (int(found[1]), int(found[2])) if found else (0, 1)


def part_of(name: str, parts: int) -> int:
    """The part that a file belongs to, by its path below the folder."""
    if parts == 1:
        return 0
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") % parts


def parse(path: str, literal: str = "") -> Selection:
    """Read a path. `literal`: the beginning of it that is taken as it is, whatever characters it has."""
    path = path.removeprefix(literal)
    part, parts = 0, 1
    names = ""
    if (more := _BESIDE.fullmatch(path)) is not None and _SPECIAL.search(more[2]):
        path, names = more[1], more[2]
    found = _PART.fullmatch(path)
    if found is not None:
        path, part, parts = found[1], int(found[2]), int(found[3])
    pieces = path.split("/")
    first = next((n for n, piece in enumerate(pieces) if _SPECIAL.search(piece)), len(pieces))
    pattern = "/".join(pieces[first:])
    plain = found is None and not pattern and not names
    return Selection(literal + "/".join(pieces[:first]), pattern, part, parts, plain, names)


def files(path: Path) -> list[tuple[str, Path]]:
    """(path below the folder, file) of what a path stands for, sorted; of one file its own name.

    What DVC writes beside a file does not count.
    """
    there = next((str(above) for above in path.parents if above.is_dir()), "")
    chosen = parse(str(path), there)
    folder = Path(chosen.folder)
    if folder.is_file():
        return [(folder.name, folder)] if chosen.chosen([""]) else []
    return [(name, folder / name) for name in chosen.chosen(_walk(folder, ""))]


def aside(name: str) -> bool:
    """Whether a program left a file among others, by its path below the folder: no pattern selects it."""
    return any(n in _ASIDE or _REMOVED_WHILE_OPEN.fullmatch(n) for n in name.split("/"))


def beside(name: str) -> bool:
    """Whether a file of a source says nothing that the source does not: DVC wrote it beside one, or it is `aside`."""
    last = name.rpartition("/")[2]
    return name.endswith(".dvc") or last == ".gitignore" or aside(name)


def fault(pattern: str) -> str:
    """What is wrong with a pattern that somebody wrote; "" for a good one."""
    if parse(pattern).names:
        return "`+` before a wildcard has a meaning of its own. Fix: `?` in place of `+`"
    if "{instance}" in pattern:
        return "`{instance}` stands for a part. Fix: `?instance?`"
    for piece in _PIECE.findall(pattern):
        if len(piece) > 2 and piece[0] == "[" and piece[-1] == "]":
            try:
                re.compile(_expression(piece))
            except re.error as error:
                return f"`{piece}` is no set of characters ({error.msg}). Fix: `?` for any character, `[[]` for a `[`"
    return ""


def literal(path: str, folder: Path) -> str:
    """The first part of a path below `folder` that is a pattern and a file or folder that is called so; or ""."""
    pieces = path.split("/")
    for n, piece in enumerate(pieces, start=1):
        here = "/".join(pieces[:n])
        if _SPECIAL.search(piece) and (folder / here).exists():
            return here
    return ""


def _walk(folder: Path, prefix: str) -> Iterator[str]:
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            if aside(entry.name):
                continue
            yield from _walk(Path(entry.path), f"{prefix}{entry.name}/")
        elif entry.is_file() and not beside(entry.name):
            yield f"{prefix}{entry.name}"


_QUOTED = re.compile(r"[\\\[&~|]|--")
"""what has a meaning of its own in a set of characters of `re`, or may get one"""


def _quoted(found: re.Match[str]) -> str:
    return re.escape(found[0])


def _expression(pattern: str) -> str:
    found = []
    for piece in _PIECE.findall(pattern):
        if piece == "**/":
            found.append("(?:[^/]+/)*")
        elif piece == "**":
            found.append(".*")
        elif piece == "*":
            found.append("[^/]*")
        elif piece == "?":
            found.append("[^/]")
        elif piece.startswith("[") and piece.endswith("]"):
            no, inside = ("^", piece[2:-1]) if piece[1] == "!" else ("", piece[1:-1])
            found.append(f"[{no}{re.sub(_QUOTED, _quoted, inside)}]")
        else:
            found.append(re.escape(piece))
    return "".join(found)
