"""Objects of the cache that were found damaged and could not be removed: they count as absent.

A cache may be another user's, or be mounted read-only. An object there that has other bytes than its name
says would be found again at every look-up. So it is remembered by what marks it (inode, size, times) until it
changes; in the process, and in `.regrow` for the next one.
"""

from __future__ import annotations

import json
from pathlib import Path

from regrow.engine import files

PLACE = ".regrow/refused_objects.json"

_HERE: dict[str, list[int]] = {}
"""what this process refused: path of the object -> mark"""


class Refused:
    """The refused objects of a repository's cache."""

    def __init__(self, root: Path) -> None:
        self._place = root / PLACE
        known = files.read_json(self._place)
        self._known: dict[str, list[int]] = known if isinstance(known, dict) else {}

    def __contains__(self, path: Path) -> bool:
        """Whether the object at this path is still the one that was refused."""
        known = _HERE.get(str(path)) or self._known.get(str(path))
        return known is not None and known == _mark(path)

    def add(self, path: Path) -> None:
        """Remember the object at this path."""
        mark = _mark(path)
        if mark:
            _HERE[str(path)] = mark
            self._known = {**self._known, str(path): mark}
            files.note(self._place, json.dumps(self._known, sort_keys=True).encode())


def _mark(path: Path) -> list[int]:
    try:
        stat = path.stat()
    except OSError:
        return []
    return [stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
