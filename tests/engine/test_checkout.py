"""Two checkouts, one environment: the code of the folder in which a command is called answers."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from regrow.engine import checkout
from regrow.engine.errors import FlowError
from small_repository import BIN, ROOT, Repository

MAIN = (
    '"""The other checkout."""\n'
    "import os, sys\n"
    "from regrow.engine import checkout\n"
    "def main():\n"
    "    checkout.enter(sys.argv[1:])\n"
    "    print('other', sys.argv[1:], os.environ.get('REGROW_CHECKOUT'))\n"
    "    return 3\n"
    "if __name__ == '__main__':\n"
    "    raise SystemExit(main())\n"
)


def second(path: Path) -> Path:
    """A checkout whose `regrow` says so."""
    for name in ("engine", "cli"):
        (path / "src/regrow" / name).mkdir(parents=True)
        (path / "src/regrow" / name / "__init__.py").write_text("")
    (path / "src/regrow/__init__.py").write_text("")
    for name in ("checkout", "errors"):
        shutil.copy(ROOT / f"src/regrow/engine/{name}.py", path / "src/regrow/engine")
    (path / "src/regrow/cli/main.py").write_text(MAIN)
    (path / "Snakefile").write_text("")
    (path / "data/deep").mkdir(parents=True)
    return path


def call(folder: Path, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Call it as a user would whose environment has the first checkout installed."""
    environment = {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(folder), **env}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("below", ["", "data/deep"])
@pytest.mark.parametrize("how", ["program", "module", "pythonpath"])
def test_the_code_of_the_folder_answers(tmp_path: Path, below: str, how: str):
    folder = second(tmp_path / "B") / below
    program = (
        [str(BIN / "regrow")] if how == "program" else [sys.executable, "-m", "regrow.cli.main"]
    )
    env = {"PYTHONPATH": str(ROOT / "src")} if how == "pythonpath" else {}
    done = call(folder, *program, "plan", "--json", "a b", **env)
    assert (done.stdout, done.returncode) == ("other ['plan', '--json', 'a b'] None\n", 3)


def test_a_link_to_the_same_checkout_is_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "Snakefile").write_text("")
    (tmp_path / "src").symlink_to(ROOT / "src")
    monkeypatch.chdir(tmp_path)
    checkout.enter(["plan"])  # comes back: nothing is started
    assert checkout.runs(tmp_path)
    assert checkout.runs(ROOT)


def test_code_that_cannot_be_imported_is_a_message_and_no_endless_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(second(tmp_path / "B"))
    monkeypatch.setenv("REGROW_CHECKOUT", "once")
    with pytest.raises(FlowError, match="cannot be imported"):
        checkout.enter(["plan"])


def test_a_colon_in_the_path_is_refused_where_other_code_would_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    done = call(second(tmp_path / "co:lon"), str(BIN / "regrow"), "plan")
    assert done.returncode == 1
    assert done.stderr.startswith("regrow plan: the path ")
    assert "has a `:` in it" in done.stderr and "Fix: move" in done.stderr


def test_snakemake_refuses_a_colon_in_the_path_at_the_start(built: Repository, tmp_path: Path):
    repository = built.clone(tmp_path / "co:lon")
    done = repository.snakemake(check=False)
    assert done.returncode != 0
    assert "has a `:` in it" in done.stderr
    assert repository.outcomes() == {}


def test_no_module_of_the_current_folder_is_imported(tmp_path: Path):
    """A stray `yaml.py` there would run in a job that is started here, and in no other."""
    (tmp_path / "yaml.py").write_text("raise SystemExit('stray')\n")
    (tmp_path / "Snakefile").write_text("")
    for program in ([str(BIN / "regrow")], [sys.executable, "-m", "regrow.cli.main"]):
        done = call(tmp_path, *program, "schema")
        assert done.returncode == 0, done.stderr
        assert "stray" not in done.stderr
