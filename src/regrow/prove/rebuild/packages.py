"""The present environment against the one that the records name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from regrow.ask.doctor.packages import installed
from regrow.evidence.record import Record


def present(package: str) -> str | None:
    """The installed version as records have it: without local label; `python`: major.minor."""
    if package == "python":
        return f"{sys.version_info[0]}.{sys.version_info[1]}"
    version = installed(package)
    return None if version is None else version.split("+")[0]


def differences(
    chain: list[Record], version_of: Callable[[str], str | None] = present
) -> list[dict[str, Any]]:
    """Packages whose installed version is not the recorded one: package, recorded, installed, steps."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for record in chain:
        for package, version in record.parts.get("packages", {}).items():
            row = found.setdefault(
                (package, version),
                {"package": package, "recorded": version, "installed": None, "steps": []},
            )
            if record.step not in row["steps"]:
                row["steps"].append(record.step)
    for row in found.values():
        row["installed"] = version_of(row["package"])
    return [
        row for _, row in sorted(found.items()) if row["installed"] != row["recorded"].split("+")[0]
    ]
