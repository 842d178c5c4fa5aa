"""Run a step's function in a process that sees what its key counts, and nothing else.

The idea of the sandboxes of Nix and Bazel: what a step does not declare is not there, so a forgotten
dependency is a failure and not a stale artifact. The function runs in a child with an empty environment;
Landlock (landlock(7)) lets it read its inputs, the code and the installed packages, and write its output,
for native code too; what Python opens, which variables our code asks for and which packages were loaded is
compared with what the key names. Switched on by REGROW_HERMETIC=1.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

from regrow.engine.errors import StepFailed
from regrow.engine.handover import Call
from regrow.engine.variables import CLOSED

VARIABLE = "REGROW_HERMETIC"
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc", "/proc", "/sys", "/dev")
"""of the system: libraries, time zones, devices. They count as the machine, as for every key"""


def asked() -> bool:
    """Whether steps run so in this process."""
    return os.environ.get(VARIABLE) not in (None, "", "0")


def call(job: str, call: Call, packages: Collection[str]) -> Any:
    """Call a step's function in a closed process; returns its counts.

    Args:
        job: its name, for messages.
        call: what to call, and with what.
        packages: distributions that the key names.

    Raises:
        StepFailed: the function failed, or saw what its key does not count: every such thing is named.
    """
    with tempfile.TemporaryDirectory(prefix="regrow-hermetic-") as folder:
        place = Path(folder)
        (place / "home").mkdir()
        order = {
            **call.written(),
            "packages": sorted(packages),
            "kept": list(CLOSED),
            "system": list(SYSTEM),
        }
        (place / "order.json").write_text(json.dumps(order))
        environment = {name: os.environ[name] for name in CLOSED if name in os.environ}
        environment |= {"HOME": str(place / "home"), "TMPDIR": str(place / "home")}
        child = [sys.executable, "-m", "regrow.engine.hermetic_child", folder]
        # Where it starts is not where the repository is: a path that is not absolute finds nothing.
        done = subprocess.run(child, env=environment, cwd=place, check=False)
        try:
            said = json.loads((place / "home/said.json").read_text())
        except FileNotFoundError:
            raise StepFailed(f"{job} failed (exit status {done.returncode}), see above.") from None
    if "failed" in said:
        raise StepFailed(said["failed"], said["status"])
    if said["seen"]:
        raise StepFailed(
            f"{job} saw what its key does not count: {'; '.join(said['seen'])}. Declare it in the "
            "step's row of the table (inputs, packages), or do without."
        )
    return said["counts"]
