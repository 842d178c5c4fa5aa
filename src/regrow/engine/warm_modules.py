"""What the server of `regrow.engine.warm` has loaded, and what of it a fork may keep."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from regrow.engine import jobs, loading, variables

_ONE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""libraries that start threads while they are loaded: threads do not live through a fork. Kernels get their
number of threads when a step asks for it"""

Mark = tuple[str, int, int, int, int]
"""what the file of a module was like when it was loaded"""


class Libraries:
    """What steps load first, loaded once."""

    def __init__(self) -> None:
        self._models = self._shared = False
        self._served: set[str] = set()
        """functions whose own libraries are loaded"""
        self.packages: frozenset[str] = frozenset()
        """modules that came with it"""
        self._params: dict[str, Mark] = {}
        """modules of ours that came with the model of the params, as their files were"""

    def load(self, order: dict[str, Any]) -> None:
        """Load what a job's step loads first, without the variables of a shell.

        Steps that are shut in say by their key what they load, so for them it is what runs a model, and no more; the
        model of the params is loaded before any step is.

        Args:
            order: the call (`regrow.engine.handover`) as JSON; `closed` in it says that the step is shut in.
        """
        idle = order["idle"]
        models = bool(idle) and not self._models
        shared = "closed" not in order and not self._shared
        function = "" if "closed" in order else order["function"]
        if not models and not shared and function in self._served:
            return
        self._served.add(function)
        os.environ.update(dict.fromkeys(_ONE, "1"))
        # What cannot be loaded is said by the fork that needs it.
        with variables.shut_out(), contextlib.suppress(Exception):
            flow = jobs.flow()
            own = flow.warm_for.get(function, ())
            if not (models or shared or own):
                return
            if not self._params:
                before = set(sys.modules)
                importlib.import_module(flow.params_root.partition(":")[0])
                self._params = _ours(set(sys.modules) - before, flow.packages)
            before = set(sys.modules)
            if shared:
                self._shared = True
                for name in flow.shared:
                    loading.function(name)
            if models:
                self._models = True
                flow.warm_start()
                for name in flow.warm:
                    loading.function(name, idle)
            for name in own:
                loading.function(name)
            self.packages |= frozenset(set(sys.modules) - before)
        gc.collect()
        gc.freeze()  # pages of what is loaded stay shared with the forks

    def forget_changed(self) -> None:
        """In a fork: forget modules of ours, which are then loaded again, as a key counts them as they are now.

        Those that came with the params are forgotten only if a file of theirs has changed. The engine and the table
        stay in any case.
        """
        tops = jobs.flow().packages
        ours = [name for name in sys.modules if name.split(".")[0] in tops and name != "regrow"]
        changed = any(mark != _mark(mark[0]) for mark in self._params.values())
        for name in ours:
            if not name.startswith(jobs.NEVER_STEPS) and (changed or name not in self._params):
                del sys.modules[name]


def _ours(names: Collection[str], packages: Collection[str]) -> dict[str, Mark]:
    """Which of these modules, loaded just now, are of our packages, and what their files are like."""
    found = {name: sys.modules[name] for name in names if name.split(".")[0] in packages}
    return {name: _mark(module.__file__ or "") for name, module in found.items()}


def _mark(file: str) -> Mark:
    """File, inode, size and times: others where it was changed or replaced, or is no more."""
    try:
        stat = Path(file).stat()
    except OSError:
        return file, 0, 0, 0, 0
    return file, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
