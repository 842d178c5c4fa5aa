"""Every declared dependency imports: `pip check` says nothing about that."""

import importlib.metadata
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
