"""The import closure: what a step's key sees of the code."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from importlib.util import cache_from_source
from pathlib import Path

import pytest

import default_flow
import forked_imports
from forked_imports import Importer
from key_sources import ABOVE
from regrow.engine import syntax
from regrow.engine.closure import Closure, Modules, closure
from regrow.engine.errors import FlowError
from regrow.engine.syntax import Syntax

ROOT = Path(__file__).resolve().parents[2]
FLOW = default_flow.flow()
STEPS = {step.name: step for step in FLOW.steps}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "demopkg"
    for name, text in {
        "__init__.py": "",
        "step.py": "from demopkg.near import f\nfrom demopkg.params.schema import One\n",
        "near.py": "import numpy\nfrom demopkg import far\n",
        "far.py": "X = 1\n",
        "lonely.py": "Y = 1\n",
        "words/__init__.py": "import pathlib\nHERE = pathlib.Path(__file__).parent\n",
        "words/list.txt": "a\nb\n",
        "words/native/k.c": "int x;\n",
        "words/_native/k.so": "built",
        "params/__init__.py": "",
        "params/base.py": "class Block:\n    pass\n",
        "params/schema.py": (
            "from demopkg.params.base import Block\n"
            "class One(Block):\n    a: int = 1\n    def m(self): return helper()\n"
            "class Two(Block):\n    b: int = 1\n    def n(self): return 2\n"
            "def helper(): return 3\n"
            "class Params(Block):\n    one: One = One()\n    two: Two = Two()\n"
        ),
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def reach(package: Path, *sections: str) -> Closure:
    modules = Modules(package.parent / "cache.json", ["demopkg"])
    found = closure(modules, "demopkg.step", "demopkg.params.schema:Params", sections)
    modules.save()
    return found


def test_reaches_imports_and_parents_and_no_more(package: Path):
    found = reach(package)
    assert set(found.modules) == {
        "demopkg", "demopkg.step", "demopkg.near", "demopkg.far",
        "demopkg.params.schema", "demopkg.params.base",
    }  # fmt: skip
    assert found.imports == {"numpy"}


@pytest.mark.parametrize(
    ("path", "old", "new", "changes"),
    [
        ("far.py", "X = 1", "X = 2", True),
        ("far.py", "X = 1", "X = 1  # x", False),
        ("lonely.py", "Y = 1", "Y = 2", False),
        ("words/list.txt", "a", "c", False),  # no module of that package is reached
        (
            "params/schema.py",
            "class Two(Block):\n    b: int = 1",
            "class Two(Block):\n    b: int = 2",
            False,
        ),
        ("params/schema.py", "return 2", "return 4", False),
        ("params/schema.py", "return 3", "return 4", True),  # helper, through One.m
        ("params/schema.py", "a: int = 1", "a: int = 2", True),  # One is imported by name
    ],
)
def test_what_changes_the_digest(package: Path, path: str, old: str, new: str, changes: bool):
    before = reach(package).digest()
    file = package / path
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    assert (reach(package).digest() != before) is changes


def test_of_a_section_the_methods_count_and_the_values_do_not(package: Path):
    before = reach(package, "two").digest()
    file = package / "params/schema.py"
    file.write_text(file.read_text().replace("b: int = 1", "b: int = 2"))
    assert reach(package, "two").digest() == before
    file.write_text(file.read_text().replace("return 2", "return 5"))
    assert reach(package, "two").digest() != before


@pytest.mark.parametrize(("old", "new"), [("return 3", "return 4"), ("LIMIT = 5", "LIMIT = 6")])
def test_of_a_section_what_its_methods_call_counts(package: Path, old: str, new: str):
    """Nothing else imports the model: its section alone leads to the function and the constant."""
    (package / "step.py").write_text("def run(): pass\n")
    file = package / "params/schema.py"
    text = file.read_text().replace("return helper()", "return helper() + LIMIT") + "LIMIT = 5\n"
    file.write_text(text)
    before = reach(package, "one").digest()
    assert old in text
    file.write_text(text.replace(old, new))
    assert reach(package, "one").digest() != before


def test_a_section_may_be_in_a_class_of_sections_beside_the_params_model(package: Path):
    (package / "step.py").write_text("def run(): pass\n")
    file = package / "params/kinds/three.py"
    file.parent.mkdir()
    (file.parent / "__init__.py").touch()
    text = (
        "class Three:\n    c: int = 1\n    def n(self): return 2\n"
        "class Entry:\n    def n(self): return 6\n"
        "class Sections:\n    three: Three = Three()\n"
    )
    file.write_text(text)
    before = reach(package, "three").digest()
    for old, new, moves in (("return 2", "return 5", True), ("return 6", "return 7", False)):
        file.write_text(text.replace(old, new))
        assert (reach(package, "three").digest() != before) is moves, old
        assert "demopkg.params.kinds.three" not in reach(package, "one").modules


def test_data_and_native_files_count_where_a_module_can_find_them(package: Path):
    (package / "far.py").write_text("from demopkg import words\n")
    first = reach(package)
    assert set(first.native) == {"demopkg/words/list.txt", "demopkg/words/native/k.c"}
    (package / "words/native/k.c").write_text("int y;\n")
    second = reach(package)
    assert second.digest() != first.digest()
    (package / "words/_native/k.so").write_text("built anew")
    assert reach(package).digest() == second.digest()


def test_the_memory_of_parsed_modules_is_used_and_not_trusted_blindly(package: Path):
    first = reach(package).digest()
    (package / "far.py").write_text("X = 2\n")
    assert reach(package).digest() != first
    (package.parent / "cache.json").write_text("{broken")
    assert reach(package).digest() != first


def test_the_memory_serves_a_copy_and_no_other_content(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A copied repository brings the memory along: paths and times are others, contents are not."""
    monkeypatch.setattr("regrow.engine.files.settled", lambda stat: True)  # and not a tick old
    before = reach(package).digest()
    there = Path(shutil.copytree(package, tmp_path / "copy/demopkg"))
    (there / "far.py").write_text("X = 3\n")
    shutil.copy(tmp_path / "cache.json", tmp_path / "copy")
    parsed: list[str] = []

    def parse(content: bytes, module: str, package: bool) -> Syntax:
        parsed.append(module)
        return syntax.parse(content, module, package)

    monkeypatch.setattr("regrow.engine.closure.parse", parse)
    modules = Modules(there.parent / "cache.json", ["demopkg"], there.parent)
    found = closure(modules, "demopkg.step", "demopkg.params.schema:Params", ())
    assert parsed == ["demopkg.far"] and found.digest() != before


def test_a_broken_module_is_a_message(package: Path):
    (package / "far.py").write_text("def (:\n")
    with pytest.raises(FlowError, match=r"far\.py: not Python"):
        reach(package)


@pytest.fixture(scope="module")
def importer() -> Iterator[Importer]:
    with forked_imports.importer() as made:
        yield made


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Modules:
    """Our own code, of which nothing changes here: each module is parsed once."""
    return Modules(tmp_path_factory.mktemp("modules") / "cache.json", FLOW.packages)


def _lay(path: Path, target: Path) -> None:
    """Copy a module, and its bytecode, which Python believes by the size and time of the source."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, target)
    compiled = Path(cache_from_source(str(path)))
    if compiled.exists():
        (target.parent / "__pycache__").mkdir(exist_ok=True)
        shutil.copy2(compiled, target.parent / "__pycache__")


@pytest.mark.parametrize("name", STEPS)
def test_every_step_imports_with_nothing_but_its_closure(
    name: str, tmp_path: Path, importer: Importer, modules: Modules
):
    """Hermetic: a folder with the closure's files only; the params' models come along whole."""
    step = STEPS[name]
    found = closure(modules, step.function.partition(":")[0], FLOW.params_root, step.params)
    source = tmp_path / "src"
    names = set(found.modules) | set(modules.beside("regrow.params.base"))
    for one in names:
        path = modules.path(one)
        if path is not None:
            _lay(path, source / path.relative_to(ROOT / "src"))
    assert importer.load(source, step.function).failed == ""


def test_no_step_reaches_the_runner(modules: Modules):
    for step in FLOW.steps:
        found = closure(modules, step.function.partition(":")[0], FLOW.params_root, step.params)
        strange = [
            m for m in found.modules if m.startswith(tuple(f"regrow.{room}" for room in ABOVE))
        ]
        assert strange == [], step.name
        assert not DYNAMIC & set(found.modules), step.name


DYNAMIC = {"regrow.params.registry", "regrow.params.source_kinds", "regrow.data.sources.reader"}
"""the modules below the flow that import what they find in a folder; no step reaches them"""
FORBIDDEN = {"exec", "eval", "__import__", "import_module", "run_path", "run_module"}


@pytest.mark.parametrize(
    "path",
    [
        p
        for p in sorted(ROOT.glob("src/regrow/**/*.py"))
        if p.relative_to(ROOT / "src/regrow").parts[0] not in ABOVE
        and ".".join(p.relative_to(ROOT / "src").with_suffix("").parts) not in DYNAMIC
    ],
    ids=lambda p: str(p.relative_to(ROOT / "src")),
)
def test_below_the_flow_nothing_imports_dynamically(path: Path):
    """What static imports do not show, a key would not see."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
            # model.eval() and regex-free attribute calls without arguments are torch's, not Python's
            harmless = name == "eval" and not node.args
            assert name not in FORBIDDEN or harmless, f"{path}:{node.lineno} calls {name}"
