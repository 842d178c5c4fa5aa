"""The fields of a model and what they name, read off the source without running it."""

from __future__ import annotations

import ast
from pathlib import Path

_KNOWN: dict[tuple[str, int, str], dict[str, list[str]]] = {}


def fields(path: Path, cls: str) -> dict[str, list[str]]:
    """Field of a class at the top of a module -> names in its annotation and default, {} where there is no such class.

    Raises:
        SyntaxError: the file is not Python.
    """
    key = (str(path), path.stat().st_mtime_ns, cls)
    if key not in _KNOWN:
        found: dict[str, list[str]] = {}
        for node in ast.parse(path.read_bytes()).body:
            if isinstance(node, ast.ClassDef) and node.name == cls:
                for item in node.body:
                    if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                        names = {n.id for n in ast.walk(item) if isinstance(n, ast.Name)}
                        found[item.target.id] = sorted(names - {item.target.id})
        _KNOWN[key] = found
    return _KNOWN[key]
