"""What a fork reads of somebody's files: everything, or a name and a number for what it leaves out."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regrow.change.fork import documents, files
from regrow.change.fork.rows import rows
from regrow.cli import fork as command
from regrow.data.tables import parquet
from regrow.evidence.errors import Unanswerable

ROW = {"text": "A text.", "licence": "MIT"}
BOM = b"\xef\xbb\xbf"


def read(path: Path, kind: str = "documents") -> list[dict[str, Any]]:
    return documents.read([path], "s", "MIT")[kind].frame.to_dicts()


def texts(path: Path) -> list[str]:
    return sorted(row["text"] for row in read(path))


def write(path: Path, *found: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in found))
    return path


@pytest.mark.parametrize("name", ["x.jsonl", "X.JSONL", "x.ndjson", "x.txt", "X.Md", "x.text"])
def test_a_byte_order_mark_is_no_text(tmp_path: Path, name: str) -> None:
    table = "n" in name.lower().partition(".")[2]
    (tmp_path / name).write_bytes(BOM + (json.dumps(ROW).encode() if table else b"A text."))
    assert texts(tmp_path / name) == texts(tmp_path) == ["A text."]


def test_byte_order_marks_inside_are_no_text_either(tmp_path: Path) -> None:
    line = json.dumps(ROW).encode() + b"\n"
    (tmp_path / "joined.jsonl").write_bytes(BOM + line + BOM + line)
    write(tmp_path / "field.jsonl", {"text": "\ufeffA text.", "licence": "MIT"})
    pl.DataFrame([{"text": "\ufeffA text."}]).write_parquet(tmp_path / "x.parquet")
    assert texts(tmp_path) == ["A text."]


DEEP = "[" * 100_000
USER = {"role": "user", "content": "Why?"}
ROWS_THAT_FAIL = [
    (f'{{"text": "a", "m": {DEEP}', "not JSON"),
    (f'{{"messages": {DEEP}', "not JSON"),
    ('{"messages": "' + DEEP + '"}', "`messages` is text, but not JSON"),
    ('{"text": "a", "n": ' + "1" * 5000 + "}", "not JSON"),
    ('{"text": ["a"]}', "`text` must be a string, got list"),
    *((json.dumps({"text": "a", name: value}), f"`{name}` (must be a string|holds U)")
      for name in ("url", "source", "licence")
      for value in ("\ud83d", "\x1b[2J", "a\nb", "\u202eb", "\x9b", "a\u2028b", 5, ["MIT"], {"a": 1})),
    (json.dumps({"text": "a", "license": "MIT\x07"}), "`licence` holds U\\+0007"),
    ('{"messages": [{"role": [[["a"]]], "content": "b"}]}', "`role` must be one of .*, got list"),
    ('{"messages": [{"role": "user", "content": ["b"]}]}', "`content` must be a string"),
    (json.dumps({"chosen": "a", "rejected": "b", "prompt": "c"}), "preference pair"),
    (json.dumps({"chosen": [USER], "rejected": [USER], "messages": [USER]}), "preference pair"),
    (json.dumps({"prompt": "a", "ground_truth": "b"}), "reinforcement learning"),
    (json.dumps({"messages": [USER], "verifier": "math"}), "reinforcement learning"),
    (json.dumps({"prompt": "a", "completion": "b"}), "it has 'completion', 'prompt'"),
    (json.dumps({"conversations": [USER]}), "Rename `conversations` to `messages`"),
    (json.dumps({"text": None}), "no field `text`"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "words"), ROWS_THAT_FAIL)
def test_a_row_that_cannot_be_used_is_an_error_with_its_line(
    tmp_path: Path, line: str, words: str
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(ROW) + "\n" + line + "\n")
    with pytest.raises(Unanswerable, match=rf"x\.jsonl, line 2.*{words}"):
        documents.read([path], "s", "MIT")


@pytest.mark.parametrize(
    "fields", [{"chosen": "a", "rejected": "b"}, {"prompt": "a", "verifier": "b"}, {"a": 1}]
)
def test_the_columns_of_a_table_are_checked_likewise(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    pl.DataFrame([fields]).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(Unanswerable, match=r"x\.parquet: .*(preference|reinforcement|it has 'a')"):
        documents.read([tmp_path / "x.parquet"], "s", "MIT")


def test_texts_and_messages_are_made_storable(tmp_path: Path) -> None:
    said = "a\ud83d\0\r\nb"
    turn = {"role": "assistant", "content": said, "reasoning_content": said}
    write(tmp_path / "x.jsonl", {"text": said}, {"messages": [USER, turn]})
    assert texts(tmp_path / "x.jsonl") == ["a?\nb"]
    (chat,) = read(tmp_path / "x.jsonl", "chats")
    assert json.loads(chat["messages"])[1]["content"] == "a?\nb"


def test_a_label_is_stripped_and_a_command_line_is_checked(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", {"text": "a", "licence": " MIT\n", "url": " http://a/ "})
    (row,) = read(path)
    assert (row["licence"], row["url"], row["source"]) == ("MIT", "http://a/", "s")
    with pytest.raises(Unanswerable, match=r"--licence: `licence` holds U\+001B"):
        documents.read([path], "s", "M\x1bIT")


def test_names_that_are_no_text_are_written_so_that_they_can_be_shown(tmp_path: Path) -> None:
    for name in (b"a\xff.txt", b"b\x1b[2J.txt", "c\u202e.txt".encode()):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text(name.hex())
    urls = {row["url"] for row in read(tmp_path)}
    assert urls == {"file:a\ufffd.txt", "file:b%1B[2J.txt", "file:c%202E.txt"}
    bad = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jsonl"))
    bad.write_text("{")
    with pytest.raises(Unanswerable) as error:
        read(bad)
    str(error.value).encode()


def test_a_folder_is_read_whole_and_what_is_left_out_is_counted(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/e.txt").write_text("E")
    root = tmp_path / "root"
    for name in (
        "A.TXT",
        "b.txt",
        "README.md",
        "sub/c.rst",
        "x.py",
        "sub/y.py",
        "Z.PNG",
        "Makefile",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    for name in (".git/HEAD.txt", ".ipynb_checkpoints/b.md", "sub/.hidden.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("junk")
    write(root / "part-0.jsonl", {"text": "J0"})
    write(root / "PART-1.NDJSON", {"text": "J1"})
    pl.DataFrame([{"text": "P"}]).write_parquet(root / "sub/x.Parquet")
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    (root / "loop").symlink_to(root)
    (root / "broken.txt").symlink_to(tmp_path / "none")
    (root / "file.txt").symlink_to(tmp_path / "elsewhere/e.txt")
    (tmp_path / "to_root").symlink_to(root)
    wanted = ["A.TXT", "E", "J0", "J1", "P", "README.md", "b.txt", "sub/c.rst"]
    assert texts(root) == texts(tmp_path / "to_root") == wanted
    left = {".png": 1, ".py": 2, "hidden": 3, "linked folders": 2, "no files": 1, "no suffix": 1}
    found = files.inventory(root)
    assert found.left_out == left and list(found.left_out) == sorted(left)
    # 6 entries hidden or linked, 3 of them folders, are one each; every other file is on one side.
    assert len(found.files) == len(wanted)


@pytest.mark.parametrize(
    ("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
)
def test_compressed_lines_are_read(tmp_path: Path, suffix: str, pack: Any) -> None:
    data = (json.dumps(ROW) + "\n").encode()
    (tmp_path / f"x.jsonl{suffix}").write_bytes(
        pack(data) + (pack(data) if suffix != ".xz" else b"")
    )
    (tmp_path / f"y.TXT{suffix.upper()}").write_bytes(pack(b"Another."))
    assert texts(tmp_path) == ["A text.", "Another."]
    cut = tmp_path / f"z.jsonl{suffix}"
    cut.write_bytes(pack(random.Random(1).randbytes(9_999).hex().encode())[:-200])
    with pytest.raises(Unanswerable, match=rf"z\.jsonl\{suffix}"):
        read(cut)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x.jsonl.zst", "zstd -d"),
        ("x.txt.ZST", "zstd -d"),
        ("x.jsonl.zip", "unzip"),
        ("x.parquet.gz", "uncompressed"),
    ],
)
def test_other_compressions_are_refused_by_name_with_the_fix(
    tmp_path: Path, name: str, words: str
) -> None:
    (tmp_path / name).write_bytes(b"x")
    (tmp_path / "README.md").write_text("Not only this.")
    for path in (tmp_path, tmp_path / name):
        with pytest.raises(Unanswerable, match=rf"{name}.*{words}"):
            read(path)


@pytest.mark.parametrize("name", ["x.docx", "x", "x.py", "x.zst"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    with pytest.raises(Unanswerable, match="give a folder, "):
        read(tmp_path / name)


def test_a_line_or_text_above_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 1_000)
    long = write(tmp_path / "x.jsonl", ROW, {"text": "a" * 2_000})
    (tmp_path / "x.txt").write_text("a" * 2_000)
    (tmp_path / "bomb.txt.gz").write_bytes(gzip.compress(b"\0" * 10**7))
    for path, words in (
        (long, "line 2: longer than"),
        (tmp_path / "x.txt", "above"),
        (tmp_path / "bomb.txt.gz", "above"),
    ):
        with pytest.raises(Unanswerable, match=words):
            read(path)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("table") / "x.parquet"
    drawn = random.Random(0)
    words = [" ".join(drawn.choices("abcdefgh", k=40)) for _ in range(300)]
    pl.DataFrame({"text": words, "url": [f"http://a/{n}" for n in range(300)]}).write_parquet(
        path, row_group_size=64
    )
    return path.read_bytes()


@given(st.data())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_damaged_table_is_read_or_refused(
    tmp_path: Path, table: bytes, data: st.DataObject
) -> None:
    """No traceback, of whatever class polars raises."""
    damaged = bytearray(table)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(4, len(damaged) - 1))
        damaged[at] ^= data.draw(st.integers(1, 255))
    if data.draw(st.booleans()):
        del damaged[data.draw(st.integers(4, len(damaged) - 1)) :]
    path = tmp_path / "x.parquet"
    path.write_bytes(damaged)
    try:
        found = list(rows(path))
    except Unanswerable as error:
        assert "x.parquet" in str(error)
    else:
        assert len(found) <= 10_000


@pytest.mark.parametrize("name", ["run[1]", "run?", "a*", "{a,b}"])
def test_signs_of_patterns_in_a_path_are_its_name(tmp_path: Path, name: str) -> None:
    for folder in (name, "run1", "runx", "ab", "a", "b"):
        parquet.write(pl.DataFrame([{"text": folder}]), tmp_path / folder / "x.parquet")
    assert parquet.read(tmp_path / name / "x.parquet")["text"].to_list() == [name]
    assert texts(tmp_path / name / "x.parquet") == texts(tmp_path / name) == [name]


def test_no_table_is_read_by_a_pattern() -> None:
    import regrow

    root = Path(regrow.__file__).parent
    calls = []
    for path in sorted(root.rglob("*.py")):
        text = path.read_text()
        for call in ("read_parquet(", "scan_parquet("):
            for part in text.split(f"pl.{call}")[1:]:
                calls.append((path.name, "glob=False" in part[:200]))
    assert len(calls) > 15 and all(plain for _, plain in calls)


def test_memory_is_a_small_multiple_of_the_text(tmp_path: Path) -> None:
    """20,000 rows of 2 kB: 40 MB of text."""
    path = tmp_path / "x.jsonl"
    with path.open("w") as file:
        for number in range(20_000):
            file.write(json.dumps({"text": f"{number} " + "word " * 400, "licence": "MIT"}) + "\n")
    code = (
        "import resource, sys; from pathlib import Path; from regrow.change.fork import documents\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "found = documents.read([Path(sys.argv[1])], 's', None)['documents'].frame\n"
        "print(found.height, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    height, kilobytes = map(int, ran.stdout.split())
    assert height == 20_000
    assert kilobytes * 1024 < 3.5 * path.stat().st_size


def test_large_tables_are_for_dvc_and_small_ones_for_git() -> None:
    small = command._tracked({"documents": {"file_bytes": 10**6}}, "notes")
    assert small == "git add forks/notes params/notes.yaml"
    large = command._tracked(
        {"documents": {"file_bytes": 8 * 10**6}, "chats": {"file_bytes": 8 * 10**6}}, "notes"
    )
    assert (
        large == "dvc add forks/notes && git add forks/notes.dvc forks/.gitignore params/notes.yaml"
    )
