"""Names that leave, hide or collide in a folder are refused wherever a tree is hashed, read or adopted."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.engine import names
from regrow.engine.errors import FlowError, StepFailed
from regrow.engine.hashing import tree_sha256
from regrow.engine.present import source_digest
from regrow.engine.runner import Runner
from regrow.engine.shape import inside
from regrow.engine.state import FileTree
from regrow.engine.store import Store

A, B = "a" * 64, "b" * 64
REFUSED = {
    "": "it is empty",
    "a\nb": "the control character U+000A",
    f"x\n{B}  y": "the control character U+000A",
    "a\rb": "the control character U+000D",
    "a\0b": "the control character U+0000",
    "\x1b[2Ja": "the control character U+001B",
    "a\x7f": "the control character U+007F",
    "a\x85b": "the control character U+0085",
    "a\u2028b": "the control character U+2028",
    "a\u202etxt.exe": "the control character U+202E",
    "READ\u200bME.md": "the control character U+200B",
    "\ufeffREADME.md": "the control character U+FEFF",
    "a\udcffb": "it is not UTF-8",
    "/etc/passwd": "it is absolute",
    "//host/share": "it is absolute",
    "../x": "the part `..`",
    "a/../x": "the part `..`",
    "a/..": "the part `..`",
    "./a": "the part `.`",
    "a/./b": "the part `.`",
    "a//b": "an empty part",
    "a/": "an empty part",
    "..\\x": "a backslash",
    "a\\b": "a backslash",
    "C:/x": "a drive of Windows",
    "a/c:x": "a drive of Windows",
    ".git/config": "git takes for its own folder",
    "a/.GIT/hooks/x": "git takes for its own folder",
    ".git./config": "git takes for its own folder",
    ".g\u200cit/config": "git takes for its own folder",
    "git~1/config": "git takes for its own folder",
    "a" * 256: "a part of more than 255 bytes",
    "ä" * 128: "a part of more than 255 bytes",
    "/".join(["a" * 100] * 11): "more than 1024 bytes",
}
FINE = (
    "a",
    "nested/deep/er.txt",
    "...",
    "..a",
    "a..b",
    ".gitattributes",
    "a b.txt",
    "größe.txt",
    "文档/表.parquet",
    "می‌خواهم.txt",
    "12:30.txt",
    "bc:d",
    "~/x",
    "-rf",
    "a" * 255,
)
TOGETHER = (
    (("a", "a"), "is there twice"),
    (("README.md", "readme.md"), "take them for one"),
    (("README.md", "README.md."), "take them for one"),
    (("README.md", "README.md "), "take them for one"),
    (("é", unicodedata.normalize("NFD", "é")), "take them for one"),
    (("straße", "STRASSE"), "take them for one"),
    (("a", "a/b"), "a file and a folder in one"),
    (("a/b/c", "A/b"), "a file and a folder in one"),
)


@pytest.mark.parametrize("name", REFUSED, ids=ascii)
def test_a_name_that_leaves_or_hides_is_refused_with_the_reason(name: str):
    assert REFUSED[name] in names.fault(name)
    assert not inside(name)
    with pytest.raises(FlowError, match="refused for the name"):
        tree_sha256({name: A})


@pytest.mark.parametrize("name", FINE, ids=ascii)
def test_an_odd_but_harmless_name_is_kept(name: str):
    assert names.fault(name) == ""
    assert len(tree_sha256({name: A})) == 64


@pytest.mark.parametrize(("listed", "why"), TOGETHER, ids=ascii)
def test_names_that_some_system_takes_for_one_are_refused_together(
    listed: tuple[str, ...], why: str
):
    assert all(names.fault(name) == "" for name in listed)
    (said,) = names.faults(listed)
    assert why in said
    assert names.faults(listed[:1]) == []


def test_a_message_about_a_name_shows_what_is_unseen_in_it():
    (said,) = names.faults(["a\x1b[2J\nb"])
    assert said.isprintable() and "a⟨U+001B⟩[2J⟨U+000A⟩b" in said


def test_two_folders_never_have_one_digest_by_a_line_end_in_a_name():
    honest = tree_sha256({"x": A, "y": B})
    with pytest.raises(FlowError, match=r"U\+000A"):
        tree_sha256({f"x\n{B}  y": A})
    assert honest != tree_sha256({"x": A}) != tree_sha256({"y": A})


WORDS = st.text(st.sampled_from("ab/\n.\\ \r :AÄä\u0308"), max_size=6)


@given(
    st.dictionaries(WORDS, st.sampled_from([A, B]), max_size=3),
    st.dictionaries(WORDS, st.sampled_from([A, B]), max_size=3),
)
def test_equal_digests_mean_equal_folders(one: dict[str, str], other: dict[str, str]):
    def digest(files: dict[str, str]) -> str | None:
        try:
            return tree_sha256(files)
        except FlowError:
            return None

    if digest(one) is not None and digest(one) == digest(other):
        assert one == other


@given(st.text(max_size=12))
def test_a_name_that_is_kept_resolves_inside_its_folder_and_is_one_line(name: str):
    if names.fault(name) == "":
        path = os.path.normpath(f"/top/{name}")
        assert path == f"/top/{name}" and len(name.splitlines()) == 1
        assert len(names.shown(name).splitlines()) == 1


ODD = st.text(st.sampled_from("aAb.~:%+=@,-_/ \\gitGIT1"), max_size=12)


@given(ODD)
def test_names_that_are_looked_at_in_one_go_are_judged_as_the_others(name: str):
    quick = names.fault(name), names.folded(name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(names, "_PLAIN", re.compile(r"(?!)"))
        assert (names.fault(name), names.folded(name)) == quick


@given(st.lists(st.sampled_from(["a", "b", "a/b", "A/b", "a/b/c", "b/a/c", "b/A", "b/a/c/d", "c"]), max_size=5, unique=True))  # fmt: skip
def test_a_file_above_another_is_found(listed: list[str]):
    folds = [names.folded(name) for name in listed]
    below = any(one.startswith(f"{other}/") for one in folds for other in folds)
    assert any("a file and a folder in one" in said for said in names.faults(listed)) == below


@pytest.mark.parametrize("name", [b"a\nb", b"a\xffb", b"a\x1b[2Jb"])
def test_a_source_folder_with_such_a_name_is_refused_by_name(tmp_path: Path, name: bytes):
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "fine.txt").write_text("fine")
    assert source_digest(FileTree(tmp_path, "sources"), "sources")
    Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text("folded")
    with pytest.raises(FlowError, match="sources: refused for the name `a⟨U") as caught:
        source_digest(FileTree(tmp_path, "sources"), "sources")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[2J", "a\\b", "C:x", ".git"])
def test_a_step_that_writes_such_a_file_fails_by_name(tmp_path: Path, name: str):
    (tmp_path / "fine.txt").write_text("fine")
    (tmp_path / name).write_text("odd")
    runner: Any = SimpleNamespace(job=SimpleNamespace(name="mix"), store=Store(tmp_path / "r"))
    with pytest.raises(StepFailed, match="mix wrote `") as caught:
        Runner._adopt(runner, tmp_path, None)
    assert names.fault(name) in str(caught.value) and str(caught.value).isprintable()


def test_a_step_that_writes_twins_fails_by_name(tmp_path: Path):
    for name in ("README.md", "readme.md"):
        (tmp_path / name).write_text("x")
    runner: Any = SimpleNamespace(job=SimpleNamespace(name="mix"), store=Store(tmp_path / "r"))
    with pytest.raises(StepFailed, match=r"`README\.md` and `readme\.md`"):
        Runner._adopt(runner, tmp_path, None)
