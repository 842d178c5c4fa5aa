"""Files that were fetched before, by their SHA-256: what `regrow sources freeze` has read, no step fetches again.

`.regrow/fetched/<sha256>`; losing the folder costs another download, never a result.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from regrow.data.sources import download, packages
from regrow.data.sources.frozen import Entry
from regrow.data.sources.trouble import ChangedError, MissingError
from regrow.params.addresses import Package

VARIABLE = "REGROW_FETCHED"
"""environment variable: another folder for them, such as one that several repositories share; decides no byte"""
_PLACE = ".regrow/fetched"


def folder(root: Path) -> Path:
    """Where fetched files are kept, for a repository."""
    return Path(os.environ.get(VARIABLE) or root / _PLACE)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def obtain(entry: Entry, kept: Path, scratch: Path, said: Callable[[str], None], web: download.Web) -> Path:  # fmt: skip
    """The file of an entry of a frozen list, its bytes compared with the list.

    Args:
        kept: where fetched files are kept; read, never written.
        scratch: where a download goes, and is continued by a later call.
        said: called with a sentence about what is odd and does not matter.

    Raises:
        ChangedError: there are other bytes at the address now.
        MissingError: there is nothing any more.
        FetchError: it cannot be had now.
    """
    there = kept / entry.sha256
    if there.is_file():
        if there.stat().st_size == entry.size and sha256_of(there) == entry.sha256:
            return there
        said(f"{there} has other bytes than its name says and is not used. hint: remove it.")
    try:
        path = _fetched(entry, scratch, web)
    except MissingError as error:
        raise MissingError(f"{error} {_fix(entry)}") from None
    found = sha256_of(path)
    if found != entry.sha256:
        size = path.stat().st_size
        path.unlink()
        more = " or more" if size > entry.size else ""
        raise ChangedError(
            f"{entry.address}: has other bytes than were frozen: expected sha256 {entry.sha256} ({entry.size:,} bytes), "
            f"found {found} ({size:,} bytes{more}). Nothing of it is used. {_fix(entry)}"
        )
    return path


def _fetched(entry: Entry, scratch: Path, web: download.Web) -> Path:
    target = scratch / entry.sha256
    if not entry.registry:
        if not target.exists():
            part = target.with_name(f"{entry.sha256}.part")
            web.fetch(entry.address, part, entry.size)
            part.rename(target)
        return target
    package = Package(entry.registry, entry.package, entry.version)
    with TemporaryDirectory(dir=scratch) as name:
        packages.download(package, Path(name), entry.name).rename(target)
    return target


def _fix(entry: Entry) -> str:
    return (
        f"Fix: `dvc pull` brings what a run fetched before; or put a file with these bytes at "
        f"{_PLACE}/{entry.sha256}; or `regrow sources freeze RECIPE --update` takes what is there now."
    )
