"""The part of `remote` that imports DVC: a process that asks a remote, or fetches from it.

`python -m regrow.engine.remote_worker ROOT`: on each line of standard input `[what, rows]` as JSON, what being `has`,
`fetch`, `check` or `actions`; a line of standard output for each, with a row of the answer for each row. The process
ends with its input, or at the first error, which standard error says in one line. What the remote sends is written to a file that only
this process knows, counted while it comes, hashed, and adopted by the cache if it is what was
asked for: no length or name that a server claims is believed.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

from fsspec.callbacks import Callback

from regrow.engine.files import token
from regrow.engine.hashing import digest_file
from regrow.engine.store import Store

_JOBS = 8
_MINE = token()
"""marks the unfinished transfers of this process, on whatever node it is"""
_GRACE = 60.0
"""seconds before a rate is expected"""
_SLOWEST = 1_000
"""bytes per second that a transfer must reach after the grace; a server must not hold a job for ever"""
STALL = 300.0
"""seconds without a byte on any transfer after which the process gives up"""


class _Refused(Exception):
    """A transfer that was broken off: longer than it may be, or too slow."""


class _Meter(Callback):
    """Counts what comes in and breaks off a transfer that cannot be right."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self.began = time.monotonic()

    def relative_update(self, inc: int = 1) -> None:
        super().relative_update(inc)
        self._judge()

    def absolute_update(self, value: int) -> None:
        super().absolute_update(value)
        self._judge()

    def _judge(self) -> None:
        if self.value > self.limit:
            raise _Refused(f"more than the {self.limit} bytes of the record")
        waited = time.monotonic() - self.began - _GRACE
        if waited > 0 and self.value < waited * _SLOWEST:
            raise _Refused(f"slower than {_SLOWEST} bytes per second")


_HASHING: list[None] = []
"""an item for each thread that reads what has arrived"""


@contextlib.contextmanager
def _hashing() -> Iterator[None]:
    _HASHING.append(None)
    try:
        yield
    finally:
        _HASHING.pop()


class _Watch(threading.Thread):
    """Ends this process when no transfer has moved for too long, whatever a library waits for.

    What was adopted until then is in the cache; the runner sees the rest as failed.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder = folder
        self.over = threading.Event()
        """set when all transfers have ended"""

    def run(self) -> None:
        """Look at the sizes of this process's transfers now and then."""
        before, since = self._sizes(), time.monotonic()
        while not self.over.wait(min(5.0, STALL / 4)):
            now = self._sizes()
            if now != before or _HASHING:
                before, since = now, time.monotonic()
            elif time.monotonic() - since > STALL:
                for left in self.folder.glob(f".*.{_MINE}.*.fetch"):
                    left.unlink(missing_ok=True)
                print(f"TimeoutError: no byte arrived for {STALL:.0f} s", file=sys.stderr)
                sys.stderr.flush()
                os._exit(1)

    def _sizes(self) -> dict[str, int]:
        found = {}
        for path in self.folder.glob(f".*.{_MINE}.*.fetch"):
            with contextlib.suppress(OSError):
                found[path.name] = path.stat().st_size
        return found


@cache
def _odb(root: Path) -> Any:
    from dvc.repo import Repo

    return Repo(str(root)).cloud.get_remote_odb()


def _each(work: Callable[[Any], Any], rows: list[Any]) -> list[Any]:
    with ThreadPoolExecutor(_JOBS) as pool:
        return list(pool.map(work, rows))


def has(root: Path, rows: list[tuple[str, str | None]]) -> list[bool]:
    """Rows: MD5, and the mark of an object that was refused. Whether there is (another) one."""
    odb = _odb(root)

    def one(row: tuple[str, str | None]) -> bool:
        path = odb.oid_to_path(row[0])
        if row[1] is None:
            return bool(odb.fs.exists(path))
        try:
            return _mark(odb, path) != row[1]
        except FileNotFoundError:
            return False

    return _each(one, rows)


def fetch(root: Path, rows: list[tuple[str, str, int]]) -> list[dict[str, Any]]:
    """Rows: MD5, SHA-256, size. What became of each: `here`, `missing`, `wrong` or `failed`."""
    return _transfer(root, rows, keep=True)


def check(root: Path, rows: list[tuple[str, str, int]]) -> list[dict[str, Any]]:
    """As `fetch`, but nothing is adopted."""
    return _transfer(root, rows, keep=False)


def _transfer(root: Path, rows: list[tuple[str, str, int]], keep: bool) -> list[dict[str, Any]]:
    odb, store = _odb(root), Store(root)
    watch = _Watch(store.cache / "files" / "md5")
    watch.start()
    try:
        return _each(lambda row: _fetch_one(odb, store, row, keep), rows)
    finally:
        watch.over.set()


def _fetch_one(odb: Any, store: Store, row: tuple[str, str, int], keep: bool) -> dict[str, Any]:
    md5, sha256, size = row
    path = odb.oid_to_path(md5)
    temporary = store.cache / "files" / "md5" / f".{md5}.{_MINE}.{sha256[:8]}.fetch"
    temporary.parent.mkdir(parents=True, exist_ok=True)
    try:
        odb.fs.get_file(path, str(temporary), callback=_Meter(size))
        with _hashing():  # a large file is read for longer than a server may be silent
            digest = digest_file(temporary)
        if digest.sha256 == sha256:
            if keep:
                store.adopt(temporary, md5)
            return {"fate": "here"}
        found: dict[str, Any] = {"found": digest.sha256, "size": digest.size}
        return {"fate": "wrong", **found, "mark": _mark(odb, path)}
    except FileNotFoundError:
        return {"fate": "missing"}
    except _Refused as error:
        return {"fate": "wrong", "found": f"none: {error}", "size": size, "mark": _mark(odb, path)}
    except Exception as error:  # one object that cannot be had must not cost the others
        return {"fate": "failed", "text": f"{type(error).__name__}: {error}"}
    finally:
        temporary.unlink(missing_ok=True)


def _mark(odb: Any, path: str) -> str:
    """What a remote says of an object without sending it: changes if somebody mends the object."""
    told = odb.fs.info(path)
    keys = ("size", "ETag", "etag", "LastModified", "last_modified", "mtime", "ino", "Content-MD5")
    return json.dumps({key: str(told[key]) for key in keys if key in told}, sort_keys=True)


def fetch_actions(root: Path, keys: list[str]) -> list[str]:
    """Bring the run cache's entries of the keys."""
    from regrow.engine import actions

    odb, store = _odb(root), Store(root)
    base = odb.fs.parts(odb.path)[:-2] if odb.path.rstrip("/").endswith("files/md5") else None
    if base is None or odb.fs.protocol in ("http", "https"):
        return []  # these cannot list a folder; `reconcile` seeds the action cache from the records
    for key in keys:
        there = odb.fs.join(*base, "runs", key[:2], key)
        if not odb.fs.exists(there):
            continue
        for path in odb.fs.find(there):
            actions.take(store, key, odb.fs.name(path), odb.fs.cat_file(path))
    return keys


def main() -> None:
    """Answer line by line, see the top of this module."""
    root = Path(sys.argv[1])
    work: dict[str, Callable[..., Any]] = {
        "has": has,
        "fetch": fetch,
        "check": check,
        "actions": fetch_actions,
    }
    try:
        for line in sys.stdin:
            what, rows = json.loads(line)
            print(json.dumps(work[what](root, rows)), flush=True)
    except Exception as error:  # whatever a remote's file system raises is one line for the user
        text = " ".join(str(error).split())
        raise SystemExit(f"{type(error).__name__}: {text}") from None


if __name__ == "__main__":
    main()
