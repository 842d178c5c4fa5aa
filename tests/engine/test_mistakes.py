"""A user's mistake is a message with exit status 2, in whichever process its step runs; a defect has its traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from regrow.engine import loading, mistakes, warm
from regrow.engine.errors import StepFailed
from regrow.recipe import table
from small_repository import Repository

PROCESSES = {
    "plain": "regrow.cli.main",
    "hermetic": "regrow.engine.hermetic_child",
    "warm": "regrow.engine.warm_server",
}
"""how a step is called -> what its process runs"""
HEAD = """
import sys
from regrow.data.crawl import manifest
from regrow.params.schema import ParamsError

class Steeper(FloatingPointError):
    pass

class Other:
    class ParamsError(Exception):
        pass
"""
BODY = '    print("called in", sys.modules["__main__"].__spec__.name, file=sys.stderr)\n    '


@pytest.fixture(params=PROCESSES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def toy(repository: Repository, mode: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """The toy, whose step `mix` can be called in all three ways."""
    repository.env |= repository.toy_table()
    names = '"regrow.data.crawl.manifest.ManifestError", "builtins.FloatingPointError"'
    repository.edit("src/toy/table.py", "mistakes = (", f"mistakes = ({names}, ")
    step = 'function="toy.mix:run",'
    repository.edit("src/toy/table.py", step, f'{step} packages=("torch",), idle=("torch",),')
    if mode != "warm":
        yield repository
        return
    for name in ("PYTHONPATH", "REGROW_TABLE"):
        monkeypatch.setenv(name, repository.env[name])
    monkeypatch.setenv(warm.VARIABLE, "1")
    server = warm.Server()
    repository.env[warm.VARIABLE] = os.environ[warm.VARIABLE]
    yield repository
    server.close()


def mix(toy: Repository, mode: str, body: str) -> subprocess.CompletedProcess[str]:
    toy.edit("src/toy/mix.py", "def run", f"{HEAD}\n\ndef run")
    toy.edit("src/toy/mix.py", "    lines = []\n", f"{BODY}{body}\n    lines = []\n")
    more = ["--hermetic"] if mode == "hermetic" else []
    done = toy.run(sys.executable, "-m", "regrow.cli.main", "run", "mix", *more, check=False)
    assert f"called in {PROCESSES[mode]}" in done.stderr
    return done


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('raise ParamsError("mix.lines: 0 is too few")', "mix.lines: 0 is too few"),
        ('manifest.load(output / "hosts.yaml")', "hosts.yaml: cannot be read"),
        ('raise Steeper("lower the rate")', "lower the rate"),
    ],
)
def test_a_mistake_is_a_message(toy: Repository, mode: str, body: str, message: str) -> None:
    done = mix(toy, mode, body)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert "failed" not in done.stderr
    assert toy.outcomes() == {"failed": ["mix"]}


@pytest.mark.parametrize("error", ["ValueError", "Other.ParamsError"])
def test_a_defect_shows_where_it_is(toy: Repository, mode: str, error: str) -> None:
    done = mix(toy, mode, f'raise {error}("odd line 7")')
    assert done.returncode == 1
    assert f'raise {error}("odd line 7")' in done.stderr.split("Traceback", 1)[1]


def test_the_names_of_the_table_are_exceptions() -> None:
    for name in table.mistakes:
        module, _, kind = name.rpartition(".")
        found = loading.function(f"{module}:{kind}", ())
        assert issubclass(found, Exception)
        assert mistakes.status(found("said")) == 2, name
    assert mistakes.status(StepFailed("said", 5)) == 5
    assert mistakes.status(ValueError("said")) is None


def test_without_a_table_only_the_engines_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_TABLE", "nobody.has.this")
    assert mistakes.status(FloatingPointError("said")) is None
    assert mistakes.status(StepFailed("said")) == 1
