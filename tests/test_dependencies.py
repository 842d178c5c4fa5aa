"""Every declared dependency imports: `pip check` says nothing about that."""

import importlib.metadata
import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DECLARED = [
    re.split(r"[=<>\[ ]", requirement)[0]
    for requirement in [
        *PROJECT["dependencies"],
        *PROJECT["optional-dependencies"]["dev"],
        *PROJECT["optional-dependencies"]["s3"],
        *PROJECT["optional-dependencies"]["ssh"],
    ]
]
PINS = dict(
    line.strip().lower().replace("_", "-").split("==")
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if "==" in line
)
# Distributions without a module of their own.
NO_MODULE = {"types-pyyaml"}


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def test_every_dependency_imports_in_one_process():
    modules = importlib.metadata.packages_distributions()
    names = []
    for name in map(_normal, DECLARED):
        if name in NO_MODULE:
            continue
        found = [m for m, dists in modules.items() if name in map(_normal, dists)]
        found = [m for m in found if re.fullmatch(r"[a-z][a-z0-9_]*", m) and m != "tests"]
        assert found, f"{name} is declared but not installed"
        names.append(found[0])
    code = "import " + ", ".join(names)
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="/")
    assert result.returncode == 0, result.stderr[-2000:]


@pytest.mark.parametrize("name", DECLARED)
def test_every_dependency_is_pinned_and_installed_at_its_pin(name):
    pin = PINS.get(_normal(name))
    assert pin, f"{name} has no exact pin in constraints.txt"
    installed = importlib.metadata.version(name).split("+")[0]
    assert installed == pin.split("+")[0]


@pytest.mark.parametrize("executor", ["slurm", "kubernetes"])
def test_executors_beside_the_environment_are_pinned_and_hide_none_of_its_modules(executor: str):
    """They stand before it on PYTHONPATH, in the jobs too: a module of theirs must not be one that a key names."""
    beside = Path(sys.prefix) / "executors" / executor
    pins = (ROOT / f"workflow/executors/{executor}.txt").read_text().splitlines()
    wanted = {_normal(line) for line in pins if not line.startswith("#")}
    found = list(importlib.metadata.distributions(path=[str(beside)]))
    assert {_normal(f"{d.metadata['Name']}=={d.version}") for d in found} == wanted
    assert not {_normal(d.metadata["Name"]) for d in found} & PINS.keys()
    modules = {path.name for path in beside.iterdir() if (path / "__init__.py").exists()}
    modules |= {path.name for path in beside.glob("*.py")}
    here = Path(importlib.util.find_spec("snakemake").origin).parents[1]
    assert modules and not [name for name in modules if (here / name).exists()]
