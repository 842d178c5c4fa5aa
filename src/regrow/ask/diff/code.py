"""What a changed function looks like on both sides, as normalised syntax.

The sources come from git (or the working tree) and count only if their digest is the one that the
record holds: so the text shown is the text that ran. Comments, docstrings and layout are missing, as they
are no part of the key.
"""

from __future__ import annotations

import ast
import difflib
from typing import Any

from regrow.ask.diff.side import Side
from regrow.engine.syntax import parse
from regrow.evidence.record import Record

MOST = 40
"""lines of a change that are kept"""


def change(name: str, left: Side, a: Record, right: Side, b: Record) -> dict[str, Any] | None:
    """The change of a definition (`regrow.data.mix.curve.rate`) or of a whole module, as a unified diff.

    Returns:
        module, where each side's source was found, lines; None where one of the sources is not at hand.
    """
    module = module_of(name, a, b)
    definition = name[len(module) + 1 :]
    before, after = _text(left, a, module, definition), _text(right, b, module, definition)
    if before is None or after is None:
        return None
    lines = list(difflib.unified_diff(before[1], after[1], lineterm="", n=2))[2:]
    return {
        "module": module,
        "left": before[0],
        "right": after[0],
        "lines": lines[:MOST],
        "omitted": max(0, len(lines) - MOST),
    }


def module_of(name: str, a: Record, b: Record) -> str:
    """The longest module of the two closures that `name` begins with."""
    known = {m for r in (a, b) for m in r.parts.get("code", {}).get("modules", {})}
    fitting = [m for m in known if name == m or name.startswith(m + ".")]
    return max(fitting, key=len, default=name)


def _text(side: Side, record: Record, module: str, definition: str) -> tuple[str, list[str]] | None:
    """(where, lines) of a definition as it was when the record was made."""
    entry = record.parts.get("code", {}).get("modules", {}).get(module)
    if entry is None or (definition and definition not in entry["definitions"]):
        return "nowhere", []
    for where, source in side.module(record, module):
        try:
            found = parse(source, module, False)
            tree = ast.parse(source)
        except (SyntaxError, ValueError):
            continue
        if definition:
            if found["definitions"].get(definition) == entry["definitions"][definition]:
                return where, _definition(tree, definition)
        elif found["digest"] == entry["digest"]:
            return where, _lines(tree)
    return None


def _definition(tree: ast.Module, name: str) -> list[str]:
    top, _, method = name.partition(".")
    for node in tree.body:
        if _called(node) != top:
            continue
        if not method:
            if isinstance(node, ast.ClassDef):  # its methods are definitions of their own
                node.body = [n for n in node.body if not _function(n)] or [ast.Pass()]
            return _lines(node)
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if _function(inner) and _called(inner) == method:
                    return _lines(inner)
    return []


def _function(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _called(node: ast.stmt) -> str:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return node.name
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        return getattr(node.targets[0], "id", "")
    return getattr(node.target, "id", "") if isinstance(node, ast.AnnAssign) else ""


class _Bare(ast.NodeTransformer):
    """Leaves out bare strings, as the key does."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """Docstrings and descriptions go."""
        text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if text else node


def _lines(node: ast.AST) -> list[str]:
    bare = _Bare().visit(node)
    for inner in ast.walk(bare):
        if getattr(inner, "body", None) == []:
            inner.body = [ast.Pass()]  # type: ignore[attr-defined]
    return ast.unparse(bare).splitlines()
