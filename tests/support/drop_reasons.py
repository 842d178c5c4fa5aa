"""The reasons of drops that the data steps can write, read from their source code."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import regrow

PACKAGES = (
    *(
        f"data/{n}"
        for n in ("tables", "text", "pdf", "web", "sources", "filters", "dedup", "mix", "takedown")
    ),
    "learn/tasks",
    "learn/rl",
)
HOLE = "*"
"""what stands for a part that is known only at run time"""
OF_TUPLES = "learn/tasks/sft/filters.py"
"""its answers are tuples that begin with the reason"""
_NOT_OF_DROPS = (
    "learn/rl/table.py", "learn/rl/groups.py", "learn/rl/rlvr.py", "data/sources/unpack.py",
)  # fmt: skip
"""their `reason` is why a rollout was not fully rewarded, or a member of a package not unpacked"""


def in_source() -> dict[str, set[str]]:
    """Reason (or a pattern with `HOLE`) -> modules that name it."""
    root = Path(regrow.__file__).parent
    paths = [path for name in PACKAGES for path in sorted((root / name).rglob("*.py"))]
    trees = {
        name: ast.parse(path.read_text(encoding="utf-8"))
        for path in paths
        if (name := path.relative_to(root).as_posix()) not in _NOT_OF_DROPS
    }
    public = _takers(trees.values())
    found: dict[str, set[str]] = defaultdict(set)
    for name, tree in trees.items():
        # A private name is its module's own.
        takers = {k: v for k, v in public.items() if not k.startswith("_")} | _takers([tree])
        values = [*_values(tree, takers), *(_firsts(tree) if name == OF_TUPLES else [])]
        for value in values:
            for reason in _strings(value):
                found[reason].add(name)
    return dict(found)


def _takers(trees: Iterable[ast.AST]) -> dict[str, set[int]]:
    """Functions and classes that are given a reason, and at which place (that of `self` not counted)."""
    found: dict[str, set[int]] = defaultdict(set)
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                names = [one.arg for one in node.args.args if one.arg != "self"]
                if "reason" in names and node.name != "__init__":
                    found[node.name].add(names.index("reason"))
            elif isinstance(node, ast.ClassDef):
                names = [
                    one.target.id
                    for one in node.body
                    if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
                ]
                for one in node.body:
                    if isinstance(one, ast.FunctionDef) and one.name == "__init__":
                        names = [arg.arg for arg in one.args.args[1:]]
                if "reason" in names:
                    found[node.name].add(names.index("reason"))
    return found


def _values(tree: ast.AST, takers: dict[str, set[int]]) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "reason":
                    yield value
        elif isinstance(node, ast.Assign) and any(
            isinstance(one, ast.Name) and one.id in ("reason", "REASON") for one in node.targets
        ):
            yield node.value
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
            for place in takers.get(name, ()):
                if place < len(node.args):
                    yield node.args[place]
            yield from (one.value for one in node.keywords if one.arg == "reason")
            if name == "NoPair":
                yield from node.args
        elif isinstance(node, ast.Compare) and getattr(node.left, "attr", "") == "role":
            # What a page was fetched for is the reason of its drop.
            yield from (one for many in node.comparators for one in getattr(many, "elts", ()))


def _firsts(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple) and len(node.elts) > 2:
            yield node.elts[0]


def _strings(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from _strings(value.body)
        yield from _strings(value.orelse)
    elif isinstance(
        value, ast.Call
    ):  # an expression of Polars: pl.when(...).then(pl.lit("reason"))
        for call in ast.walk(value):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "lit":
                yield from _strings(call.args[0])
    elif isinstance(value, ast.JoinedStr):
        yield "".join(
            str(part.value) if isinstance(part, ast.Constant) else HOLE for part in value.values
        )
