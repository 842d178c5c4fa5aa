"""Names of files that a folder may have: they stay inside it, can be seen, and do not collide.

A record, a signed statement or a listing names files that are written, removed and hashed elsewhere: on other
systems, by other people's tools, in digests that put one name on a line. What could leave the folder there, be
taken for another file, or be read as two is refused wherever a tree is hashed, read, laid out or adopted.
docs/reference/tamper.md, "Names", has the rules.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable
from typing import Any

from regrow.engine.errors import FlowError
from regrow.engine.visible import plain, visible

_JOINERS = {0x200C: None, 0x200D: None}
"""characters of ordinary words that some file systems leave out when they compare names"""
LONGEST_PART = 255
"""bytes in UTF-8 that a part of a path may have; the limit of most file systems"""
LONGEST = 1_024
"""bytes in UTF-8 of a whole path below its folder"""
_DRIVE = re.compile(r"[A-Za-z]:")
_GIT = {".git", "git~1"}
"""a folder whose settings git obeys, and the short name that Windows gives it"""
_PLAIN = re.compile(
    r"(?!.{256})[\w%+=@][\w.%+=@,-]*(?<!\.)(/[\w%+=@][\w.%+=@,-]*(?<!\.))*", re.ASCII
)
"""names as steps and packages give them: nothing below refuses one, and folding one is to lower its letters"""


def fault(path: Any) -> str:
    """Why a path below a folder is refused, "" where it is not: `it has the control character U+000A`."""
    if not isinstance(path, str):
        return "it is no text"
    if _PLAIN.fullmatch(path):
        return ""
    if not path:
        return "it is empty"
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        return "it is not UTF-8"
    if strange := next((c for c in path if not plain(c) and _forbidden(c)), ""):
        return f"it has the control character U+{ord(strange):04X}"
    if "\\" in path:
        return "it has a backslash, which parts folders on Windows"
    if path.startswith("/"):
        return "it is absolute"
    if size > LONGEST:
        return f"it has more than {LONGEST} bytes"
    return next((why for part in path.split("/") if (why := _part(part))), "")


def _forbidden(character: str) -> bool:
    # Which characters are assigned depends on the version of Unicode; nothing may depend on that.
    return unicodedata.category(character) not in ("Cn", "Co")


def _part(part: str) -> str:
    """Why a part of a path between slashes is refused."""
    if part == "":
        return "it has an empty part"
    if part in (".", ".."):
        return f"it has the part `{part}`"
    if _DRIVE.match(part):
        return "it names a drive of Windows"
    if folded(part) in _GIT:
        return "it has a part that git takes for its own folder"
    if len(part.encode()) > LONGEST_PART:
        return f"it has a part of more than {LONGEST_PART} bytes"
    return ""


def folded(path: str) -> str:
    """What two names share that some file system takes for one: case, composition, joiners, dots and spaces
    at an end."""
    if _PLAIN.fullmatch(path):
        return path.lower()
    bare = unicodedata.normalize("NFC", path.translate(_JOINERS))
    one = unicodedata.normalize("NFC", bare.casefold())
    return "/".join(part.rstrip(" .") or part for part in one.split("/"))


def faults(paths: Iterable[Any]) -> list[str]:
    """What is wrong with the names of one folder, a sentence each: refused ones, and those that collide.

    A file that is the folder of another one collides with it.
    """
    listed = list(paths)
    found = [f"the name `{shown(path)}`: {why}" for path in listed if (why := fault(path))]
    return found or _collisions(listed)


def _collisions(listed: list[str]) -> list[str]:
    """What is wrong with names that are fine alone."""
    folds = {path: folded(path) for path in listed}
    first: dict[str, str] = {}
    found = []
    for path in sorted(listed):
        below = folds[path]
        if below not in first:
            first[below] = path
        elif first[below] == path:
            found.append(f"the name `{shown(path)}`: it is there twice")
        else:
            names = f"the names `{shown(first[below])}` and `{shown(path)}`"
            found.append(f"{names}: some systems take them for one")
    folders: dict[str, str] = {"": ""}
    for path, below in folds.items():
        if inner := _file_above(below.rpartition("/")[0], first, folders):
            names = f"the names `{shown(first[inner])}` and `{shown(path)}`"
            found.append(f"{names}: a file and a folder in one")
    return found


def _file_above(folder: str, files: Container[str], known: dict[str, str]) -> str:
    """The first file among a folder and those above it, "" where there is none; `known` remembers folders."""
    way = []
    while folder not in known:
        way.append(folder)
        folder = folder.rpartition("/")[0]
    found = known[folder]
    for one in reversed(way):
        found = known[one] = found or (one if one in files else "")
    return found


def check(paths: Iterable[str], where: str) -> None:
    """Refuse a folder for the names in it.

    Args:
        paths: below the folder, with `/`.
        where: how the folder is called in the message.

    Raises:
        FlowError: a name is refused, or two collide; the first is named.
    """
    if found := faults(paths):
        rest = f" ({len(found)} in all)" if len(found) > 1 else ""
        raise FlowError(f"{shown(where)}: refused for {found[0]}{rest}. Rename it.")


def shown(path: Any) -> str:
    """A name for a message: on one line, nothing in it unseen."""
    return visible(str(path), 120)
