"""Import a step's function for the price of what it needs."""

from __future__ import annotations

import contextlib
import gc
import importlib
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from regrow.engine import environment

_THRESHOLDS = (50_000, 20, 50)
"""Python's own (700, 10, 10) walk through all objects again and again while torch and transformers are
imported: a fifth of the CPU time of a job's start"""


def function(path: str, idle: Iterable[str] = ()) -> Any:
    """The function `module:name`, its module imported while the packages `idle` are hidden.

    Some libraries import others wherever they are installed, for features that nobody asked for.
    Hidden ones are found missing, and can be imported as usual afterwards.

    Raises:
        ModuleNotFoundError: the module, or one that it imports, is not there.
    """
    module, _, name = path.partition(":")
    gc.set_threshold(*_THRESHOLDS)
    with _hidden(idle), _listed_quickly() if idle else contextlib.nullcontext():
        return getattr(importlib.import_module(module), name)


@contextlib.contextmanager
def _listed_quickly() -> Iterator[None]:
    """Let libraries that ask which distribution brings a module (transformers) have the answer for a fifth of its price."""
    import importlib.metadata

    slow = importlib.metadata.packages_distributions
    importlib.metadata.packages_distributions = lambda: {
        module: sorted(names) for module, names in environment.makers().items()
    }
    try:
        yield
    finally:
        importlib.metadata.packages_distributions = slow


@contextlib.contextmanager
def _hidden(packages: Iterable[str]) -> Iterator[None]:
    hidden = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)
