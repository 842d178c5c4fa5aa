"""`regrow sources check`: what changed at the addresses of frozen lists since they were written."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regrow.change.sources import registries
from regrow.change.sources.named import is_frozen, list_of, sources
from regrow.data.sources import shelf
from regrow.data.sources.download import Web
from regrow.data.sources.frozen import Entry
from regrow.data.sources.progress import Progress, Said, to_stderr
from regrow.data.sources.trouble import ChangedError, FetchError, MissingError
from regrow.evidence.errors import Unanswerable

SAME, CHANGED, MISSING, UNKNOWN, FAILED = "same", "changed", "missing", "unknown", "failed"
BAD = (CHANGED, MISSING, FAILED)
"""states in which a machine without the fetched files cannot fetch them"""


@dataclass(frozen=True)
class How:
    """How to check."""

    reread: bool = False
    """fetch every file and compare its bytes"""
    said: Said = to_stderr
    wait: Callable[[float], None] = time.sleep


def check(root: Path, recipe: str, names: Sequence[str], how: How) -> dict[str, Any]:
    """Compare frozen lists with their addresses.

    Returns:
        `files`: for each source, address, state (`same`, `changed`, `missing`, `unknown`: the server says neither
        ETag nor size, `failed`: no answer) and detail; `states`: how many of each.

    Raises:
        Unanswerable: a source is not frozen yet.
        FrozenError: a list is damaged.
    """
    rows = []
    for source in sources(root, recipe, names):
        if not is_frozen(source):
            continue
        found = list_of(root, source)
        if found is None:
            raise Unanswerable(f"{source.name}: is not frozen yet. Fix: `regrow sources freeze {recipe} {source.name}`.")  # fmt: skip
        entries = (*found.lists, *found.files)
        progress = Progress(source.name, len(entries), how.said)
        web = Web(how.wait, progress.add)
        for entry in entries:
            state, detail = _state(entry, root, web, how)
            rows.append({"source": source.name, "address": entry.address, "state": state, "detail": detail})  # fmt: skip
            progress.done()
        progress.end()
    states = {name: sum(row["state"] == name for row in rows) for name in (SAME, *BAD, UNKNOWN)}
    return {"recipe": recipe, "states": states, "files": rows}


def _state(entry: Entry, root: Path, web: Web, how: How) -> tuple[str, str]:
    try:
        if how.reread:
            return _reread(entry, root, web)
        if entry.registry:
            return registries.state(entry)
        head = web.head(entry.address)
    except MissingError as error:
        return MISSING, str(error)
    except FetchError as error:
        return FAILED, str(error)
    if head.size is not None and head.size != entry.size:
        return CHANGED, f"{entry.size:,} bytes then, {head.size:,} now"
    if entry.etag and head.etag:
        if entry.etag == head.etag:
            return SAME, "ETag"
        return (
            CHANGED,
            f"ETag {entry.etag} then, {head.etag} now; --bytes says whether its bytes are others",
        )
    return UNKNOWN, "the server names no state of the file; --bytes compares"


def _reread(entry: Entry, root: Path, web: Web) -> tuple[str, str]:
    kept = shelf.folder(root)
    scratch = kept / "check"
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        path = shelf.obtain(entry, scratch / "none", scratch, lambda sentence: None, web)
    except ChangedError as error:
        return CHANGED, str(error)
    path.replace(kept / entry.sha256)  # what was fetched need not be fetched by a step
    return SAME, "bytes"
