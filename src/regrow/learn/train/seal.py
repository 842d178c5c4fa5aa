"""The seal of a folder in the scratch space: what it belongs to, and a digest of every file.

A crash or a bad disk leaves files that are cut, empty, zeroed or changed in one bit, and most of
them still parse. What a later run takes up is therefore compared with its seal first. The seal
is written last.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from blake3 import blake3

NAME = "seal.json"


class Broken(ValueError):
    """A folder is not what its seal says, or has none; the message says how."""


def write(folder: Path, origin: str) -> None:
    """Seal the files of `folder`; `origin` names the work that they belong to."""
    text = json.dumps({"origin": origin, "files": _digests(folder)}, indent=2, sort_keys=True)
    (folder / NAME).write_text(text + "\n", encoding="utf-8")


def check(folder: Path, origin: str) -> None:
    """Return if `folder` holds exactly the files that were sealed for `origin`.

    Raises:
        Broken: it is not sealed, is sealed for other work, or a file was changed, lost or added.
    """
    try:
        found = json.loads((folder / NAME).read_bytes())
        sealed, owner = dict(found["files"]), found["origin"]
    except (OSError, ValueError, KeyError, TypeError):
        raise Broken("it was not finished, or its seal is damaged") from None
    if owner != origin:
        raise Broken("it belongs to other parameters, other data or another predecessor")
    try:
        there = _digests(folder)
    except OSError as error:
        raise Broken(f"a file cannot be read: {error}") from None
    for name in sorted(sealed.keys() | there.keys()):
        if name not in there:
            raise Broken(f"{name} is missing")
        if name not in sealed:
            raise Broken(f"{name} does not belong to it")
        if sealed[name] != there[name]:
            raise Broken(f"{name} is damaged")


def discard(path: Path) -> None:
    """Remove a folder or file that is of no use."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _digests(folder: Path) -> dict[str, str]:
    """BLAKE3 (256 bits) of each file but the seal, by name."""
    return {path.name: _digest(path) for path in sorted(folder.iterdir()) if path.name != NAME}


def _digest(path: Path) -> str:
    found = blake3()
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            found.update(block)
    return found.hexdigest()
