"""MD5 (which DVC's cache is addressed by) and SHA-256 (which people trust) in one read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from regrow.engine import names

CHUNK = 1 << 20
_SMALL = 4 * CHUNK
_AHEAD = 8
"""chunks read ahead of the hashing threads"""


@dataclass(frozen=True)
class Digest:
    """Content of a file."""

    sha256: str
    md5: str
    size: int


def digest_bytes(content: bytes) -> Digest:
    """Both digests of bytes in memory."""
    return Digest(
        hashlib.sha256(content).hexdigest(),
        hashlib.md5(content, usedforsecurity=False).hexdigest(),
        len(content),
    )


def digest_file(path: Path, copy: IO[bytes] | None = None) -> Digest:
    """Both digests of a file, read once; what was read is also written to `copy`.

    Large files are hashed by two threads (hashlib lets go of the interpreter lock), so that
    SHA-256 costs no time next to MD5.

    Raises:
        OSError: it cannot be read, or `copy` cannot be written.
    """
    with path.open("rb", buffering=0) as source:
        first = source.read(_SMALL)
        if len(first) < _SMALL:
            rest = _rest(source)
            content = first + rest
            if copy is not None:
                copy.write(content)
            return digest_bytes(content)
        return _digest_large(first, source, copy)


def sha256_file(path: Path) -> str:
    """SHA-256 alone."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _rest(source: Any) -> bytes:
    # An unbuffered read may return less than asked for before the end of the file.
    parts = []
    while part := source.read(CHUNK):
        parts.append(part)
    return b"".join(parts)


def _digest_large(first: bytes, source: Any, copy: IO[bytes] | None) -> Digest:
    # Few processes hash a large file; every question to the command line would wait for these.
    import queue
    import threading

    hashers = [hashlib.sha256(), hashlib.md5(usedforsecurity=False)]
    queues: list[queue.Queue[bytes | None]] = [queue.Queue(_AHEAD) for _ in hashers]

    def work(number: int) -> None:
        while (chunk := queues[number].get()) is not None:
            hashers[number].update(chunk)

    # MD5 is the slower one and stays here; SHA-256 runs beside it.
    thread = threading.Thread(target=work, args=(0,), daemon=True)
    thread.start()
    size = 0
    try:
        for chunk in _chunks(first, source):
            queues[0].put(chunk)
            hashers[1].update(chunk)
            if copy is not None:
                copy.write(chunk)
            size += len(chunk)
    finally:
        queues[0].put(None)
        thread.join()
    return Digest(hashers[0].hexdigest(), hashers[1].hexdigest(), size)


def _chunks(first: bytes, source: Any) -> Iterator[bytes]:
    yield first
    while chunk := source.read(CHUNK):
        yield chunk


def tree_sha256(files: dict[str, str], where: str = "a folder") -> str:
    """SHA-256 of a folder: over the sorted lines `<sha256>  <path>`.

    Args:
        files: path below the folder, with `/` -> SHA-256 of the file.
        where: how the folder is called if it is refused.

    Raises:
        FlowError: a name is refused (`names`). A line end in one would give two folders one digest.
    """
    names.check(files, where)
    return listing_sha256(files)


def listing_sha256(files: Mapping[str, str]) -> str:
    """The same of names that were checked before."""
    lines = "".join(f"{sha}  {path}\n" for path, sha in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def dir_object(files: Iterable[Mapping[str, Any]]) -> bytes:
    """DVC's listing of a folder: `[{"md5": ..., "relpath": ...}, ...]`, sorted by path parts."""
    rows = [{"md5": f["md5"], "relpath": f["path"]} for f in files]
    rows.sort(key=lambda row: tuple(row["relpath"].split("/")))
    return json.dumps(rows).encode()


def dir_md5(files: Iterable[Mapping[str, Any]]) -> str:
    """Address of the `.dir` object of a folder."""
    return hashlib.md5(dir_object(files), usedforsecurity=False).hexdigest() + ".dir"
