"""What a fetched file is called on disk: never outside its folder, never like another one, on any system.

`regrow.engine.names` refuses names of outputs that could leave a folder or be taken for others; these pass, whatever
an address or an archive says.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote, unquote_to_bytes, urlsplit

_KEPT = "-._+,=@()"
"""written as they are, beside letters and digits; all others as %XX of their bytes in UTF-8"""
_LONGEST_PART, _LONGEST = 200, 800
"""bytes; file systems allow 255 for a part, and a folder of the repository is in front of the whole"""
_ASIDE = ("__pycache__",)
"""what programs leave among others: no listing of a folder names it"""
_SAFE = re.compile(r"[A-Za-z0-9_+,=@()%-][A-Za-z0-9._+,=@()%-]*")
_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+%~!-]*")
_ENDING = re.compile(r"(?:\.[A-Za-z0-9]{1,10}){0,2}$")


def of_address(address: str) -> str:
    """`host/folder/file.html`: the name of what an address holds.

    A query stands in front of the file's name as a digest, so that its ending stays what it is.
    """
    parts = urlsplit(address)
    pieces = [unquote_to_bytes(piece) for piece in parts.path.split("/") if piece]
    if not pieces or parts.path.endswith("/"):
        pieces.append(b"index")
    if parts.query:
        pieces[-1] = f"{_short(parts.query.encode())}-".encode() + pieces[-1]
    return _joined([parts.netloc.lower().encode(), *pieces])


def of_member(name: str) -> str:
    """The name of a file in an archive, whose parts are quoted where a system would refuse them."""
    return _joined([p for p in name.encode("utf-8", "surrogateescape").split(b"/") if p not in (b"", b".")])  # fmt: skip


def _joined(pieces: list[bytes]) -> str:
    parts = [_part(piece) for piece in pieces]
    whole = "/".join(parts)
    if len(whole) > _LONGEST:
        whole = f"{parts[0]}/{_short(whole.encode())}-{parts[-1]}"
    return whole


def _part(piece: bytes) -> str:
    text = quote(piece, safe=_KEPT).replace("~", "%7E")  # `git~1` is `.git` on some systems
    if text.startswith(".") or text in _ASIDE:  # files of programs, and `..`
        text = "".join(f"%{byte:02X}" for byte in piece[:1]) + text[1:]
    if text.endswith("."):
        text = f"{text[:-1]}%2E"
    if text.endswith(".dvc"):  # DVC would read it
        text = f"{text[:-4]}%2Edvc"
    if len(text) > _LONGEST_PART:
        ending = _ENDING.search(text)
        kept = ending[0] if ending else ""
        text = f"{text[:150].rstrip('%')}-{_short(piece)}{kept}"
    return text


def fault(name: str) -> str:
    """Why a name of a list is not one that is written here, "" where it is."""
    if len(name) > _LONGEST + _LONGEST_PART + 20:
        return "it is too long"
    for part in name.split("/"):
        if not _SAFE.fullmatch(part) or part in _ASIDE or part.endswith((".", ".dvc")):
            return f"the part `{part}` could leave the folder or be hidden in it"
    return ""


def fault_of_package(name: str) -> str:
    """Why the name of a registry's file is none, "" where it is.

    It names no file of an output, only one that is looked at meanwhile; versions of Debian may have a `~` in them.
    """
    return (
        ""
        if len(name) <= _LONGEST_PART and _PACKAGE.fullmatch(name)
        else "it is no name of a package's file"
    )


def apart(names: Iterable[str]) -> dict[str, str]:
    """Name -> the same, or with a digest in it where some system would take two for one (`A.html` and `a.html`, the
    file `a` and the folder `A/`)."""
    listed = sorted(set(names))
    taken: dict[str, str] = {}
    folders = {_folded(name[:at]) for name in listed for at, c in enumerate(name) if c == "/"}
    found = {}
    for name in listed:
        made = name
        if _folded(name) in taken or _folded(name) in folders:
            folder, slash, last = name.rpartition("/")
            ending = _ENDING.search(last)
            kept = ending[0] if ending else ""
            stem = last[: len(last) - len(kept)]
            made = f"{folder}{slash}{stem}--{_short(name.encode())}{kept}"
        taken[_folded(made)] = name
        found[name] = made
    return found


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
