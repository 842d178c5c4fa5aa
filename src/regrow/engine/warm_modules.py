"""Modules of ours that the server of `regrow.engine.warm` has loaded: which of them a fork may keep."""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path

from regrow.engine import jobs

Mark = tuple[str, int, int, int, int]
Loaded = dict[str, Mark]
"""module -> what its file was like when it was loaded"""


def loaded(names: Collection[str], packages: Collection[str]) -> Loaded:
    """Which of these modules, loaded just now, are of our packages, and what their files are like."""
    found = {name: sys.modules[name] for name in names if name.split(".")[0] in packages}
    return {name: _mark(module.__file__ or "") for name, module in found.items()}


def forget(kept: Loaded) -> None:
    """In a fork: modules that the server has loaded are loaded again, as a key counts them as they are now.

    Those in `kept` are not, unless a file of theirs has changed. The engine and the table stay in any case.
    """
    tops = jobs.flow().packages
    ours = [name for name in sys.modules if name.split(".")[0] in tops and name != "regrow"]
    if any(mark != _mark(mark[0]) for mark in kept.values()):
        kept = {}
    for name in ours:
        if not name.startswith(jobs.NEVER_STEPS) and name not in kept:
            del sys.modules[name]


def _mark(file: str) -> Mark:
    """File, inode, size and times: others where it was changed or replaced, or is no more."""
    try:
        stat = Path(file).stat()
    except OSError:
        return file, 0, 0, 0, 0
    return file, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
