"""What holds of every reader: equal everywhere, independent of how rows are cut, and never an exception."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from determinism import SETTINGS, run_python
from regrow.data.sources.reader import reader
from regrow.params.corpora import KINDS
from small_pdf import lines as pdf_of
from source_files import digest, made, read, reasons, without_place, write
from warc_files import html, response

ROWS: list[dict[str, Any]] = [
    {"id": n // 2, "text": f"Text {n}. ".replace("7", "Ж"), "url": f"https://a.example/{n}", "when": f"202{n % 10}", "tags": {"b": n, "a": [n, None]}}
    for n in range(60)
] + [{"id": "none"}, {"text": ""}, {"text": " x", "url": "u"}]  # fmt: skip


def _jsonl(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    sink = pa.BufferOutputStream()
    fields = [("id", pa.string()), ("text", pa.string()), ("url", pa.string()), ("when", pa.large_string()), ("tags", pa.string())]  # fmt: skip
    named = [{k: None if row.get(k) is None else str(row[k]) for k, _ in fields} for row in rows]
    pq.write_table(pa.Table.from_pylist(named, pa.schema(fields)), sink, row_group_size=25)
    return bytes(sink.getvalue())


def _warc(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(
        zstandard.compress(response(f"/{n['id']}", html(str(n["text"])), name=str(n["id"])))
        for n in rows if "id" in n and "text" in n
    )  # fmt: skip


CUT: dict[str, tuple[str, Callable[[list[dict[str, Any]]], bytes]]] = {
    "jsonl": (".jsonl", _jsonl), "parquet": (".parquet", _parquet), "warc": (".warc.zst", _warc),
}  # fmt: skip


def test_every_kind_has_a_reader_and_every_ending_is_of_one_kind():
    seen = Counter(ending for kind in KINDS for ending in reader(kind).SUFFIXES)
    assert all(ending == ending.lower() for ending in seen)
    assert [ending for ending, count in seen.items() if count > 1] == []


@pytest.mark.parametrize("kind", CUT)
def test_rows_are_the_same_however_they_are_cut_into_files(kind: str, tmp_path: Path):
    ending, pack = CUT[kind]
    found = []
    for parts in (1, 2, 7):
        seen: Counter[str] = Counter()
        for part in range(parts):
            rows = ROWS[part::parts]
            seen += without_place(made(kind, tmp_path / f"{parts}-{part}{ending}", pack(rows), metadata=["when", "tags"]))  # fmt: skip
        found.append(seen)
    assert found[0] == found[1] == found[2]
    assert found[0].total() >= 60


CORPUS: dict[str, dict[str, bytes]] = {
    "warc": {"a.warc.zst": _warc(ROWS), "b.warc.gz": gzip.compress(response("/x", html()))[:-9]},
    "jsonl": {"a.jsonl": _jsonl(ROWS) + b"{bad\n[1]\n\xff\n", "b.json.gz": gzip.compress(_jsonl(ROWS))[:-30]},
    "parquet": {"a.parquet": _parquet(ROWS), "b.parquet": _parquet(ROWS)[:-9], "c.arrow": b"no"},
    "text": {"é.md": "Été à la plage, où l'on se baigne.".encode("cp1252"), "b.txt": bytes(99)},
    "html": {"a.html": html(), "b.xhtml": b""},
    "code": {
        "a/x.py": b"def f():\n    return {1, 2}\n", "a/LICENSE-MIT": b"Apache License Version 2.0", "a/COPYING": b"Mozilla Public License Version 2.0",
        "b.rs": b"// @generated\n", "c.js": b"var a;" * 999,
    },
    "pdf": {"a.pdf": pdf_of("Words."), "b.pdf.gz": b"x"},
}  # fmt: skip

CHILD = """
import sys
from pathlib import Path
from source_files import digest, read
root = Path(sys.argv[1])
for kind in sorted(path.name for path in root.iterdir()):
    files = sorted(path for path in (root / kind).rglob("*") if path.is_file())
    said = [one for path in files for one in read(kind, path, path.relative_to(root / kind).as_posix())]
    print(kind, len(said), digest(said))
"""


@pytest.fixture(scope="module")
def digests(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """Of every kind, read in two processes under other settings, hash seeds, places and folders."""
    found = []
    for number, env in enumerate(SETTINGS):
        root = tmp_path_factory.mktemp(f"corpus{number}")
        for kind, files in CORPUS.items():
            for name, data in files.items():
                write(root / kind / name, data)
        support = str(Path(__file__).parents[1] / "support")
        done = run_python(CHILD, str(root), cwd=root / "..", PYTHONPATH=support, **env)  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        found.append(dict(line.split(" ", 1) for line in done.stdout.splitlines()))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_say_the_same(kind: str, digests: list[dict[str, str]]):
    assert digests[0][kind] == digests[1][kind]
    assert int(digests[0][kind].split()[0]) >= 2


def test_a_digest_sees_every_field(tmp_path: Path):
    one, two = (made("text", tmp_path / name, "Words.") for name in ("a.txt", "b.txt"))
    assert digest(one) != digest(two)


NAMES = {
    "warc": ("a.warc", "a.warc.gz", "a.warc.zst", "a.arc"), "jsonl": ("a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.json.bz2", "a.json.xz"),
    "parquet": ("a.parquet", "a.arrow", "a.feather"), "text": ("a.md", "a.txt.gz"), "html": ("a.html", "a.html.gz"),
    "code": ("a.py", "a.h", "a"), "pdf": ("a.pdf", "a.pdf.gz"),
}  # fmt: skip
STARTS = st.sampled_from([b"", b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd", b"\x5d\x2a\x4d\x18\x20\0\0\0", b"PAR1", b"ARROW1\0\0", b"\xff\xff\xff\xff", b"BZh9", b"\xfd7zXZ\0",
    b"WARC/1.0\r\n", b"http://a ", b"[", b'{"text": "', b"\xff\xfe", b"%PDF-1.7", b"#!"])  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in NAMES[kind]])  # fmt: skip
@settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(start=STARTS, body=st.binary(max_size=300))
def test_no_bytes_raise(kind: str, name: str, start: bytes, body: bytes, tmp_path: Path):
    results = made(kind, tmp_path / name, start + body)
    row_format = kind in CUT
    assert row_format or len(results) == 1  # a file is one document or one refusal
    assert all(reason for reason in reasons(results))


@pytest.mark.parametrize("kind", [*CUT, "arrow"])
def test_no_damage_to_a_good_file_raises(kind: str, tmp_path: Path):
    """Whole and in its right form but for a few bytes: what a parser trusts most."""
    chance = random.Random(kind)
    if kind == "arrow":
        kind, name, good = "parquet", "a.arrow", _arrow()
    else:
        name, good = f"a{CUT[kind][0]}", CUT[kind][1](ROWS[:30])
    count = len(read(kind, write(tmp_path / name, good)))
    for _ in range(60):
        data = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        results = made(kind, tmp_path / name, bytes(data[: chance.choice([len(data), len(data) - 9])]))  # fmt: skip
        assert results or kind == "parquet", (count, data)


def _arrow() -> bytes:
    sink = pa.BufferOutputStream()
    data = pa.table({"text": ["Words.", None, "More."], "meta": [{"url": "u"}, None, {"url": "v"}], "kinds": [["a"], [], None], "word": pa.array(["x", "y", "x"]).dictionary_encode()})  # fmt: skip
    with pa.ipc.new_stream(sink, data.schema) as writer:
        writer.write_table(data)
    return bytes(sink.getvalue())
