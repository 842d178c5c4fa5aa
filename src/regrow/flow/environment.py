"""The third-party part of a key: the pinned packages that a closure imports, and theirs.

Versions are those installed; only packages that `constraints.txt` pins count, and a local
version label (`2.13.0+cpu`) does not: which build of torch serves is no part of a result,
since `regrow.numerics` defines the arithmetic.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from regrow.flow import files

_VERSION = 2
CONSTRAINTS = "constraints.txt"


class Environment:
    """Installed distributions, read once per change of the environment."""

    def __init__(self, root: Path, cache: Path) -> None:
        constraints = root / CONSTRAINTS
        homes = [path for path in sys.path if path.endswith("-packages")]
        mark = [_VERSION, *(_mark(Path(path)) for path in [*homes, str(constraints)])]
        known = files.read_json(cache)
        if not isinstance(known, dict) or known.get("mark") != mark:
            known = {"mark": mark, **_survey(constraints)}
            files.write_atomically(cache, json.dumps(known, separators=(",", ":")).encode())
        self._modules: dict[str, list[str]] = known["modules"]
        self._versions: dict[str, str] = known["versions"]
        self._requires: dict[str, list[str]] = known["requires"]

    def packages(self, imports: Iterable[str], extra: Iterable[str] = ()) -> dict[str, str]:
        """Pinned distributions behind top-level module names (`extra`: distributions), with theirs.

        Returns distribution -> version, and `python` -> major.minor.
        """
        queue = [dist for name in imports for dist in self._modules.get(name, [])]
        queue += [_normal(name) for name in extra]
        seen: set[str] = set()
        while queue:
            name = queue.pop()
            if name not in seen and name in self._versions:
                seen.add(name)
                queue.extend(self._requires[name])
        found = {name: self._versions[name] for name in sorted(seen)}
        return {"python": f"{sys.version_info[0]}.{sys.version_info[1]}", **found}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _mark(path: Path) -> list[Any]:
    try:
        return [str(path), path.stat().st_mtime_ns]
    except OSError:
        return [str(path), None]


def _survey(constraints: Path) -> dict[str, Any]:
    import importlib.metadata

    from packaging.requirements import Requirement

    pinned = set()
    if constraints.is_file():
        for line in constraints.read_text(encoding="utf-8").splitlines():
            if "==" in line:
                pinned.add(_normal(line.split("==")[0].strip()))
    modules: dict[str, list[str]] = {}
    versions: dict[str, str] = {}
    requires: dict[str, list[str]] = {}
    for distribution in importlib.metadata.distributions():
        name = _normal(distribution.metadata["Name"] or "")
        if name not in pinned or name in versions:
            continue
        versions[name] = distribution.version.split("+")[0]
        needs = (Requirement(text) for text in distribution.requires or [])
        requires[name] = sorted(
            {_normal(r.name) for r in needs if not r.marker or r.marker.evaluate({"extra": ""})}
        )
    for module, names in importlib.metadata.packages_distributions().items():
        mine = sorted({_normal(n) for n in names} & versions.keys())
        if mine:
            modules[module] = mine
    return {"modules": modules, "versions": versions, "requires": requires}
