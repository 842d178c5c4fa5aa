"""Python and the packages: installed versions against the pins."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from regrow.ask.doctor.finding import Finding

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;#]+)")
_INSTALL = "`make env` after removing .venv (`make distclean env`), or `pip install -c constraints.txt -e .`."


def canonical(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(constraints: Path) -> dict[str, str]:
    """Distribution -> pinned version from a constraints file (comments and markers ignored)."""
    found = {}
    for line in constraints.read_text(encoding="utf-8").splitlines():
        match = _PIN.match(line.strip())
        if match:
            found[canonical(match[1])] = match[2]
    return found


def required() -> set[str]:
    """Distributions that the package declares, extras left out."""
    try:
        lines = metadata.requires("regrow") or []
    except metadata.PackageNotFoundError:
        return set()
    return {
        canonical(match[0])
        for line in lines
        if "extra ==" not in line and (match := re.match(r"[A-Za-z0-9._-]+", line))
    }


def installed(name: str) -> str | None:
    """The installed version of a distribution, None where there is none."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def check_python() -> Finding:
    """The interpreter: code digests and wheels are those of 3.11."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] != (3, 11):
        return Finding(
            "python",
            "fail",
            f"Python {version}, but the flow is pinned to 3.11.",
            "Install Python 3.11 and run `make distclean env`: the environment is made again with it.",
        )
    return Finding("python", "ok", f"Python {version} in {sys.prefix}")


def check_pins(
    constraints: Path, version_of: Callable[[str], str | None] = installed
) -> list[Finding]:
    """Installed versions against `constraints`."""
    if not constraints.is_file():
        return [
            Finding(
                "packages",
                "warn",
                f"{constraints.name} is missing: versions cannot be checked.",
                "Restore it with `git checkout -- constraints.txt`.",
            )
        ]
    wanted = pins(constraints)
    have = {name: version_of(name) for name in wanted}
    absent = sorted(name for name in required() & set(wanted) if have[name] is None)
    other = sorted(
        f"{name} {have[name]} (pinned {version})"
        for name, version in wanted.items()
        # A local label such as +cpu names the build, not the release.
        if have[name] is not None and str(have[name]).split("+")[0] != version.split("+")[0]
    )
    found = []
    if absent:
        found.append(Finding("packages", "fail", f"not installed: {', '.join(absent)}.", _INSTALL))
    if other:
        found.append(
            Finding(
                "packages",
                "warn",
                f"other versions than pinned: {_first(other)}. Versions are part of step keys, so "
                "steps that use these packages will run again and may give other bytes.",
                _INSTALL,
            )
        )
    if not found:
        count = sum(1 for version in have.values() if version is not None)
        found.append(Finding("packages", "ok", f"{count} installed packages equal their pins."))
    return found


def _first(items: list[str], most: int = 6) -> str:
    rest = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + rest
