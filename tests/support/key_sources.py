"""Edits of Python sources by syntax, and a walk over imports that knows nothing of `regrow.engine.closure`."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

ABOVE = ("cli", "publish", "change", "prove", "ask", "evidence", "recipe", "engine")
"""rooms of which no step imports a module"""


def path_of(source: Path, module: str) -> Path | None:
    """The file of a module below `source`, None if there is none."""
    stem = source.joinpath(*module.split("."))
    for path in (stem / "__init__.py", stem.with_suffix(".py")):
        if path.is_file():
            return path
    return None


@functools.cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


@functools.cache
def foreign(text: str) -> frozenset[str]:
    """The top-level names of all imports in a module."""
    found = set()
    for node in ast.walk(_parsed(text)):
        if isinstance(node, ast.Import):
            found |= {a.name.split(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return frozenset(found)


def imported(source: Path, module: str) -> set[str]:
    """Modules of ours that a module's import statements name, those for type checkers left out."""
    path = path_of(source, module)
    assert path is not None
    found = set()
    for node in _running(_parsed(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            names = [n for a in node.names for n in (f"{node.module}.{a.name}", str(node.module))]
        found |= {n for n in names if n.split(".")[0] == "regrow" and path_of(source, n)}
    return found


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            yield node
            yield from _running(node)


def distances(source: Path, module: str) -> dict[str, int]:
    """Every module that `module` reaches -> the least number of imports between the two."""
    found = {module: 0}
    queue = [module]
    for name in queue:
        for other in sorted(imported(source, name)):
            if other not in found:
                found[other] = found[name] + 1
                queue.append(other)
    return found


def functions(text: str) -> list[str]:
    """Names of the functions at the top of a module."""
    return [n.name for n in _parsed(text).body if isinstance(n, ast.FunctionDef)]


def constants(text: str) -> list[str]:
    """Names that are assigned at the top of a module, by capital letters taken for constants."""
    found = []
    for node in _parsed(text).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if len(targets) == 1 and isinstance(targets[0], ast.Name):
                found.append(targets[0].id)
    return [name for name in found if name.strip("_").isupper()]


def with_statement(text: str, function: str) -> str:
    """The module with one more statement in a function or method (`Class.method`)."""
    scope: ast.AST = _parsed(text)
    for name in function.split("."):
        (scope,) = (n for n in scope.body if getattr(n, "name", "") == name)  # type: ignore[attr-defined]
    assert isinstance(scope, ast.FunctionDef)
    first = scope.body[0]
    lines = text.splitlines(keepends=True)
    assert first.lineno > scope.lineno, f"{function} is written on one line"
    assert first.end_lineno is not None
    indent = " " * first.col_offset
    lines.insert(first.end_lineno, f"{indent}assert True\n") if _is_text(first) else lines.insert(
        first.lineno - 1, f"{indent}assert True\n"
    )
    return "".join(lines)


def with_method(text: str) -> str:
    """The module with one more method in every class at its top."""
    ends = [n.end_lineno for n in _parsed(text).body if isinstance(n, ast.ClassDef)]
    lines = text.splitlines(keepends=True)
    for end in reversed(ends):
        assert end is not None
        lines.insert(end, "\n    def one_more(self) -> int:\n        return 1\n")
    return "".join(lines)


def with_constant(text: str, name: str) -> str:
    """The module with another value of a constant."""
    for node in _parsed(text).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if isinstance(targets[0], ast.Name) and targets[0].id == name:
                value = ast.get_source_segment(text, node.value)
                assert value is not None
                lines = text.splitlines(keepends=True)
                start = sum(map(len, lines[: node.value.lineno - 1]))
                # col_offset counts bytes of UTF-8
                start += len(
                    lines[node.value.lineno - 1].encode()[: node.value.col_offset].decode()
                )
                assert text[start : start + len(value)] == value
                return f"{text[:start]}[{value}]{text[start + len(value) :]}"
    raise AssertionError(f"no constant {name}")


@functools.cache
def with_comments(text: str) -> str:
    """The module with a comment above every statement at its top."""
    lines = text.splitlines(keepends=True)
    for node in reversed(_parsed(text).body):
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        lines.insert(first - 1, "# another comment\n")
    return "".join(lines) + "# the end\n"


@functools.cache
def with_docstrings(text: str) -> str:
    """The module with every docstring reworded, those of classes, functions and fields too."""
    found = [
        node.value
        for node in ast.walk(_parsed(text))
        if isinstance(node, ast.Expr) and _is_text(node)
    ]
    lines = text.splitlines(keepends=True)
    for value in sorted(found, key=lambda v: v.lineno, reverse=True):
        assert isinstance(value, ast.Constant) and value.end_lineno is not None
        line = lines[value.lineno - 1]
        indent = line[: len(line) - len(line.lstrip())]
        assert line.lstrip().startswith(('"""', "'''", 'r"""')), line
        lines[value.lineno - 1 : value.end_lineno] = [f'{indent}"""Reworded."""\n']
    return "".join(lines)


@functools.cache
def with_layout(text: str) -> str:
    """The module written anew from its syntax: other quotes, line breaks, no comments."""
    return ast.unparse(_parsed(text)) + "\n"


def _is_text(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
