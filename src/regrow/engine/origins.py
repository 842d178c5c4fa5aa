"""From where Python takes a module: the entries of its search path, and what stands in front of what.

A version says what a module does only if the module is the one that the version is of. An entry of
PYTHONPATH, a zip file, a folder that a .pth file adds, an editable installation or a stray `random.py`
can each stand in front of an installed package or of the standard library. What does is counted by its
content (`content`), wherever it is.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import zipfile
from collections.abc import Iterable
from functools import cache
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder, all_suffixes
from pathlib import Path
from typing import Any

from regrow.engine.hashing import sha256_file, tree_sha256

_STANDARD = Path(os.__file__).resolve().parent
"""the folder of the standard library"""


def search_path(root: Path) -> list[str]:
    """Where a job of this repository looks for modules, in this order.

    The same in every process: the folder of a program and the one that it was started in are left
    out (jobs see neither), and the repository's own code and the environment's programs stand first.
    """
    named = os.environ.get("PYTHONPATH")
    asked = {os.path.realpath(path) for path in named.split(os.pathsep)} if named else set()
    own = {os.path.realpath(path) for path in ("", root, Path(sys.argv[0] or ".").parent)} - asked
    first = [str(root / "src"), str(Path(sys.executable).parent)]
    found: dict[str, str] = {}
    for place in [*first, *sys.path]:
        real = os.path.realpath(place)
        if place in first or real not in own:
            found.setdefault(real, place)
    return list(found.values())


def mark(path: Iterable[str]) -> list[Any]:
    """What changes when a module or distribution comes, goes or changes in an entry of the path."""
    return [[place, _listing(Path(place))] for place in path if not is_standard(place)]


def _listing(place: Path) -> Any:
    try:
        stat = place.stat()
        if place.is_file():
            return [stat.st_size, stat.st_mtime_ns]
        # What is installed comes and goes as a whole; elsewhere somebody may add an `__init__.py`.
        installed = place.name.endswith("-packages")
        rows: list[Any] = [stat.st_mtime_ns] if installed else []
        for entry in sorted(os.scandir(place), key=lambda e: e.name):
            if entry.name.endswith((".dist-info", ".egg-info")):
                rows.append([entry.name, *_versions(Path(entry.path))])
            elif not installed and entry.name != "__pycache__":
                rows += _importable(entry)
        return hashlib.sha256(repr(rows).encode()).hexdigest()
    except OSError:
        return None


def _versions(info: Path) -> list[int]:
    """Size and time of the file that says a distribution's name and version."""
    for name in ("METADATA", "PKG-INFO", ""):
        try:
            stat = (info / name).stat()
        except OSError:
            continue
        return [stat.st_size, stat.st_mtime_ns]
    return []


def _importable(entry: os.DirEntry[str]) -> list[Any]:
    if entry.is_dir():
        return [[entry.name, (Path(entry.path) / "__init__.py").exists()]]
    if entry.name.endswith(tuple(all_suffixes())):
        stat = entry.stat()
        return [[entry.name, stat.st_size, stat.st_mtime_ns]]
    return []


def places(module: str, path: list[str]) -> list[Path]:
    """The file of a top-level module, or the folders of a package; empty if there is none."""
    try:
        spec = PathFinder.find_spec(module, path)
        if spec is None:  # an editable installation may have a finder of its own
            spec = importlib.util.find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return []
    if spec is None:
        return []
    if spec.submodule_search_locations is not None:
        return [Path(folder) for folder in spec.submodule_search_locations]
    return [Path(spec.origin)] if spec.origin and spec.has_location else []


def before_the_standard_library(path: list[str]) -> dict[str, list[Path]]:
    """Modules of the standard library in whose place another one is imported -> that one."""
    found: dict[str, list[Path]] = {}
    for place in path:
        if is_standard(place):
            break
        for name in _names(Path(place)) & sys.stdlib_module_names:
            if BuiltinImporter.find_spec(name) or FrozenImporter.find_spec(name):
                continue
            there = places(name, path)
            if any(not is_standard(one.parent) for one in there):
                found[name] = there
    return found


def _names(place: Path) -> set[str]:
    """Top-level names that an entry of the path may offer."""
    try:
        if place.is_file():
            return {name.split("/")[0].split(".")[0] for name in zipfile.ZipFile(place).namelist()}
        return {path.name.split(".")[0] for path in place.iterdir()}
    except (OSError, zipfile.BadZipFile):
        return set()


def is_standard(place: str | Path) -> bool:
    """Whether an entry of the path is the standard library's."""
    real = Path(os.path.realpath(place))
    archive = f"python{sys.version_info[0]}{sys.version_info[1]}.zip"
    return real in (_STANDARD, _STANDARD / "lib-dynload", _STANDARD.parent / archive)


def content(found: Iterable[Path]) -> str:
    """SHA-256 over the files of modules, folders and archives, whatever they are called above."""
    return hashlib.sha256("".join(_content(path) for path in found).encode()).hexdigest()


@cache
def _content(path: Path) -> str:
    if path.is_dir():
        files = {
            one.relative_to(path).as_posix(): sha256_file(one)
            for one in sorted(path.rglob("*"))
            if one.is_file() and "__pycache__" not in one.parts
        }
        return tree_sha256(files)
    while not path.exists() and path != path.parent:  # in an archive: the archive counts
        path = path.parent
    return sha256_file(path) if path.is_file() else ""
