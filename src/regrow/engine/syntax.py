"""What a Python module says, without how it is written: normalised syntax, digests, imports.

The digest is taken over a dump of our own, not `ast.dump`, whose text differs between Python
minor versions. Comments, docstrings, layout and quotes do not count; names, order, defaults,
annotations and `1` against `1.0` do.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from typing import Any, TypedDict

_SKIPPED = frozenset({"ctx", "type_comment", "kind", "type_ignores"})
_FILES = frozenset({"__file__", "__path__", "__spec__", "__loader__"})
_FILE_MODULES = ("importlib.resources", "importlib.util", "importlib.metadata", "pkgutil")


class Syntax(TypedDict):
    """A parsed module, as JSON."""

    digest: str
    """SHA-256 of the whole module"""
    definitions: dict[str, str]
    """`function`, `Class` (all but its methods), `Class.method`, `CONSTANT` -> 16 hex digits"""
    classes: list[str]
    """those of the definitions that are classes"""
    uses: dict[str, list[str]]
    """top-level definition -> names that it mentions"""
    imports: list[list[str]]
    """[module, name or ""], absolute; imports for type checkers only are left out"""
    files: bool
    """it can find out where its package is, so the package's data files may matter to it"""


def parse(source: bytes, module: str, is_package: bool) -> Syntax:
    """Read one module.

    Args:
        source: the file.
        module: its dotted name, against which relative imports are resolved.
        is_package: whether it is an `__init__.py`.

    Raises:
        SyntaxError: it is not Python.
    """
    tree = ast.parse(source)
    imports = sorted({tuple(i) for i in _imports(tree, module, is_package)})
    definitions: dict[str, str] = {}
    uses: dict[str, list[str]] = {}
    for node in tree.body:
        for name, part in _definitions(node):
            definitions[name] = _short(part)
            uses.setdefault(name.split(".")[0], []).extend(_names(part))
    return Syntax(
        digest=hashlib.sha256(dump(tree).encode()).hexdigest(),
        definitions=definitions,
        classes=[node.name for node in tree.body if isinstance(node, ast.ClassDef)],
        uses={name: sorted(set(found)) for name, found in uses.items()},
        imports=[list(i) for i in imports],
        files=_finds_files(tree) or any(i[0].startswith(_FILE_MODULES) for i in imports),
    )


def dump(node: Any) -> str:
    """A text of the syntax below `node` that layout, comments and docstrings do not change."""
    if isinstance(node, ast.Constant):
        return f"{type(node.value).__name__}:{node.value!r}"
    if isinstance(node, ast.AST):
        fields = []
        for name in sorted(node._fields):
            value = getattr(node, name, None)
            if name not in _SKIPPED and value is not None and value != []:
                fields.append(f"{name}={dump(value)}")
        return f"{type(node).__name__}({','.join(fields)})"
    if isinstance(node, list):
        return "[" + ",".join(dump(item) for item in node if not _is_text(item)) + "]"
    return repr(node)


def _is_text(node: Any) -> bool:
    """A bare string as a statement: a docstring, or the description of a field."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _short(node: Any) -> str:
    return hashlib.sha256(dump(node).encode()).hexdigest()[:16]


def _definitions(node: ast.stmt) -> Iterator[tuple[str, Any]]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield node.name, node
    elif isinstance(node, ast.ClassDef):
        functions = [n for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
        rest = [n for n in node.body if n not in functions]
        yield node.name, [*node.bases, *node.keywords, *node.decorator_list, *rest]
        for function in functions:
            yield f"{node.name}.{function.name}", function
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if len(targets) == 1 and isinstance(targets[0], ast.Name):
            yield targets[0].id, node


def _names(part: Any) -> Iterator[str]:
    for root in part if isinstance(part, list) else [part]:
        for node in ast.walk(root):
            if isinstance(node, ast.Name):
                yield node.id


def _finds_files(tree: ast.AST) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in _FILES:
            return True
        if isinstance(node, ast.Attribute) and node.attr in _FILES:
            return True
    return False


def _imports(node: ast.AST, module: str, is_package: bool) -> Iterator[list[str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ([alias.name, ""] for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = _base(child, module, is_package)
            yield from ([base, alias.name] for alias in child.names)
        elif isinstance(child, ast.If) and _for_type_checkers(child.test):
            for other in child.orelse:
                yield from _imports(ast.Module([other], []), module, is_package)
        else:
            yield from _imports(child, module, is_package)


def _for_type_checkers(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"


def _base(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    parts = parts[: len(parts) - node.level + (1 if is_package else 0)]
    return ".".join([*parts, *([node.module] if node.module else [])])
