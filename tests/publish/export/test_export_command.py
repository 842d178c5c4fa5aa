"""`regrow export` as people call it: files, messages, and the same bytes everywhere."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.cli import export as command
from regrow.cli.main import main
from regrow.evidence.errors import Unanswerable
from regrow.publish.export.about import About, load
from regrow.publish.export.formats import FORMATS
from regrow.publish.export.identifiers import run_id, spdx
from regrow.publish.export.instant import FIXED, VARIABLE, instant
from small_repository import ROOT

HERE = Path("/")


def export(root: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "regrow.cli.main", "export", *args],
        cwd=root, capture_output=True, text=True,
        env={**{k: v for k, v in os.environ.items() if k != VARIABLE}, **env},
    )  # fmt: skip


def test_the_command_knows_all_formats() -> None:
    assert tuple(FORMATS) == command.FORMATS


EACH = """
import contextlib, io, json, sys
from regrow.cli.main import main
said = {}
for name in sys.argv[1:]:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(["export", name, "--out", "-"]) == 0, name
    said[name] = out.getvalue()
print(json.dumps(said, sort_keys=True))
"""
"""one process for all formats: most of a call is its start"""


def exported(root: Path, names: list[str], **env: str) -> dict[str, str]:
    """What the command says of each format, in that order, under these variables."""
    done = subprocess.run(
        [sys.executable, "-c", EACH, *names], cwd=root, capture_output=True, text=True, check=False,
        env={**{k: v for k, v in os.environ.items() if k != VARIABLE}, **env},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said: dict[str, str] = json.loads(done.stdout)
    return said


def test_other_processes_places_and_orders_give_the_same_bytes(tree: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "other name"
    elsewhere.symlink_to(tree)
    names = list(FORMATS)
    first = exported(tree, names, PYTHONHASHSEED="1", TZ="UTC", LANG="C")
    second = exported(
        elsewhere / "data", names[::-1],
        PYTHONHASHSEED="2", TZ="Pacific/Auckland", LANG="tr_TR.UTF-8", HOME="/nowhere", USER="x",
    )  # fmt: skip
    assert list(first) == sorted(names)
    for name, text in first.items():
        assert text == second[name], name
        assert str(tree) not in text, name
        assert text.endswith(("\n", "</html>")), name


def test_the_files_lie_at_the_top_and_are_listed(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tree / "data")
    assert main(["export", "summary", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["artifact"].startswith("rlvr.")
    for entry in answer["files"]:
        content = Path(entry["path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]
        assert Path(entry["path"]).parent == tree
    assert "1.1 Provider name and contact details" in answer["to_be_filled_in"]


def test_out_is_a_folder_a_file_or_one_of_two_kinds(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tree)
    folder = tmp_path / "folder"
    folder.mkdir()
    assert main(["export", "summary", "--out", str(folder)]) == 0
    assert {path.name for path in folder.iterdir()} == {
        "training-summary.html", "training-summary.json",
    }  # fmt: skip
    assert main(["export", "summary", "rlvr", "--out", str(tmp_path / "s.json")]) == 0
    assert json.loads((tmp_path / "s.json").read_text())["sections"]
    assert main(["export", "summary", "--out", str(tmp_path / "s.pdf")]) == 1
    assert ".html or .json" in capsys.readouterr().err
    assert main(["export", "cyclonedx", "--out", str(tmp_path / "s.json" / "x")]) == 1
    assert "--out" in capsys.readouterr().err


def test_an_evaluation_or_a_release_stands_for_its_checkpoint(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tree)
    outputs = []
    for name in ("rlvr", "rlvr-step4", "release.rlvr-000004", "evaluate.rlvr-000004"):
        assert main(["export", "cyclonedx", name, "--out", "-"]) == 0
        outputs.append(capsys.readouterr().out)
    assert len(set(outputs)) == 1


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("provider: {nmae: X}", r"about.yaml: provider.nmae: no such field. Fields here: name"),
        ("provider: [X]", "about.yaml: provider: must be a mapping"),
        ("model: {placed_on_market: soon}", "about.yaml: model.placed_on_market: .*Correct it"),
        ("energy: {pue: 0.5}", "about.yaml: energy.pue: .*greater than or equal to 1"),
        ("data: {public: [{link: x}]}", "about.yaml: data.public.0.name: Field required"),
        ("data: {public: [{name: x, sze: 1}]}", "about.yaml: data.public.0.sze: no such field"),
        ("provider: {name: ''}", "about.yaml: provider.name: .*at least 1 character"),
        ("provider: {sme: 'maybe'}", "about.yaml: provider.sme"),
        ("a: b: c", "about.yaml: not YAML"),
        ("- a", "about.yaml: the file: must be a mapping"),
        ("\x00", "about.yaml: not YAML"),
    ],
)
def test_a_wrong_about_file_is_told_where_and_how_to_mend(
    tmp_path: Path, text: str, wanted: str
) -> None:
    path = tmp_path / "about.yaml"
    path.write_text(text)
    with pytest.raises(Unanswerable, match=wanted):
        load(path)


def test_an_about_file_may_be_empty_but_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("# nothing yet\n")
    assert load(tmp_path / "empty.yaml") == About()
    with pytest.raises(Unanswerable, match="cannot be read"):
        load(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(Unanswerable, match="cannot be read"):
        load(tmp_path / "binary.yaml")


def test_the_example_of_the_docs_is_a_whole_about_file(tmp_path: Path) -> None:
    text = (ROOT / "docs/reference/exports.md").read_text(encoding="utf-8")
    (tmp_path / "about.yaml").write_text(text.partition("```yaml\n")[2].partition("```")[0])
    about = load(tmp_path / "about.yaml")
    assert about.provider.sme and about.data.public and about.energy.measured_kwh == 3.5


def test_errors_have_no_traceback(tree: Path) -> None:
    for args in (("cyclonedx", "dedup"), ("croissant", "nothing"), ("summary", "--about", "none")):
        done = export(tree, *args)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert done.stderr.startswith("regrow export: ")
    assert export(tree, "word").returncode == 2


def test_the_time_is_given_or_fixed(tree: Path) -> None:
    assert instant(HERE, None, {}) == FIXED
    assert instant(HERE, None, {VARIABLE: "1700000000"}) == "2023-11-14T22:13:20Z"
    assert instant(HERE, "2026-11-26", {VARIABLE: "1"}) == "2026-11-26T00:00:00Z"
    assert instant(HERE, "2026-11-26T14:00:00+02:00", {}) == "2026-11-26T12:00:00Z"
    for bad in ("soon", "2026-13-01", ""):
        if bad:
            with pytest.raises(Unanswerable, match="--time"):
                instant(HERE, bad, {})
    with pytest.raises(Unanswerable, match=VARIABLE):
        instant(HERE, None, {VARIABLE: "-1"})
    event = json.loads(
        export(tree, "openlineage", "--out", "-", **{VARIABLE: "0"}).stdout.split("\n")[0]
    )
    assert event["eventTime"] == "1970-01-01T00:00:00Z"


def test_the_time_of_a_commit_is_that_of_the_commit(tree: Path) -> None:
    with pytest.raises(Unanswerable):
        instant(tree, "commit", {})
    env = {**os.environ, "GIT_COMMITTER_DATE": "2026-11-26T12:00:00+02:00"}
    for args in (
        ["init", "-q"],
        ["add", "records"],
        ["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", "-C", str(tree), *args], check=True, env=env)
    assert instant(tree, "commit", {}) == "2026-11-26T10:00:00Z"


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)))
def test_every_time_comes_back(time: datetime) -> None:
    text = time.replace(tzinfo=UTC, microsecond=0).isoformat()
    assert datetime.fromisoformat(instant(HERE, text, {})) == time.replace(
        tzinfo=UTC, microsecond=0
    )


@given(st.text(), st.text())
def test_runs_are_equal_where_keys_are(one: str, other: str) -> None:
    assert (run_id(one) == run_id(other)) == (one == other)


def test_expressions_of_licences_are_sorted_and_bracketed() -> None:
    assert spdx(["MIT", "Apache-2.0", "MIT"]) == "Apache-2.0 AND MIT"
    assert spdx(["MIT OR BSD-3-Clause", "ISC"]) == "ISC AND (MIT OR BSD-3-Clause)"
    assert spdx(["MIT OR ISC"]) == "MIT OR ISC"
