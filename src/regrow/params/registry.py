"""The kinds of training that there are: what the modules of `regrow.params.kinds` declare.

Which modules there are is read off the folder, so no key can count it: no step reaches this module
(`tests/engine/test_closure.py`).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from typing import Any

from pydantic import create_model

from regrow.params import kinds
from regrow.params.base import Block
from regrow.params.names import place
from regrow.params.stages import Stage

_MODULES = {
    name: importlib.import_module(f"{kinds.__name__}.{name}")
    for name in sorted((found.name for found in pkgutil.iter_modules(kinds.__path__)), key=place)
}

KINDS: dict[str, type[Stage]] = {name: module.Entry for name, module in _MODULES.items()}
"""kind -> its entry"""


def _once(named: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The mapping of these pairs. Raises ValueError where a name comes twice: two kinds say it."""
    found: dict[str, Any] = {}
    for name, value in named:
        if name in found:
            raise ValueError(
                f"regrow.params.kinds: two kinds name `{name}`. Fix: rename one of them."
            )
        found[name] = value
    return found


BUILT_IN: dict[str, dict[str, object]] = _once(
    (name, {"kind": kind, **said})
    for kind, entry in KINDS.items()
    for name, said in entry.names.items()
)
"""names that say themselves what they are"""


def with_sections(base: type[Block]) -> type[Block]:
    """The model `base` with the sections of all kinds behind its own, in the order of the kinds.

    Raises:
        ValueError: a section is in two of them.
    """
    own: dict[str, Any] = _once(
        (name, field)
        for block in (base, *(m.Sections for m in _MODULES.values() if hasattr(m, "Sections")))
        for name, field in block.model_fields.items()
    )
    more = {n: (f.annotation, f) for n, f in own.items() if n not in base.model_fields}
    fields: dict[str, Any] = more
    return create_model(base.__name__, __base__=base, __module__=__name__, **fields)
