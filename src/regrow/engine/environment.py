"""The third-party part of a key: the pinned packages that a closure imports, and theirs.

Versions are those installed; only packages that `constraints.txt` pins count, and a local
version label (`2.13.0+cpu`) does not: which build of torch serves is no part of a result,
since `regrow.numerics` defines the arithmetic. A package of which a module comes from anywhere
but its own installation, and a standard library of which one does, count by that module's
content too (`origins`).
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

from regrow.engine import files, origins

_VERSION = 3
CONSTRAINTS = "constraints.txt"


class Environment:
    """Installed distributions, read once per change of the environment."""

    def __init__(self, root: Path, memory: Path) -> None:
        """Begin with what an earlier process found.

        Args:
            root: the repository.
            memory: the folder in which that is kept, a file per search path.
        """
        constraints = root / CONSTRAINTS
        path = origins.search_path(root)
        mark = [_VERSION, _mark(constraints), *origins.mark(path)]
        cache = memory / f"{hashlib.sha256(repr(path).encode()).hexdigest()[:16]}.json"
        known = files.read_json(cache)
        parts = ("modules", "versions", "requires", "elsewhere")
        fits = isinstance(known, dict) and all(isinstance(known.get(n), dict) for n in parts)
        if not fits or known.get("mark") != json.loads(json.dumps(mark)):
            known = {"mark": mark, **_survey(constraints, path)}
            files.note(cache, json.dumps(known, separators=(",", ":")).encode())
        self._modules: dict[str, list[str]] = known["modules"]
        self._versions: dict[str, str] = known["versions"]
        self._requires: dict[str, list[str]] = known["requires"]
        self.elsewhere: dict[str, dict[str, list[str]]] = known["elsewhere"]
        """distribution, or `python` -> its modules that come from elsewhere -> their files and folders"""

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
        found = {name: self._versions[name] + self._odd(name) for name in sorted(seen)}
        python = f"{sys.version_info[0]}.{sys.version_info[1]}"
        return {"python": python + self._odd("python"), **found}

    def _odd(self, name: str) -> str:
        """What a version is followed by where it is not that of all modules."""
        return "".join(
            f", but {module} is from elsewhere (sha256 {origins.content(map(Path, there))[:16]})"
            for module, there in sorted(self.elsewhere.get(name, {}).items())
        )


def makers() -> dict[str, set[str]]:
    """Top-level module that is installed -> names of the distributions that bring it, extension modules included.

    `importlib.metadata.packages_distributions` says the same, and parses the descriptions of 280 packages for it.
    """
    import importlib.metadata

    found: dict[str, set[str]] = {}
    for distribution in importlib.metadata.distributions():
        if name := _normal((_head(distribution)["name"] or [""])[0]):
            for module in _top_level(distribution, (".py", *EXTENSION_SUFFIXES)):
                found.setdefault(module, set()).add(name)
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _mark(path: Path) -> list[Any]:
    try:
        return [str(path), path.stat().st_mtime_ns]
    except OSError:
        return [str(path), None]


def _survey(constraints: Path, path: list[str]) -> dict[str, Any]:
    import importlib.metadata

    pinned = set()
    if constraints.is_file():
        for line in constraints.read_text(encoding="utf-8").splitlines():
            if "==" in line:
                pinned.add(_normal(line.split("==")[0].strip()))
    modules: dict[str, set[str]] = {}
    versions: dict[str, str] = {}
    requires: dict[str, list[str]] = {}
    homes: dict[str, Path] = {}
    for distribution in importlib.metadata.distributions(path=path):
        said = _head(distribution)
        name = _normal(said["name"][0] if said["name"] else "")
        if name not in pinned or name in versions:
            continue
        versions[name] = (said["version"] or [distribution.version])[0].split("+")[0]
        homes[name] = Path(str(distribution.locate_file(""))).resolve()
        # An egg-info has its requirements elsewhere.
        needs = said["requires-dist"] or distribution.requires or []
        requires[name] = sorted({need for text in needs if (need := _needed(text))})
        for module in _top_level(distribution):
            modules.setdefault(module, set()).add(name)
    return {
        "modules": {module: sorted(names) for module, names in sorted(modules.items())},
        "versions": versions,
        "requires": requires,
        "elsewhere": _elsewhere(modules, homes, path),
    }


def _head(distribution: Any) -> dict[str, list[str]]:
    """Name, version and requirements that the metadata of a distribution say.

    Read line by line: the parser of `importlib.metadata` reads the descriptions of 280 packages as well, three times.
    """
    found: dict[str, list[str]] = {"name": [], "version": [], "requires-dist": []}
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    last = ""
    for line in text.split("\n"):
        line = line.removesuffix("\r")
        if not line:
            break
        if line[0] in " \t":  # the line before goes on
            if last:
                found[last][-1] += f" {line.strip()}"
            continue
        field, _, value = line.partition(":")
        last = field.lower() if field.lower() in found else ""
        if last:
            found[last].append(value.strip())
    return found


def _needed(requirement: str) -> str:
    """The distribution that a requirement names, "" where it does not hold here."""
    name, _, marker = requirement.partition(";")
    if marker and not _holds(marker.strip()):
        return ""
    found = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", name.strip())
    return _normal(found[0].rstrip("._-")) if found else ""


_EXTRA = re.compile(r"((\([^()]*\)|((?! or )[^()])*) and )?extra ?== ?([\"'])[^\"']+\4")
"""markers of what nobody asked for, which most are: no parser is needed to refuse them"""


@cache
def _holds(marker: str) -> bool:
    if _EXTRA.fullmatch(marker):
        return False
    from packaging.markers import Marker

    return Marker(marker).evaluate({"extra": ""})


def _top_level(distribution: Any, suffixes: tuple[str, ...] = (".py",)) -> set[str]:
    """Names of the modules that a distribution brings, as it says or as its files say."""
    said = (distribution.read_text("top_level.txt") or "").split()
    if said:
        return set(said)
    record = distribution.read_text("RECORD")
    if record and '"' not in record:  # no name that CSV would quote
        paths = [line.partition(",")[0] for line in record.splitlines()]
    else:
        paths = [str(file) for file in distribution.files or []]
    # A name of a module ends at its first dot: `_one.cpython-311-x86_64-linux-gnu.so`.
    parts = [path.split("/") for path in paths if path.endswith(suffixes)]
    return {one[0] if len(one) > 1 else one[0].partition(".")[0] for one in parts}


def _elsewhere(
    modules: Mapping[str, set[str]], homes: Mapping[str, Path], path: list[str]
) -> dict[str, dict[str, list[str]]]:
    """Modules that are not imported from where the distributions are installed that bring them."""
    found: dict[str, dict[str, list[str]]] = {}
    for module, names in modules.items():
        if not module.isidentifier() or module in sys.stdlib_module_names:
            continue
        own = {homes[name] for name in names}
        there = [
            p
            for p in origins.places(module, path)
            if p.parent.resolve() not in own and not origins.is_standard(p.parent)
        ]
        if there:
            for name in names:
                found.setdefault(name, {})[module] = [str(p) for p in there]
    standard = origins.before_the_standard_library(path)
    if standard:
        found["python"] = {name: [str(p) for p in there] for name, there in standard.items()}
    return found
