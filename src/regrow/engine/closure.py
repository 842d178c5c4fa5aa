"""The code that a step can reach: its import closure inside our own packages, as a digest.

Static: imports anywhere in a module count, functions included. What static imports cannot show
(`importlib.import_module` of our modules, `exec`) is forbidden by a test, and after a run the
runner compares the modules that were really loaded with the closure.

Three refinements keep it sharp without making it unsound:

* The models of the params are followed by definition, not by module: a step's key counts
  the methods of its sections' models (the values are in the key anyway) and every definition
  of a params module that its code imports by name.
* Data files and native sources (`*.c`, `*.h`, templates, word lists) of a package count if some
  module of the closure in that package can find out where it is (`__file__`,
  `importlib.resources` ...); otherwise none can open them.
* `if TYPE_CHECKING:` imports do not run, and do not count.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any, TypeGuard

from regrow.engine import files
from regrow.engine.definition import code_digest
from regrow.engine.errors import FlowError
from regrow.engine.fields import fields
from regrow.engine.syntax import Syntax, parse

SECTIONS = "Sections"
"""a class of a module beside the params model: its fields are sections of the params too"""
_VERSION = 5
"""of the cache of parsed modules"""
_NOT_SOURCES = (".py", ".pyc", ".pyi", ".so", ".pyd", ".o", ".a", ".dll", ".md")


class Modules:
    """Parsed modules of our packages; remembers them on disk, by path, size and times, and by content."""

    def __init__(self, cache: Path, packages: Iterable[str], source: Path | None = None) -> None:
        """Begin with what an earlier process parsed.

        Args:
            cache: where that is kept.
            packages: the names of our packages.
            source: the folder in which they are; default: where this process imports them from.

        Raises:
            FlowError: a package is not there.
        """
        self._cache = cache
        self._roots = {name: _root(name, source) for name in packages}
        self._changed = False
        self._parsed: dict[str, Syntax | None] = {}
        self._paths: dict[str, Path | None] = {}
        self._compiled: dict[Path, set[str]] = {}
        self._beside: dict[str, list[str]] = {}
        known = files.read_json(cache)
        fits = (
            isinstance(known, dict)
            and known.get("version") == _VERSION
            and isinstance(known.get("files"), dict)
        )
        self._known: dict[str, Any] = known["files"] if fits else {}
        self._by_content: dict[str, Syntax] | None = None

    def path(self, module: str) -> Path | None:
        """The file of one of our modules; None if it is not ours or not a module."""
        if module not in self._paths:
            self._paths[module] = self._find(module)
        return self._paths[module]

    def _find(self, module: str) -> Path | None:
        top, *rest = module.split(".")
        root = self._roots.get(top)
        if root is None:
            return None
        stem = root.joinpath(*rest)
        for path in (stem / "__init__.py", stem.with_suffix(".py")):
            if path.is_file() and (rest or path.name == "__init__.py"):
                self._no_compiled(path)
                return path
        return None

    def _no_compiled(self, path: Path) -> None:
        """Refuse a compiled module that Python prefers to a source of ours. Raises FlowError."""
        folder = path.parent
        if folder not in self._compiled:
            names = (path.name for path in folder.iterdir())
            self._compiled[folder] = {n for n in names if n.endswith(tuple(EXTENSION_SUFFIXES))}
        for suffix in EXTENSION_SUFFIXES:
            if f"{path.stem}{suffix}" in self._compiled[folder]:
                raise FlowError(
                    f"{folder / path.stem}{suffix} would be imported in place of {path}, and no key counts it. "
                    "Fix: remove it."
                )

    def beside(self, module: str) -> list[str]:
        """The modules of the package of a module, itself and those of packages inside it too; [] at the top of ours."""
        package = package_of(self, module)
        if package not in self._beside:
            init = self.path(package) if package else None
            folder = init.parent if init else Path()
            paths = sorted(folder.rglob("*.py")) if init else []
            names = (path.relative_to(folder).with_suffix("").parts for path in paths)
            self._beside[package] = [
                ".".join((package, *(parts[:-1] if parts[-1] == "__init__" else parts)))
                for parts in names
            ]
        return self._beside[package]

    def ours(self, module: str) -> bool:
        """Whether a dotted name is in one of our packages."""
        return module.split(".")[0] in self._roots

    def syntax(self, module: str) -> Syntax | None:
        """The parsed module, None if there is none. Raises FlowError if it is not Python."""
        if module not in self._parsed:
            path = self.path(module)
            self._parsed[module] = None if path is None else self._read(module, path)
        return self._parsed[module]

    def _read(self, module: str, path: Path) -> Syntax:
        stat = path.stat()
        mark = [module, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
        known = self._known.get(str(path))
        if _fits(known) and known[0] == mark:
            syntax: Syntax = known[2]
            return syntax
        content = path.read_bytes()
        digest = hashlib.sha256(f"{module} {path.name}\n".encode() + content).hexdigest()
        try:
            found = self._same(digest) or parse(content, module, path.name == "__init__.py")
        except (SyntaxError, ValueError) as error:
            raise FlowError(
                f"{path}: not Python: {error}. The steps that import it have no key."
            ) from None
        if files.settled(stat):
            self._known[str(path)] = [mark, digest, found]
            self._changed = True
        return found

    def _same(self, digest: str) -> Syntax | None:
        """What was parsed of the same content elsewhere: in a copy of the repository, before a switch of branches."""
        if self._by_content is None:
            self._by_content = {one[1]: one[2] for one in self._known.values() if _fits(one)}
        return self._by_content.get(digest)

    def save(self) -> None:
        """Write what was newly parsed; two processes may do so at once, the last one wins."""
        if self._changed:
            content = {"version": _VERSION, "files": self._known}
            files.note(self._cache, json.dumps(content, separators=(",", ":")).encode())
            self._changed = False


def _fits(known: Any) -> TypeGuard[list[Any]]:
    """Whether a memory of a module has its form: mark of the file, digest of its content, syntax."""
    return isinstance(known, list) and len(known) == 3 and isinstance(known[1], str)


def _root(package: str, source: Path | None) -> Path:
    if source is not None and (source / package / "__init__.py").is_file():
        return source / package
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FlowError(
            f"package `{package}` is not importable here. Fix: pip install --editable ."
        )
    return Path(next(iter(spec.submodule_search_locations)))


@dataclass
class Closure:
    """What a function reaches."""

    modules: dict[str, dict[str, Any]] = field(default_factory=dict)
    """module -> digest and digests of its definitions (of a params module: those reached)"""
    native: dict[str, str] = field(default_factory=dict)
    """data file or native source, `package/file` -> SHA-256"""
    imports: set[str] = field(default_factory=set)
    """top-level names of third-party and standard modules that it imports"""

    def digest(self) -> str:
        """SHA-256 over module digests and native files."""
        return code_digest(self.modules, self.native)


def closure(
    modules: Modules,
    entry: str,
    params_root: str = "",
    sections: Iterable[str] = (),
    *,
    beside: Iterable[str] = (),
) -> Closure:
    """The closure of module `entry`, and of those `beside` it.

    Args:
        modules: parsed modules.
        entry: dotted name of the module.
        params_root: "module:class" of the params model; its package is followed by definition.
        sections: fields of that model that the step declares.
        beside: further modules, whose closures are joined to it.

    Raises:
        FlowError: `entry` is not there, or a reached module is not Python.
    """
    root_module, _, root_class = params_root.partition(":")
    declarative = package_of(modules, root_module)
    found = Closure()
    reached: dict[str, set[tuple[str, bool]]] = {}
    queue = [*beside, entry]
    seen: set[str] = set()
    if modules.path(entry) is None:
        raise FlowError(
            f"no module `{entry}` (the step's function lives there by the table of steps)."
        )
    while queue:
        name = queue.pop()
        if name in seen or modules.path(name) is None:
            continue
        seen.add(name)
        syntax = modules.syntax(name)
        assert syntax is not None
        found.modules[name] = {"digest": syntax["digest"], "definitions": syntax["definitions"]}
        queue.extend(_parents(name))
        for target, item in syntax["imports"]:
            whole = f"{target}.{item}" if item else target
            if not modules.ours(target):
                found.imports.add(target.split(".")[0])
            elif declarative and _inside(target, declarative) and modules.path(whole) is None:
                _reach(modules, reached, target, item, True)
            else:
                queue.extend([target, whole])
    for section in sections:
        _section(modules, reached, root_module, root_class, section)
    for name, definitions in reached.items():
        if name not in found.modules and (partial := _partial(modules, name, definitions)):
            found.modules[name] = partial
    found.native = _native(modules, seen)
    return found


def package_of(modules: Modules, module: str) -> str:
    """The package that a module is in, "" where that is none but the topmost of ours."""
    path = modules.path(module) if module else None
    if path is None:
        return ""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return package if "." in package else ""


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:n]) for n in range(1, len(parts))]


def _inside(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def _reach(
    modules: Modules,
    reached: dict[str, set[tuple[str, bool]]],
    module: str,
    name: str,
    values: bool,
) -> None:
    """Note definition `name` of a params module and what it mentions.

    values: whether fields and defaults count (False: the dumped values stand for them).
    """
    syntax = modules.syntax(module)
    if syntax is None:
        return
    noted = reached.setdefault(module, set())
    if (name, values) in noted:
        return
    if name in syntax["uses"]:
        noted.add((name, values))
        for other in syntax["uses"][name]:
            _reach(modules, reached, module, other, values)
        return
    for target, item in syntax["imports"]:
        if item == name and modules.ours(target):
            _reach(modules, reached, target, item, values)


def _section(
    modules: Modules, reached: dict[str, set[tuple[str, bool]]], module: str, cls: str, section: str
) -> None:
    """Reach the models that the field `section` of the params model names.

    The model may take in the fields of classes `Sections` of its package, which no syntax of its own shows.
    """
    if modules.path(module) is None:
        raise FlowError(f"no module `{module}` (the params model).")
    says = [(module, cls), *((name, SECTIONS) for name in modules.beside(module))]
    for name, holder in says:
        path, syntax = modules.path(name), modules.syntax(name)
        if path is not None and syntax is not None and holder in syntax["classes"]:
            for model in fields(path, holder).get(section, []):
                _reach(modules, reached, name, model, False)


def _partial(modules: Modules, name: str, reached: set[tuple[str, bool]]) -> dict[str, Any]:
    syntax = modules.syntax(name)
    assert syntax is not None
    wholly = {item for item, values in reached if values}
    definitions = {}
    for definition, digest in syntax["definitions"].items():
        top, _, method = definition.partition(".")
        # Fields and defaults of a model stand in the params; what its methods call or name does not.
        by_method = (top, False) in reached and (method or top not in syntax["classes"])
        if top in wholly or by_method:
            definitions[definition] = digest
    if not definitions:
        return {}
    text = "\n".join(f"{k} {v}" for k, v in sorted(definitions.items()))
    return {"digest": hashlib.sha256(text.encode()).hexdigest(), "definitions": definitions}


def _native(modules: Modules, names: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    packages = set()
    for name in names:
        syntax = modules.syntax(name)
        path = modules.path(name)
        if syntax is not None and path is not None and syntax["files"]:
            packages.add(name if path.name == "__init__.py" else name.rpartition(".")[0])
    for package in sorted(packages):
        init = modules.path(package)
        if init is not None:
            for path in _data_files(init.parent):
                label = f"{package.replace('.', '/')}/{path.relative_to(init.parent).as_posix()}"
                found[label] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _data_files(folder: Path) -> list[Path]:
    """Files below a package's folder that are no Python, no build product and no sub-package's."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "__pycache__", "_native")) or path.name == "py.typed":
            continue
        if path.is_dir():
            if not (path / "__init__.py").exists():
                found += _data_files(path)
        elif path.suffix not in _NOT_SOURCES:
            found.append(path)
    return found
