"""The version is written once, in `regrow.version.VERSION`, and everything that states it reads it there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from setuptools.config.pyprojecttoml import read_configuration

from regrow.cli.main import main
from regrow.version import VERSION

ROOT = Path(__file__).parents[1]
PACKAGE = ast.parse((ROOT / "src/regrow/__init__.py").read_text(encoding="utf-8"))


def test_the_package_takes_it_from_there():
    project = read_configuration(ROOT / "pyproject.toml", expand=False)["project"]
    assert "version" not in project and project["dynamic"] == ["version"]
    assert read_configuration(ROOT / "pyproject.toml")["project"]["version"] == VERSION


def test_the_command_says_it(capsys: pytest.CaptureFixture[str]):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"regrow {VERSION}\n"


def test_the_package_is_typed_and_ships_its_marker():
    assert (ROOT / "src/regrow/py.typed").is_file()
    tool = read_configuration(ROOT / "pyproject.toml", expand=False)["tool"]["setuptools"]
    assert "py.typed" in tool["package-data"]["regrow"]


def test_the_citation_states_none_that_could_grow_old():
    keys = [line.partition(":")[0] for line in (ROOT / "CITATION.cff").read_text().splitlines()]
    assert "title" in keys and not {"version", "date-released"} & set(keys)


def test_no_key_counts_it():
    """Every step's closure holds `regrow` itself, and none the module of the version."""
    assert ast.get_docstring(PACKAGE) and len(PACKAGE.body) == 1
    importers = {
        path.relative_to(ROOT / "src/regrow").parts[0]
        for path in (ROOT / "src/regrow").rglob("*.py")
        if "regrow.version" in path.read_text(encoding="utf-8")
    }
    assert importers <= {"cli", "prove"}
