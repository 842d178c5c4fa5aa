"""Where the files of a source are: paths below the repository, addresses, packages, choices of a list; checked."""

from __future__ import annotations

import re
from typing import Any

from regrow import selection
from regrow.params import addresses
from regrow.params.entries import RecipeError
from regrow.params.source import Paths, Source

FILES = (
    "`files: [dumps/**/*.jsonl.zst]`: files, folders or patterns below the repository, or addresses; or "
    "`packages: [debian:python3.11-doc]`; or `paths: {list: https://host/warc.paths.gz}`"
)
"""what is wrong with `files` is fixed by"""
_OURS = ("data", "records", ".regrow", ".snakemake", ".git", ".dvc", ".venv")
"""folders that the flow and its tools write"""


def check(entry: Source) -> None:
    """Raises RecipeError where `files`, `packages` or `select` name nothing that can be read."""
    name, away = entry.name, [path for path in entry.files if addresses.remote(path)]
    named = [field for field in ("files", "packages", "paths") if getattr(entry, field)]
    if len(named) > 1:
        raise RecipeError(
            f"{name}.{named[1]}: a source has only one of `files`, `packages` and `paths`. Fix: make two sources of it."
        )
    if entry.paths:
        _check_paths(name, entry.paths)
    if away and len(away) < len(entry.files):
        local = next(path for path in entry.files if path not in away)
        raise RecipeError(
            f"{name}.files: `{away[0]}` is an address and `{local}` a path. Fix: make two sources of it."
        )
    if entry.select and not (entry.packages or away):
        raise RecipeError(
            f"{name}.select: chooses among the files of packages and archives. Fix: write the pattern into `files`."
        )
    for field in ("files", "packages"):
        if twice := addresses.repeated(getattr(entry, field)):
            raise RecipeError(f"{name}.{field}: `{twice}` comes twice. Fix: leave one out.")
    for field, check in (("files", addresses.check), ("packages", addresses.package)):
        for one in () if field == "files" and not away else getattr(entry, field):
            try:
                check(one)
            except addresses.AddressError as error:
                raise RecipeError(f"{name}.{field}: {error}") from None
    for pattern in entry.select:
        _check_pattern(name, pattern)
    for path in () if away else entry.files:
        _check_path(name, path)
    if entry.ocr:
        _check_ocr(entry)


def _check_ocr(entry: Source) -> None:
    if addresses.remote(entry.ocr):
        raise RecipeError(
            f"{entry.name}.ocr: `{entry.ocr}` is an address. Fix: fetch it into `ocr/`, and `dvc add` it."
        )
    _check_path(entry.name, entry.ocr, "ocr")


def _check_paths(name: str, paths: Paths) -> None:
    try:
        addresses.check(paths.list)
        if paths.prefix:
            addresses.check(f"{paths.prefix}file")
    except addresses.AddressError as error:
        raise RecipeError(f"{name}.paths: {error}") from None
    for segment in paths.segments:
        if not re.fullmatch(r"[\w.-]+", segment, re.ASCII):
            raise RecipeError(
                f"{name}.paths.segments: `{segment}` is not the name of a folder. Fix: `1707947473347.0`."
            )


def _check_pattern(name: str, pattern: str) -> None:
    if pattern.startswith("/") or {"..", ""}.intersection(pattern.split("/")) or "#" in pattern:
        raise RecipeError(
            f"{name}.select: `{pattern}` is no path inside an archive. Fix: `usr/share/doc/**/*.html`, without a "
            "slash in front."
        )


def check_files(name: str, files: Any) -> None:
    """Raises RecipeError where `files` are not paths."""
    wrong = (
        [files]
        if not isinstance(files, list | tuple)
        else [f for f in files if not isinstance(f, str)]
    )
    if wrong:
        raise RecipeError(f"{name}.files: {wrong[0]!r} is no path. Fix: {FILES}.")


def _check_path(name: str, path: str, field: str = "files") -> None:
    """Raises RecipeError where a path is not below the repository, or says what `shards` says."""
    pieces = path.split("/")
    if path.startswith("/") or {"..", ".", ""}.intersection(pieces):
        raise RecipeError(
            f"{name}.{field}: `{path}` is no path below the repository. Fix: a path without `.` and `..`, as seen from the "
            "folder with the Snakefile; a link there may lead elsewhere only file by file."
        )
    if pieces[0] in _OURS:
        raise RecipeError(
            f"{name}.{field}: `{path}` is where steps and tools write. Fix: a folder of its own, `corpus/{name}`."
        )
    if wrong := selection.fault(path):
        raise RecipeError(f"{name}.{field}: `{path}`: {wrong}.")
    chosen = selection.parse(path)
    if chosen.parts > 1:
        raise RecipeError(f"{name}.{field}: `{path}` names a part. Fix: `shards: {chosen.parts}`.")
    if not chosen.folder:
        raise RecipeError(
            f"{name}.{field}: `{path}` would read the whole repository. Fix: put the files into a folder of their own, "
            f"`{name}/{path}`."
        )
