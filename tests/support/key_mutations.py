"""What can be changed around a step, and what its key must say to it.

Each mutation is derived from the step itself: the function three modules away is found by walking
the imports of that step's module, the package that it does not import is one that is installed and
that nothing of its closure names. So a step that is added to the table is covered by itself.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import json
import sys
import types
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import yaml

import key_sources as sources
from key_tree import KeyTree
from regrow.engine.changes import changes
from regrow.engine.jobs import Flow
from regrow.engine.step import Step
from regrow.params import schema

FAR = 3
"""modules between a step's own and the one whose function is edited, where there are so many"""


class NotAlone(Exception):
    """No value of a section can be changed with all else, instances too, as it was."""


@dataclass
class Mutation:
    """One change, and the part of the key that moves by it."""

    what: str
    """what is changed, for people"""
    part: str = ""
    """the part of the key that moves; "": none does"""
    names: str = ""
    """what `regrow plan` must name"""
    edits: dict[str, bytes] = field(default_factory=dict)
    """file of the copy -> other content"""
    flow: Flow | None = None
    """another table"""
    python: tuple[int, int] | None = None
    """another interpreter"""
    path: str = ""
    """a folder that Python looks into before all others"""


class Mutations:
    """Every kind of mutation for one step; None where the step has nothing of that kind."""

    def __init__(self, tree: KeyTree, step: str) -> None:
        self.tree = tree
        self.step: Step = tree.flow.step(step)
        self.params, self.job = tree.places[step]
        self.source = tree.path / "src"
        self.entry = self.step.function.partition(":")[0]
        self.key, self.parts = tree.look(step)

    def of(self, kind: str) -> Mutation | None:
        """The mutation of one kind."""
        found: Mutation | None = getattr(self, KINDS[kind])()
        return found

    def moves(self, kind: str) -> str:
        """Make the change; returns the parts of the key that moved, `-` where there is nothing to change.

        Raises:
            AssertionError: the key and its parts contradict each other, or the name is wrong.
        """
        mutation = self.of(kind)
        if mutation is None:
            return "-"
        first = [mutation.path] if mutation.path else []
        with (
            self.tree.edited(mutation.edits),
            _interpreter(mutation.python),
            mock.patch.object(sys, "path", [*first, *sys.path]),
        ):
            after, moved = self.tree.look(self.step.name, mutation.flow)
        reasons = changes(self.parts, moved)
        where = f"{self.step.name}, {mutation.what}"
        assert (self.key != after) is bool(reasons), f"{where}: key and its parts disagree"
        if mutation.part:
            told = [r.text for r in reasons]
            assert any(mutation.names in text for text in told), f"{where}: told {told}"
        return ",".join(sorted({r.part for r in reasons}))

    # Inputs

    def input_byte(self) -> Mutation | None:
        """A byte of what the step reads, in each of its inputs at once: one is named."""
        if not self.job.inputs:
            return None
        edits: dict[str, bytes] = {}
        for item in self.job.inputs:
            if item.kind == "source":
                file = self.tree.path / item.path
                if file.is_dir():
                    file = sorted(p for p in file.rglob("*") if p.is_file() and p.stat().st_size)[0]
                edits[str(file.relative_to(self.tree.path))] = _flipped(file.read_bytes())
            else:
                edits |= self._other_record(item.job)
        return Mutation("a byte of every input", "input", self.job.inputs[-1].name, edits)

    def _other_record(self, name: str) -> dict[str, bytes]:
        """The record that a job would leave whose file has another byte."""
        job = self.tree.jobs[self.params][name]
        before = (self.tree.path / job.record).read_bytes()
        content = self.tree.file(job).read_bytes()
        try:
            self.tree.fill(job, _flipped(content))
            self.tree.record(job, json.loads(before)["parts"])
            return {job.record: (self.tree.path / job.record).read_bytes()}
        finally:
            self.tree.fill(job, content)
            (self.tree.path / job.record).write_bytes(before)

    def input_of_another(self) -> Mutation | None:
        """A byte of a source that the step does not read."""
        read = [i.path for i in self.job.inputs if i.kind == "source"]
        for file in ("evals", "sources/teacher", "sources/manifest.yaml"):
            if not any(file.startswith(path) or path.startswith(file) for path in read):
                path = self.tree.path / file
                one = (
                    path if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())[0]
                )
                name = str(one.relative_to(self.tree.path))
                return Mutation(name, edits={name: _flipped(one.read_bytes())})
        return None

    # Params

    def declared_param(self) -> Mutation | None:
        """A value of the last section that the step declares and that can be changed alone."""
        for section in reversed(self.step.params):
            with contextlib.suppress(NotAlone):
                return self._param(section, "params")
        return None

    def undeclared_param(self) -> Mutation | None:
        """A value of the first section that it does not declare."""
        for section in schema.Params.model_fields:
            if section not in (*self.step.params, "stages", "datasets", "fork", "takedown"):
                return self._param(section, "")
        raise AssertionError("a step declares every section")

    def _param(self, section: str, part: str) -> Mutation:
        path, raw = _another_value(self.tree, self.params, section)
        return Mutation(path, part, f"{path}: ", {self.params: yaml.safe_dump(raw).encode()})

    # Code

    @functools.cached_property
    def reached(self) -> dict[str, int]:
        """Modules that the step's own reaches -> distance; models of the params apart."""
        found = sources.distances(self.source, self.entry)
        return {m: n for m, n in found.items() if not m.startswith("regrow.params")}

    def own_function(self) -> Mutation | None:
        """The step's function."""
        return self._function(self.entry, self.step.function.partition(":")[2])

    def far_function(self) -> Mutation | None:
        """A function as far away as `FAR`, or as the step's imports go."""
        for distance in range(FAR, 0, -1):
            for module in sorted(m for m, n in self.reached.items() if n == distance):
                text = self._text(module)
                if names := sources.functions(text):
                    found = self._function(module, names[-1])
                    found.what += f", {distance} away"
                    return found
        return None

    def constant(self) -> Mutation | None:
        """A constant, as far away as there is one."""
        for module in sorted(self.reached, key=lambda m: (-self.reached[m], m)):
            text = self._text(module)
            if names := sources.constants(text):
                name = names[0]
                return self._code(module, sources.with_constant(text, name), f"{module}.{name}")
        return None

    def model_method(self) -> Mutation | None:
        """A method of the model of a section that it declares."""
        for module, entry in self.parts["code"]["modules"].items():
            methods = [n for n in entry["definitions"] if "." in n]
            if module.startswith("regrow.params") and methods:
                return self._function(module, methods[0])
        return None

    def unreached_function(self) -> Mutation | None:
        """A function of a module below the flow that the step does not reach."""
        for path in sorted(self.source.glob("regrow/**/*.py")):
            module = _module(str(path.relative_to(self.source)))
            room = module.split(".")[1] if "." in module else ""
            if module in self.reached or room in (*sources.ABOVE, "params", ""):
                continue
            if names := sources.functions(path.read_text()):
                return self._function(module, names[0], moves=False)
        raise AssertionError("a step reaches every module")

    def comment(self) -> Mutation | None:
        """Comments in every module that it reaches."""
        return self._everywhere("comments", sources.with_comments)

    def docstring(self) -> Mutation | None:
        """Every docstring of every module that it reaches, reworded."""
        return self._everywhere("docstrings", sources.with_docstrings)

    def layout(self) -> Mutation | None:
        """Line breaks, quotes and blank lines of every module that it reaches."""
        return self._everywhere("layout", sources.with_layout)

    def native_source(self) -> Mutation | None:
        """A C source, template or word list of a package that it reaches."""
        names = sorted(self.parts["code"]["native"], key=lambda n: (not n.endswith(".c"), n))
        return self._file(f"src/{names[0]}", "code", names[0]) if names else None

    def unreached_native(self) -> Mutation | None:
        """Such a file that it does not reach."""
        for path in sorted(self.source.glob("regrow/**/*")):
            name = str(path.relative_to(self.source))
            native = path.suffix in (".c", ".h", ".jinja", ".txt", ".yaml", ".js")
            if native and path.is_file() and name not in self.parts["code"]["native"]:
                return self._file(f"src/{name}", "", "")
        return None

    def runner_code(self) -> Mutation | None:
        """A function of each room above the steps."""
        edits = {}
        for module in (
            "regrow.engine.runner",
            "regrow.recipe.table",
            "regrow.evidence.ledger",
            "regrow.ask.audit",
            "regrow.prove.attest.check",
            "regrow.change.fork.create",
            "regrow.publish.report.page",
            "regrow.cli.main",
        ):
            path = sources.path_of(self.source, module)
            assert path is not None
            text = path.read_text()
            name = sources.functions(text)[0]
            edits[self._name(module)] = sources.with_statement(text, name).encode()
        return Mutation("engine, recipe, houses, cli", edits=edits)

    def rule(self) -> Mutation | None:
        """A rule of the workflow, the Snakefile, a page of the documentation."""
        names = ["Snakefile", "workflow/rules/data.smk", "docs/concepts/flow.md"]
        edits = {n: (self.tree.path / n).read_bytes() + b"\n# more\n" for n in names}
        return Mutation("Snakefile, a rule, a page", edits=edits)

    def _text(self, module: str) -> str:
        path = sources.path_of(self.source, module)
        assert path is not None
        return path.read_text(encoding="utf-8")

    def _name(self, module: str) -> str:
        path = sources.path_of(self.source, module)
        assert path is not None
        return str(path.relative_to(self.tree.path))

    def _code(self, module: str, text: str, names: str, moves: bool = True) -> Mutation:
        return Mutation(names, "code" if moves else "", names, {self._name(module): text.encode()})

    def _function(self, module: str, function: str, moves: bool = True) -> Mutation:
        text = sources.with_statement(self._text(module), function)
        return self._code(module, text, f"{module}.{function}", moves)

    def _everywhere(self, what: str, change: Callable[[str], str]) -> Mutation:
        names = {*self.reached, *self.parts["code"]["modules"]}
        edits = {self._name(m): change(self._text(m)).encode() for m in names}
        return Mutation(f"{what} of {len(edits)} modules", edits=edits)

    def _file(self, name: str, part: str, names: str) -> Mutation:
        content = (self.tree.path / name).read_bytes() + b"\n"
        return Mutation(name.removeprefix("src/"), part, names, {name: content})

    # Packages

    def direct_package(self) -> Mutation | None:
        """The version of a package that its modules import."""
        return self._package(self._imported(), "packages")

    def indirect_package(self) -> Mutation | None:
        """The version of a package that only those packages need."""
        mine = set(self.parts["packages"]) - {"python"}
        return self._package(sorted(mine - set(self._imported())), "packages")

    def other_package(self) -> Mutation | None:
        """The version of a pinned package that is not among them."""
        known = self.tree.environment()["versions"]
        return self._package(sorted(set(known) - set(self.parts["packages"])), "")

    def _imported(self) -> list[str]:
        """Distributions of the packages that its modules import, and that its row names."""
        known = self.tree.environment()["modules"]
        found = set(self.step.packages)
        for module in self.reached:
            for name in sources.foreign(self._text(module)):
                found |= set(known.get(name, []))
        return sorted(found & set(self.parts["packages"]))

    def _package(self, names: list[str], part: str) -> Mutation | None:
        if not names:
            return None
        name = names[zlib.crc32(self.step.name.encode()) % len(names)]
        environment = self.tree.environment()
        environment["versions"][name] += ".post1"
        edits = {self.tree.memory: json.dumps(environment).encode()}
        return Mutation(name, part, f"{name}: ", edits)

    def overlaid_package(self) -> Mutation | None:
        """Another version of every package, in an entry of PYTHONPATH."""
        mine = self._imported()
        if not mine:
            return None
        known = self.tree.environment()
        files = {}
        for module, names in known["modules"].items():
            files[f"{module}/__init__.py"] = b""
            for name in names:
                info = f"{name.replace('-', '_')}-0.0.1.dist-info"
                files[f"{info}/METADATA"] = f"Name: {name}\nVersion: 0.0.1\n".encode()
                files[f"{info}/RECORD"] = b""
        return Mutation(
            "an overlay", "packages", f"{mine[0]}: ", path=self.tree.overlay("overlay", files)
        )

    def stray_module(self) -> Mutation | None:
        """A module of no package in place of every package, in an entry of PYTHONPATH."""
        mine = self._imported()
        files = {f"{module}.py": b"" for module in self.tree.environment()["modules"]}
        path = self.tree.overlay("strays", files)
        return Mutation("strays", "packages", f"{mine[0]}: ", path=path) if mine else None

    def stray_standard_module(self) -> Mutation | None:
        """A module in place of one of the standard library's, in an entry of PYTHONPATH."""
        path = self.tree.overlay("random", {"random.py": b""})
        return Mutation("random.py", "packages", "python: ", path=path)

    def unrelated_path(self) -> Mutation | None:
        """An entry of PYTHONPATH with modules of other names, and one that is not there."""
        path = self.tree.overlay("unrelated", {"mine.py": b"", "tools/__init__.py": b""})
        return Mutation("mine.py, tools", path=path)

    def python_version(self) -> Mutation | None:
        """The interpreter's minor version."""
        return Mutation("Python 3.12", "packages", "python: ", python=(3, 12))

    # The row of the table

    def numerics(self) -> Mutation | None:
        """The class of its arithmetic."""
        other = "exact" if self.step.numerics == "fma32" else "fma32"
        return self._row("numerics", other, numerics=other)

    def options(self) -> Mutation | None:
        """An option by which steps that share a function differ."""
        step = self.step

        def more(instance: str | None) -> dict[str, object]:
            return {**step.options_of(instance), "mutated": 1}

        return self._row("options", "mutated", options=more)

    def function_name(self) -> Mutation | None:
        """Another function of the same module."""
        return self._row("code", "function: ", function=f"{self.entry}:other")

    def bookkeeping(self) -> Mutation | None:
        """What the row says of running, not of what is made: leaves, group, resumable."""
        more = {"leaf": (*self.step.leaf, "x"), "resumable": not self.step.resumable}
        return Mutation("leaf, resumable", flow=self.tree.with_step(self.step.name, **more))

    def _row(self, part: str, names: str, **changes: Any) -> Mutation:
        return Mutation(names, part, names, flow=self.tree.with_step(self.step.name, **changes))


KINDS = {
    "input byte": "input_byte",
    "declared param": "declared_param",
    "own function": "own_function",
    "function 3 modules away": "far_function",
    "constant": "constant",
    "method of a params model": "model_method",
    "native source": "native_source",
    "package imported": "direct_package",
    "package that those need": "indirect_package",
    "version from PYTHONPATH": "overlaid_package",
    "stray module for a package": "stray_module",
    "stray module for Python's": "stray_standard_module",
    "Python minor": "python_version",
    "numerics class": "numerics",
    "options": "options",
    "function name": "function_name",
    "source not read": "input_of_another",
    "undeclared param": "undeclared_param",
    "function not reached": "unreached_function",
    "comments": "comment",
    "docstrings": "docstring",
    "layout": "layout",
    "native source not reached": "unreached_native",
    "package not imported": "other_package",
    "PYTHONPATH with other names": "unrelated_path",
    "leaf, resumable": "bookkeeping",
    "engine, recipe, houses, cli": "runner_code",
    "rules, pages": "rule",
}
"""kind of mutation -> the method that derives it; first those that must move the key"""


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _flipped(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


def _interpreter(version: tuple[int, int] | None) -> Any:
    if version is None:
        return mock.patch.dict({}, {})
    other = types.SimpleNamespace(version_info=version, path=sys.path)
    return mock.patch("regrow.engine.environment.sys", other)


_VALUES: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}


def _another_value(tree: KeyTree, params: str, section: str) -> tuple[str, dict[str, Any]]:
    """Path of one value of a section, and the params file with another, valid one, and all else equal."""
    if (params, section) in _VALUES:
        return _VALUES[params, section]
    raw = yaml.safe_load((tree.path / params).read_text())
    before = schema.check(raw, params)
    dumped = before.model_dump(mode="json")
    made = {s.name: s.instances(before) for s in tree.flow.steps if s.instances}
    for path, value in _leaves(dumped[section], (section,)):
        for other in _others(value):
            changed = copy.deepcopy(dumped)
            place: Any = changed
            for name in path[:-1]:
                place = place[name]
            place[path[-1]] = other
            given = {k: v for k, v in changed.items() if v is not None}
            try:
                after = schema.check(given, params)
            except schema.ParamsError:
                continue
            same = {s.name: s.instances(after) for s in tree.flow.steps if s.instances}
            if after.model_dump(mode="json") == changed and same == made:
                _VALUES[params, section] = (".".join(map(str, path)), given)
                return _VALUES[params, section]
    raise NotAlone(section)


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for name, inner in sorted(value.items()):
            yield from _leaves(inner, (*path, name))
    elif isinstance(value, bool | int | float | str):
        yield path, value


def _others(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, str):
        return [value + "x"]
    return [value + 1, value * 2, value / 2]
