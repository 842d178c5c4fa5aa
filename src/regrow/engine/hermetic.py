"""Run a step's function in a process that sees what its key counts, and nothing else.

The idea of the sandboxes of Nix and Bazel: what a step does not declare is not there, so a forgotten
dependency is a failure and not a stale artifact. The function runs in a child with an empty environment;
Landlock (landlock(7)) lets it read its inputs, the code and the installed packages, and write its output,
for native code too; what Python opens, which variables our code asks for and which packages were loaded is
compared with what the key names. Switched on by REGROW_HERMETIC=1. Under REGROW_WARM=1 the child of a step that runs
a model is forked from the run's server, whose packages count as loaded by the step.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from regrow.engine import variables, warm
from regrow.engine.errors import StepFailed
from regrow.engine.handover import HOME, Call
from regrow.engine.variables import CLOSED

VARIABLE = "REGROW_HERMETIC"
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc", "/proc", "/sys", "/dev")
"""of the system: libraries, time zones, devices. They count as the machine, as for every key"""


def asked() -> bool:
    """Whether steps run so in this process."""
    return os.environ.get(VARIABLE) not in (None, "", "0")


def call(
    job: str, call: Call, packages: Collection[str], server: socket.socket | None = None
) -> tuple[Any, frozenset[str]]:
    """Call a step's function in a closed process; returns its counts, and the modules of ours that it loaded.

    Args:
        job: its name, for messages.
        call: what to call, and with what.
        packages: distributions that the key names.
        server: a connection to the run's server (`regrow.engine.warm`), to fork the process from: packages that the
            server has loaded count as loaded by the step. None: an interpreter of its own.

    Raises:
        StepFailed: the function failed, or saw what its key does not count: every such thing is named.
    """
    closed = {"packages": sorted(packages), "kept": list(CLOSED), "system": list(SYSTEM)}
    if server is not None:
        answer = warm.call(server, job, call, closed=closed)
        said = {"counts": answer.counts, "modules": answer.modules, "seen": answer.seen}
    else:
        said = _of_its_own(job, call, closed)
    if said["seen"]:
        raise StepFailed(
            f"{job} saw what its key does not count: {'; '.join(said['seen'])}. Declare it in the "
            "step's row of the table (inputs, packages), or do without."
        )
    return said["counts"], frozenset(said["modules"])


def _of_its_own(job: str, call: Call, closed: Mapping[str, Any]) -> dict[str, Any]:
    """What a process says that begins with nothing loaded."""
    with tempfile.TemporaryDirectory(prefix="regrow-hermetic-") as folder:
        place = Path(folder)
        home = place / HOME
        home.mkdir()
        (place / "order.json").write_text(json.dumps({**call.written(), "closed": closed}))
        child = [sys.executable, "-m", "regrow.engine.hermetic_child", folder]
        # Where it starts is not where the repository is: a path that is not absolute finds nothing.
        done = subprocess.run(child, env=variables.closed(home), cwd=place, check=False)
        try:
            said: dict[str, Any] = json.loads((home / "said.json").read_text())
        except FileNotFoundError:
            raise StepFailed(f"{job} failed (exit status {done.returncode}), see above.") from None
    if "failed" in said:
        raise StepFailed(said["failed"], said["status"])
    return said
