"""What git brings that the runner did not write so: layouts, line ends, instances that nobody asks for."""

from __future__ import annotations

import json
from pathlib import Path

from regrow.engine import lineends
from small_repository import Repository


def compact(text: str) -> str:
    return json.dumps(json.loads(text))


def wide(text: str) -> str:
    return json.dumps(json.loads(text), indent=4) + "\n"


LAYOUTS = {
    "records/mix.json": lambda text: text.replace("\n", "\r\n"),
    "records/clean.0.json": compact,
    "records/train.001.json": wide,
    "records/split.json": str.rstrip,
}


def test_a_record_in_another_layout_is_named_and_written_as_it_was(repository: Repository):
    """A formatter in a commit hook, core.autocrlf: the content is the same, its bytes are an input of others."""
    for name, change in LAYOUTS.items():
        path = repository.path / name
        path.write_bytes(change(path.read_text()).encode())
    check = repository.run("regrow", "reconcile", "--check", check=False, **repository.toy_table())
    assert check.returncode == 1
    assert "and 1 more: another layout than the runner's" in check.stderr
    assert repository.dirty() == ""
    again = repository.run("regrow", "reconcile", "--check", check=False, **repository.toy_table())
    assert (again.returncode, again.stderr) == (0, "")
    assert "up to date" in repository.dvc("status")


def test_instances_that_the_params_do_not_ask_for_are_named_and_removed_by_a_run(
    repository: Repository,
):
    repository.edit("params/demo.yaml", "steps: 2", "steps: 3")
    repository.build()
    names = ("records/train.003.json", "records/evaluate.003.json")
    saved = {name: repository.read(name) for name in names}
    repository.git("checkout", "-q", ".")
    repository.build()  # restores what is shared, and removes them
    assert repository.dirty() == ""
    for name, text in saved.items():
        (repository.path / name).write_text(text)
    plan = repository.snakemake("-n")
    assert "evaluate.003, train.003: params/demo.yaml does not ask for these" in plan.stderr
    assert all((repository.path / name).exists() for name in names)
    done = repository.snakemake()
    assert "Nothing to be done" in done.stdout + done.stderr
    assert "does not ask for 2 of the records here (evaluate.003, train.003)" in done.stderr
    assert repository.dirty() == ""
    assert "up to date" in repository.dvc("status")


def test_a_section_that_the_params_file_did_not_name_is_seen_by_dvc(repository: Repository):
    """`clean` is at its defaults: no section of that name in the file."""
    assert "clean" not in repository.read("params/demo.yaml")
    assert "up to date" in repository.dvc("status")
    with (repository.path / "params/demo.yaml").open("a") as file:
        file.write("clean: {lower: false}\n")
    assert "clean" in json.loads(repository.dvc("status", "--json"))
    repository.dvc("repro", "-q")
    assert {"clean.0", "clean.1", "clean.2"} <= set(repository.outcomes()["run"])
    assert "up to date" in repository.dvc("status")
    assert "clean:\n" in repository.read("dvc.lock")


def test_files_whose_line_ends_git_changed_are_named(tmp_path: Path):
    source = Repository(tmp_path / "a", tmp_path)
    source.path.mkdir()
    source.git("init", "-q", "-b", "main")
    (source.path / "text.txt").write_bytes(b"one\ntwo\n")
    (source.path / "dos.txt").write_bytes(b"one\r\ntwo\r\n")
    source.commit()
    assert lineends.converted(source.path) == ""
    clone = tmp_path / "b"
    source.run("git", "clone", "-q", "-c", "core.autocrlf=true", str(source.path), str(clone))
    said = lineends.converted(clone)
    assert said.startswith("1 files have CRLF line ends here and LF in git (text.txt)")
    assert lineends.converted(tmp_path) == ""


def test_attributes_keep_git_from_changing_line_ends(tmp_path: Path):
    """The repository's own `.gitattributes`, in a clone that asks for CRLF."""
    root = Path(__file__).parents[2]
    source = Repository(tmp_path / "a", tmp_path)
    source.path.mkdir()
    source.git("init", "-q", "-b", "main")
    (source.path / ".gitattributes").write_text((root / ".gitattributes").read_text())
    (source.path / "text.txt").write_bytes(b"one\ntwo\n")
    source.commit()
    clone = tmp_path / "b"
    source.run("git", "clone", "-q", "-c", "core.autocrlf=true", str(source.path), str(clone))
    assert (clone / "text.txt").read_bytes() == b"one\ntwo\n"
    assert lineends.converted(clone) == ""
