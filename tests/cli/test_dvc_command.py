"""`dvc` in the environment: DVC's own, but for a pull of everything from the store that git carries."""

from __future__ import annotations

from pathlib import Path

import dvc.cli
import pytest

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
