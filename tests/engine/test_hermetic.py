"""A closed step sees what its key counts and nothing else: planted violations are caught and named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from landlocked import LANDLOCKED
from regrow.engine import hermetic
from regrow.engine.errors import StepFailed
from regrow.engine.handover import Call
from small_repository import ROOT

SECRET = "secret.txt"

PLANTED = """
import os, socket
from pathlib import Path
__name__ = "regrow.planted"
HERE = Path(__file__).parent.parent

def attempt(call):
    try:
        return call()
    except OSError as error:
        return f"refused: {error.strerror}"

def clean(inputs, params, output, *, instance):
    (output / "made").write_text(inputs["data"].joinpath("rows").read_text() + instance)
    return {"words": params.crawl is not None}

def file(inputs, params, output):
    return attempt(lambda: (HERE / "secret.txt").read_text())

def folder(inputs, params, output):
    return attempt(lambda: os.listdir(HERE / "others"))

def relative(inputs, params, output):
    return attempt(lambda: Path("secret.txt").read_text())

def native(inputs, params, output):
    import polars as pl
    return attempt(lambda: pl.scan_csv(HERE / "others/table.csv").collect().height)

def shell(inputs, params, output):
    return attempt(lambda: os.popen(f"cat {HERE / 'secret.txt'} 2>/dev/null").read())

def variable(inputs, params, output):
    return os.environ.get("PLANTED")

def package(inputs, params, output):
    import tabulate
    return 1

def host(inputs, params, output):
    with socket.socket() as one:
        one.settimeout(0.01)
        return attempt(lambda: one.connect(("192.0.2.1", 9)))

def written(inputs, params, output):
    return attempt(lambda: (HERE / "others/new").write_text("x"))

def dies(inputs, params, output):
    raise ValueError("of its own")
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("code", "others", "data", "output"):
        (tmp_path / name).mkdir()
    (tmp_path / "code/planted.py").write_text(PLANTED)
    (tmp_path / SECRET).write_text("secret")
    (tmp_path / "others/table.csv").write_text("a\n1\n")
    (tmp_path / "data/rows").write_text("rows ")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'code'}:{ROOT / 'src'}")
    monkeypatch.setenv("PLANTED", "1")
    return tmp_path


def call(
    place: Path,
    name: str,
    packages: tuple[str, ...] = ("polars", "polars-runtime-32"),
    **extra: Any,
) -> Any:
    inputs, params = {"data": place / "data"}, ROOT / "tests/params/tiny.yaml"
    one = Call(f"planted:{name}", (), inputs, params, ("crawl",), place / "output", extra)
    return hermetic.call("planted", one, packages)[0]


def test_a_step_that_keeps_to_what_it_declares_is_as_it_was(place: Path):
    assert call(place, "clean", instance="one") == {"words": True}
    assert (place / "output/made").read_text() == "rows one"


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("file", f"file .*/{SECRET}"),
        ("folder", "file .*/others"),
        ("variable", r"environment variable PLANTED \(asked for by regrow\.planted\)"),
        ("package", r"package tabulate \(module tabulate\)"),
        ("host", r"host 192\.0\.2\.1"),
    ],
)
def test_what_a_step_does_not_declare_fails_it_by_name(place: Path, name: str, named: str):
    with pytest.raises(StepFailed, match=named):
        call(place, name)


@LANDLOCKED
@pytest.mark.parametrize("name", ["native", "shell", "relative"])
def test_what_the_audit_hook_does_not_see_is_not_there(place: Path, name: str):
    found = call(place, name)
    assert found == "" or "refused" in found


@LANDLOCKED
def test_a_step_writes_its_output_only(place: Path):
    assert "refused" in call(place, "written")
    assert not (place / "others/new").exists()


def test_a_step_that_fails_says_why(place: Path, capfd: pytest.CaptureFixture[str]):
    with pytest.raises(StepFailed, match="planted failed"):
        call(place, "dies")
    assert "ValueError: of its own" in capfd.readouterr().err
