"""Small things about files: atomic writes, JSON that may not be there, time-stamp trust, full disks."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import time
from pathlib import Path
from typing import Any

from regrow.engine.locks import locked as locked

_TICK_NS = 60_000_000
"""a file changed less than this ago may change again under the same time stamp"""


def token() -> str:
    """A part of a name that nobody else uses, on this node or another.

    A process number is not enough on a shared file system: in two pods both are likely 7.
    """
    return os.urandom(6).hex()


def beside(path: Path) -> Path:
    """A name next to `path` for what is renamed to it when it is whole."""
    return path.with_name(f".{path.name}.{token()}")


def write_atomically(path: Path, content: bytes) -> None:
    """Write by rename, so that a reader sees the old or the new file and a kill leaves no half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = beside(path)
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def note(path: Path, content: bytes) -> None:
    """Keep something that costs only time to find again, where it can be kept.

    A clone that may only be read and a full disk answer questions too, each time from the start.
    """
    with contextlib.suppress(OSError):
        write_atomically(path, content)


def read_json(path: Path) -> Any:
    """The content of a JSON file, None if it is missing or broken (for caches only)."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def settled(stat: os.stat_result) -> bool:
    """Whether an equal stat later will mean equal content (no change in the last clock tick)."""
    return time.time_ns() - max(stat.st_ctime_ns, stat.st_mtime_ns) > _TICK_NS


def canonical(value: Any) -> bytes:
    """JSON with one spelling: sorted keys, no spaces, UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


_FULL = (errno.ENOSPC, errno.EDQUOT)
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


def unwritable(error: OSError) -> bool:
    """Whether nothing can be written there: a folder that may only be read, a full disk."""
    return error.errno in (*_FULL, *_READ_ONLY)


def disk_full(error: BaseException | None) -> bool:
    """Whether an error, or what it came from, is a full disk (libraries wrap it in their own)."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        if "No space left on device" in str(error) or "os error 28" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
