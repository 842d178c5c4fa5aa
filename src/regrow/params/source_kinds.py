"""The kinds of sources that there are: what the modules of `regrow.params.readers` declare.

Which modules there are is read off the folder, so no key can count it: no step reaches this module
(`tests/engine/test_closure.py`). It imports no pydantic: a lookup that hits asks it.
"""

from __future__ import annotations

import importlib
import pkgutil

from regrow.params import readers
from regrow.params.readable import Files

READERS: dict[str, Files] = {
    name: importlib.import_module(f"{readers.__name__}.{name}").FILES
    for name in sorted(found.name for found in pkgutil.iter_modules(readers.__path__))
}
"""kind -> what is declared of its files, by name"""
