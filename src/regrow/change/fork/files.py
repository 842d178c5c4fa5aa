"""The files that somebody brings: which are read, which are left out and why, and their lines."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from regrow.evidence.errors import Unanswerable

TEXT = (".txt", ".md", ".rst", ".text")
LINES = (".jsonl", ".ndjson")
TABLE = ".parquet"
_OPEN: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_UNREAD = {".zst": "zstd -d", ".zip": "unzip", ".7z": "7z x", ".lz4": "lz4 -d", ".tar": "tar -xf"}
"""compressions that are not read -> what undoes them"""
MAX_BYTES = 64 * 2**20
"""of one text, or one line of JSON: no training document is longer, and no memory unbounded"""
_ODD = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
READ = f"{', '.join((*LINES, TABLE, *TEXT))}, also with {', '.join(_OPEN)} behind (Parquet without)"


@dataclass(frozen=True)
class Inventory:
    """What is at a path."""

    files: tuple[Path, ...]
    """that are read, in order of their names"""
    left_out: dict[str, int]
    """why, or which suffix -> how many; sorted"""


def inventory(path: Path) -> Inventory:
    """The files of a path: itself, or those below it.

    Below a folder, what is hidden (`.git`), linked folders (they may lead anywhere, and in circles) and
    files of other kinds are left out and counted.

    Raises:
        Unanswerable: not there, of no kind that is read, or compressed in a way that is not read.
    """
    if not path.exists():
        raise Unanswerable(f"--data {shown(path)}: there is no such file or folder.")
    if not path.is_dir():
        if not kind(path):
            raise Unanswerable(f"--data {shown(path)}: give a folder, {READ}.")
        return Inventory((path,), {})
    found: list[Path] = []
    left: Counter[str] = Counter()
    for folder, folders, names in os.walk(path.resolve()):
        here = Path(folder)
        left["hidden"] += sum(name.startswith(".") for name in [*folders, *names])
        visible = [name for name in sorted(folders) if not name.startswith(".")]
        linked = {name for name in visible if (here / name).is_symlink()}
        left["linked folders"] += len(linked)
        folders[:] = [name for name in visible if name not in linked]
        for name in sorted(names):
            if name.startswith("."):
                continue
            if not (here / name).is_file():
                left["no files"] += 1
            elif kind(here / name):
                found.append(here / name)
            else:
                left[_printable(Path(name).suffix.lower()) or "no suffix"] += 1
    found.sort(key=os.fsencode)
    return Inventory(tuple(found), {why: left[why] for why in sorted(left) if left[why]})


def kind(path: Path) -> str:
    """`.jsonl`, `.parquet` or `.txt` for all that is read alike; "" for what is not read.

    Raises:
        Unanswerable: a compressed file of such a kind, which is not read.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    last, before = suffixes[-1] if suffixes else "", suffixes[0] if len(suffixes) > 1 else ""
    known = {*LINES, *TEXT, TABLE}
    if last in _UNREAD and before in known:
        raise Unanswerable(
            f"{shown(path)}: {last} is not read. Decompress it first: `{_UNREAD[last]}`."
        )
    if last in _OPEN and before == TABLE:
        raise Unanswerable(f"{shown(path)}: Parquet is read uncompressed. Decompress it first.")
    last = before if last in _OPEN else last
    return LINES[0] if last in LINES else TEXT[0] if last in TEXT else last if last == TABLE else ""


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """(number, text) of every line, one at a time; a byte order mark is no text.

    Raises:
        Unanswerable: not UTF-8, damaged, or a line above MAX_BYTES; it names the line.
    """
    for number, line in enumerate(_raw_lines(path), 1):
        if len(line) > MAX_BYTES:
            raise Unanswerable(
                f"{shown(path)}, line {number}: longer than {MAX_BYTES >> 20} MiB. Split the document."
            )
        yield number, _decoded(line, f"{shown(path)}, line {number}")


def whole(path: Path) -> str:
    """All of a text file, without its byte order mark.

    Raises:
        Unanswerable: not UTF-8, damaged, or above MAX_BYTES.
    """
    try:
        with _opened(path) as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise Unanswerable(f"{shown(path)}: cannot be read ({error}).") from None
    if len(data) > MAX_BYTES:
        raise Unanswerable(f"{shown(path)}: above {MAX_BYTES >> 20} MiB. Split it into documents.")
    return _decoded(data, shown(path))


def label(place: str, name: str, value: Any) -> str:
    """A licence, an address or a name, which lists and terminals show; "" for none.

    Raises:
        Unanswerable: not a string, or it holds a sign that is not shown (control, direction, surrogate).
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unanswerable(f"{place}: `{name}` must be a string, got {type(value).__name__}.")
    value = value.strip()
    if match := _ODD.search(value):
        raise Unanswerable(
            f"{place}: `{name}` holds U+{ord(match[0]):04X}, a sign that cannot be shown. Remove it."
        )
    return cast(str, value)


def shown(path: Path) -> str:
    """A path for people: bytes that are not UTF-8 replaced, signs that are not shown spelled out."""
    return _printable(os.fsencode(path).decode("utf-8", "replace"))


def address(path: Path) -> str:
    """`file:` and the name of a file, as its document's url."""
    return "file:" + _printable(os.fsencode(path.as_posix()).decode("utf-8", "replace"))


def _printable(text: str) -> str:
    return _ODD.sub(lambda m: f"%{ord(m[0]):02X}", text)


def _decoded(data: bytes, place: str) -> str:
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise Unanswerable(
            f"{place}: not UTF-8 text ({error.reason} at byte {error.start}). Convert it, e.g. with `iconv`."
        ) from None


def _raw_lines(path: Path) -> Iterator[bytes]:
    try:
        with _opened(path) as file:
            # Not splitlines: a string of JSON may hold U+2028 and its like.
            while line := file.readline(MAX_BYTES + 1):
                yield line
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise Unanswerable(f"{shown(path)}: cannot be read to its end ({error}).") from None


def _opened(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", _OPEN.get(path.suffix.lower(), open)(path, "rb"))
