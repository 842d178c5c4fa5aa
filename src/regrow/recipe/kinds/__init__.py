"""The kinds of training, a module each, found by its place in this folder.

An objective is added here, in `regrow.params.kinds` and in `regrow.learn.train.kinds`.
"""

from __future__ import annotations

import importlib
import pkgutil

from regrow.params.names import place
from regrow.recipe.kind import Kind
from regrow.release.methods import Methods

KINDS: dict[str, Kind] = {
    name: importlib.import_module(f"{__name__}.{name}").KIND
    for name in sorted((found.name for found in pkgutil.iter_modules(__path__)), key=place)
}
"""by name, in the order of the recipe after Olmo 3"""
METHODS: Methods = {
    kind.function: {"title": kind.title, "method": kind.method} for kind in KINDS.values()
}
"""function -> what its stages are called and do, in words"""
_BY_FUNCTION = {kind.function: kind for kind in KINDS.values()}


def of(function: str) -> Kind | None:
    """The kind whose stages a function trains, None for any other step's."""
    return _BY_FUNCTION.get(function)
