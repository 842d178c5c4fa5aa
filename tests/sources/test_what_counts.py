"""What a step reads is what its key counts, and an entry of `sources` that cannot be meant is refused by name."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from regrow import selection
from regrow.data.sources.kinds import code, jsonl
from regrow.engine.errors import FlowError
from regrow.engine.present import source_digest
from regrow.engine.state import FileTree
from regrow.params.readers.code import FILES
from regrow.params.schema import ParamsError, check
from regrow.params.source import Source

ENTRY: dict[str, Any] = {"licence": "CC0-1.0", "origin": "x", "files": "a/*.md"}


def _digest(root: Path, path: str) -> str:
    return source_digest(FileTree(root, path), path)


def _write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("words")


def _source(kind: str, files: str) -> Source:
    return Source(name="s", kind=kind, files=(files,), licence="CC0-1.0", origin="x")


def test_above_a_file_that_is_named_alone_no_licence_is_read(tmp_path: Path) -> None:
    """The key counts that file only."""
    _write(tmp_path, "src/a.py")
    (tmp_path / "src/a.py").write_text("print('something')\n")
    (tmp_path / "src/LICENSE").write_text("Apache License, Version 2.0\n")
    found = {}
    for named in ("src/a.py", "src/*.py", "src"):
        path = f"{named}{FILES.beside}"
        counted = FileTree(tmp_path, path).listing()
        [(name, file)] = [one for one in selection.files(tmp_path / path) if one[1].name == "a.py"]
        [item] = code.read(file, name, _source("code", named))
        found[named] = item.licence, "LICENSE" in counted
    assert found == {
        "src/a.py": ("", False), "src/*.py": ("Apache-2.0", True), "src": ("Apache-2.0", True),
    }  # fmt: skip


def test_a_folder_that_is_called_like_a_pattern_is_refused(tmp_path: Path) -> None:
    """The step would read `[id]/`, and the key count `i/`."""
    _write(tmp_path, "app/[id]/a.md", "app/i/a.md")
    with pytest.raises(FlowError, match=r"app/\[id\] is there"):
        _digest(tmp_path, "app/[id]/*.md")
    assert [p for _, p in selection.files(tmp_path / "app/[[]id]/*.md")] == [
        tmp_path / "app/[id]/a.md"
    ]
    assert list(FileTree(tmp_path, "app/[[]id]/*.md").listing()) == ["[id]/a.md"]


def test_what_programs_leave_is_neither_read_nor_counted(tmp_path: Path) -> None:
    _write(tmp_path, "n/a.md")
    before = {path: _digest(tmp_path, path) for path in ("n", "n/**", "n#000of001")}
    _write(
        tmp_path, "n/.git/HEAD", "n/.nfs0123456789abcdef01", "n/.snakemake_timestamp", "n/a.md.dvc"
    )
    (tmp_path / "n/.git/link").symlink_to(tmp_path)
    assert {path: _digest(tmp_path, path) for path in before if path != "n"} | {
        "n": before["n"]
    } == before
    (tmp_path / "n/.git/link").unlink()
    assert _digest(tmp_path, "n") == before["n"]
    for path in before:
        assert [name for name, _ in selection.files(tmp_path / path)] == ["a.md"]


def test_a_folder_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path, "n/a.md", "n/shut/b.md")
    scan = os.scandir

    def refusing(folder: Any) -> Any:
        if str(folder).endswith("shut"):
            raise PermissionError(13, "Permission denied", str(folder))
        return scan(folder)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(
        FlowError, match=r"the source n/\*\*: .*/n/shut cannot be read \(Permission denied\). Fix"
    ):
        _digest(tmp_path, "n/**")


@pytest.mark.parametrize("path", ["n", "n/**", "n/**/*.md", "n#001of003", "n/**/*.md#002of003"])
def test_every_file_that_is_read_is_counted(path: str, tmp_path: Path) -> None:
    _write(
        tmp_path, "n/a.md", "n/A.MD", "n/.hidden.md", "n/.hidden/b.md", "n/x#000of002.md", "n/c+d.md", "n/e[1].md", "n/new\nline.md",
        "n/f.md/g.md", "n/.dvc/h.md", "n/i.dvc", "n/.gitignore", "n/sp ace.md", "n/__pycache__/j.md", "n/\u00e9.md", "n/e\u0301.md",
    )  # fmt: skip
    _write(tmp_path, os.fsdecode(b"n/\xff.md"))
    _write(tmp_path, "else.md")
    (tmp_path / "n/link.md").symlink_to("../else.md")
    counted = {name for name in FileTree(tmp_path, path).listing() if not selection.beside(name)}
    chosen = selection.parse(path)
    found = selection.files(tmp_path / path)
    assert {file.relative_to(tmp_path / chosen.folder).as_posix() for _, file in found} == counted
    assert len(found) == len(counted)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"files": "."}, r"s.files: `.` is no path"),
        ({"files": "./a/*.md"}, r"s.files: `./a/\*.md` is no path"),
        ({"files": 1}, r"s.files: 1 is no path. Fix"),
        ({"files": ["a/*.md", None]}, r"s.files: None is no path. Fix"),
        ({"files": "a/[z-a].md"}, r"s.files: .*`\[z-a\]` is no set of characters"),
        ({"files": "a/[!].md"}, r"s.files: .*`\[!\]` is no set of characters"),
        ({"files": "a/c+d*.md"}, r"s.files: .*`\+` before a wildcard"),
        ({"files": "a/{instance}.md"}, r"s.files: .*`{instance}` stands for a part"),
        ({"files": "data/filter/*.md"}, r"s.files: .* is where steps and tools write"),
        ({"files": ".regrow/*.md"}, r"s.files: .* is where steps and tools write"),
        ({"licence": " "}, r"s.licence: is missing. Fix"),
        ({"licence": "Unknown"}, r"s.licence: `Unknown` is not counted. Fix: `licence: unknown`"),
        ({"origin": "\n"}, r"s.origin: is missing. Fix"),
        ({"kind": "jsonl", "fields": {"text": ""}}, r"s.fields.text: names no field"),
    ],
)  # fmt: skip
def test_an_entry_that_cannot_be_meant(said: dict[str, Any], message: str) -> None:
    entry = {"kind": "text", **ENTRY, **said}
    with pytest.raises(ParamsError, match=message):
        check({"sources": [{"s": entry}], "stages": ["pretrain"]}, "params/x.yaml")


def test_the_crawl_takes_no_files_from_an_entry() -> None:
    with pytest.raises(ParamsError, match=r"`crawl` is what sources/manifest\.yaml names"):
        check({"sources": [{"crawl": ENTRY}], "stages": ["pretrain"]}, "x")


@pytest.mark.parametrize("step", ["read_s", "filter_s", "signatures_s"])
def test_a_stage_that_is_called_like_a_step_of_a_source(step: str) -> None:
    with pytest.raises(
        ParamsError, match=f"`s`: its step {step} is called like a stage or data set"
    ):
        check({"sources": [{"s": ENTRY}], "stages": ["pretrain", {step: {"kind": "sft"}}]}, "x")


def test_a_set_of_characters_is_that_of_a_pattern() -> None:
    found = {
        p: [n for n in "a[&|~-b" if selection.parse(f"x/{p}").matches(n)]
        for p in ("[[]", "[a&&b]", "[!a-b]")
    }
    assert found == {"[[]": ["["], "[a&&b]": ["a", "&", "b"], "[!a-b]": ["[", "&", "|", "~", "-"]}


def _json_rows(folder: Path, content: str) -> list[str]:
    (folder / "a.jsonl").write_text(content)
    found = jsonl.read(folder / "a.jsonl", "a.jsonl", _source("jsonl", "a.jsonl"))
    return [getattr(one, "reason", "") or one.text for one in found]


def test_a_first_row_that_is_cut_off_hides_no_other(tmp_path: Path) -> None:
    """Where a row stands in a file decides nothing about the others."""
    rows = "".join(json.dumps({"text": f"row {n}"}) + "\n" for n in range(3))
    assert _json_rows(tmp_path, '{"text":\n' + rows) == ["bad_json", "row 0", "row 1", "row 2"]
    assert _json_rows(tmp_path, '{"id": 1,\n\n' + '{"id": 2}\n' + rows)[:2] == [
        "bad_json",
        "missing_text",
    ]
    assert _json_rows(tmp_path, '[\n{"text": "a"},\n{"text": "b"}\n]\n') == ["not_lines"]
    assert _json_rows(tmp_path, '{\n"text": "a"\n}\n') == ["not_lines"]
    assert _json_rows(tmp_path, '{"text":\n') == ["not_lines"]


def test_a_mark_in_the_middle_is_no_part_of_a_row(tmp_path: Path) -> None:
    """`cat a.jsonl b.jsonl`, each with a byte order mark."""
    assert _json_rows(tmp_path, '\ufeff{"text": "a"}\n\ufeff{"text": "b"}\n') == ["a", "b"]
