"""`dvc` in the environment: DVC's own, but for a pull of everything from the store that git carries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dvc.cli
import pytest
from dvc.utils import strictyaml
from dvc_objects.fs.local import LocalFileSystem

from regrow.cli.dvc import main
from regrow.evidence.ledger import Ledger
from regrow.publish.hub import store

PUBLISHED = (
    "[core]\n    remote = published\n['remote \"published\"']\n    url = ../published/store\n"
)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What DVC is called with; it always succeeds."""
    made: list[list[str]] = []
    monkeypatch.setattr(dvc.cli, "main", lambda argv: made.append(list(argv)) or 0)
    return made


@pytest.fixture
def repository(tree: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tree / ".dvc").mkdir(exist_ok=True)
    (tree / ".dvc" / "config").write_text(PUBLISHED)
    monkeypatch.chdir(tree)
    return tree


@pytest.mark.parametrize(
    "options", [[], ["-r", "published"], ["--remote=published"], ["-j", "2", "--force"]]
)
def test_a_pull_of_everything_from_the_store_says_what_came_and_what_builds_the_rest(
    repository: Path,
    calls: list[list[str]],
    capsys: pytest.CaptureFixture[str],
    options: list[str],
) -> None:
    assert main(["pull", *options]) == 0
    (call,) = calls
    assert call[: len(options) + 2] == ["pull", *options, "--quiet"]
    named = call[len(options) + 2 :]
    assert "data/release/rlvr-000004" in named and "data/decontaminate/train.parquet" in named
    said = capsys.readouterr().err.strip()
    assert said.count("\n") == 0 and "`snakemake --cores all`" in said
    ledger = Ledger.load(repository)
    whole = sum(len(names) == len(record.files) for record, names in store.chosen(ledger))
    assert said.startswith(f"{whole} of {len(ledger.records)} artifacts")
    assert "data/release/rlvr-000004" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["pull", "data/release/rlvr-000004"],
        ["pull", "-r", "mine"],
        ["pull", "--remote=mine"],
        ["pull", "--help"],
        ["pull", "--allow-missing"],
        ["pull", "--all-commits"],
        ["push"],
        ["status"],
        ["--version"],
        [],
    ],
)
def test_everything_else_is_dvcs_own(
    repository: Path, calls: list[list[str]], arguments: list[str]
) -> None:
    main(arguments)
    assert calls == [arguments]


def test_a_remote_of_ones_own_is_pulled_as_dvc_does(
    repository: Path, calls: list[list[str]]
) -> None:
    (repository / ".dvc" / "config.local").write_text("[core]\n    remote = mine\n")
    main(["pull"])
    assert calls == [["pull"]]


def test_a_pull_that_fails_says_nothing_of_success(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dvc.cli, "main", lambda argv: 255)
    assert main(["pull"]) == 255
    assert capsys.readouterr().err == ""


def test_a_file_is_parsed_again_only_when_its_text_has_changed(
    repository: Path, calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what one reader changes in memory is not what the next one gets."""
    parsed: list[str] = []

    def load(path: str, schema: Any = None, fs: Any = None) -> tuple[Any, str]:
        parsed.append(path)
        text = Path(path).read_text()
        return {"text": [text]}, text

    load.__module__ = "dvc.utils.strictyaml"
    monkeypatch.setattr(strictyaml, "load", load)
    main(["status"])
    main(["status"])  # in the same process: the wrapper is put on once
    file, fs = repository / "some.yaml", LocalFileSystem()
    file.write_text("a")
    first, _ = strictyaml.load(str(file), None, fs)
    first["text"].append("changed by who read it")
    assert strictyaml.load(str(file), None, fs) == ({"text": ["a"]}, "a")
    assert len(parsed) == 1
    file.write_text("b")
    assert strictyaml.load(str(file), None, fs) == ({"text": ["b"]}, "b")
    assert len(parsed) == 2
    file.unlink()
    with pytest.raises(FileNotFoundError):
        strictyaml.load(str(file), None, fs)
