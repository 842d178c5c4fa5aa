"""A reason that a reader gives is on the page, with a file that shows it: nobody has to remember either.

`python tests/sources/test_reader_list.py` writes the tables of docs/concepts/readers.md.
"""

from __future__ import annotations

import gzip
import importlib
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
import drop_reasons
from regrow.data.sources.code import languages
from regrow.data.sources.opening import PACKINGS
from regrow.data.sources.reader import reader
from regrow.evidence.reasons import explained
from regrow.params.corpora import KINDS
from source_files import read, reasons, write

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/concepts/readers.md"
BEGIN = "<!-- readers: written by tests/sources/test_reader_list.py -->\n"
END = "<!-- end of readers -->\n"
SMALL = {"max_document_bytes": 1_000, "max_row_bytes": 2_000}


def _parquet(**columns: object) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, compression="none", use_dictionary=False)
    return bytes(sink.getvalue())


def _damaged() -> bytes:
    data = _parquet(text=["Words of a text."] * 9)
    place = data.index(b"\x10\0\0\0Words")  # the length of the first value
    return data[:place] + b"\xff\xff\xff\x7f" + data[place + 4 :]


WHOLE = {
    "unreadable": ("folder", None), "empty": ("a", b""), "too_large": ("a", b"word\n" * 400), "bad_compression": ("a.gz", b"plain"),
    "cut_short": ("a.gz", gzip.compress(b"words " * 99)[:-9]),
}  # fmt: skip
TEXT = WHOLE | {"not_text": ("a", b"\x89PNG\r\n\x1a\n" + bytes(99)), "bad_charset": ("a", bytes(range(128, 256)) * 4)}  # fmt: skip
EXAMPLES: dict[str, dict[str, tuple[str, bytes | None]]] = {
    "warc": {"unreadable": ("folder", None), "unreadable_record": ("a.warc", bytes(999))},
    "jsonl": {
        "unreadable": ("folder", None), "bad_compression": ("a.jsonl.gz", b"{}"), "cut_short": ("a.jsonl.gz", gzip.compress(b"{}")[:-9]),
        "row_too_large": ("a", b"x" * 2_001), "bad_charset": ("a", b'{"text": "\xff"}'), "too_deep": ("a", b"[" * 99), "bad_json": ("a", b"{bad"),
        "not_lines": ("a", b"[\n1\n]"), "not_an_object": ("a", b"1"), "missing_text": ("a", b"{}"), "wrong_type": ("a", b'{"text": 1}'),
        "empty": ("a", b'{"text": ""}'), "too_large": ("a", b'{"text": "' + b"x" * 1_001 + b'"}'),
    },
    "parquet": {
        "unreadable": ("folder", None), "bad_parquet": ("a.parquet", b"no"), "bad_arrow": ("a.arrow", b"no"), "damaged_rows": ("a.parquet", _damaged()),
        "missing_text": ("a.parquet", _parquet(a=[1])), "wrong_type": ("a.parquet", _parquet(text=[1])), "empty": ("a.parquet", _parquet(text=[""])),
        "too_large": ("a.parquet", _parquet(text=["x" * 1_001])), "not_text": ("a.parquet", _parquet(text=[bytes(99)])),
        "bad_charset": ("a.parquet", _parquet(text=[bytes(range(128, 256)) * 4])),
    },
    "text": TEXT,
    "html": WHOLE,
    "code": TEXT | {
        "vendored": ("vendor/a.c", b"x"), "lock_file": ("yarn.lock", b"x"), "data_file": ("a.csv", b"x"), "generated": ("a.c", b"// @generated"),
        "minified": ("a.js", b"x(" * 99), "too_many_lines": ("a.c", b"\n" * 100_002 + b"x"), "encoded_data": ("a.py", b"QUJD" * 20),
        "unknown_language": ("words", b"Some words."),
    },
    "pdf": WHOLE,
}  # fmt: skip
"""kind -> reason -> a file that is refused for it: its name, and its content (None: it is a folder)"""
STEPS = {f"data/sources/{name}.py" for name in ("step", "gather", "unpack", "packages", "fetch")}
"""they drop what no reader refuses, or count members of packages"""
CASES = [(kind, reason) for kind, found in EXAMPLES.items() for reason in found]


@pytest.mark.parametrize(("kind", "reason"), CASES)
def test_a_file_is_refused_for_it(kind: str, reason: str, tmp_path: Path):
    name, data = EXAMPLES[kind][reason]
    path = tmp_path / name
    if data is None:
        path.mkdir()
    else:
        write(path, data)
    limits = {} if reason == "too_many_lines" else SMALL
    assert reason in reasons(read(kind, path, name, **limits))


def test_every_reason_in_the_code_of_the_readers_is_in_the_table():
    said = {
        reason
        for reason, places in drop_reasons.in_source().items()
        if any(place.startswith("data/sources/") for place in places - STEPS)
    }
    assert said == {reason for found in EXAMPLES.values() for reason in found}


def test_every_kind_is_in_the_table():
    assert sorted(EXAMPLES) == list(KINDS)


def tables() -> str:
    """Kinds with their endings and reasons; then what the reasons mean."""
    lines = [
        "| kind | what it reads | endings | reasons of refusals |\n| --- | --- | --- | --- |\n"
    ]
    for kind, found in sorted(EXAMPLES.items()):
        module = importlib.import_module(f"regrow.data.sources.kinds.{kind}")
        about = " ".join((module.__doc__ or "").split()).partition(". ")[0].rstrip(".")
        said = ", ".join(f"`{reason}`" for reason in sorted(found))
        lines.append(f"| `{kind}` | {about} | {_endings(kind)} | {said} |\n")
    lines.append("\n| reason | what it means |\n| --- | --- |\n")
    every = sorted({reason for found in EXAMPLES.values() for reason in found})
    return "".join([*lines, *(f"| `{reason}` | {explained(reason)} |\n" for reason in every)])


def _endings(kind: str) -> str:
    endings = reader(kind).SUFFIXES
    if kind == "code":
        return f"{len(languages.ENDINGS)} endings and {len(languages.NAMES)} names of files, in `src/regrow/data/sources/code/languages.py`"
    plain = [ending for ending in endings if not ending.endswith(PACKINGS)]
    packed = [p for p in PACKINGS if any(ending.endswith(p) for ending in endings)]
    also = f"; packed: {', '.join(f'`{ending}`' for ending in packed)}" if packed else ""
    return ", ".join(f"`{ending}`" for ending in plain) + also


def parts(text: str) -> tuple[str, str, str]:
    """The page before, inside and after the tables."""
    before, _, rest = text.partition(BEGIN)
    inside, _, after = rest.partition(END)
    return before + BEGIN, inside, END + after


def test_the_page_has_the_tables_that_the_code_gives():
    assert parts(PAGE.read_text(encoding="utf-8"))[1] == tables(), f"run: python {Path(__file__).relative_to(ROOT)}"  # fmt: skip


if __name__ == "__main__":
    start, _, end = parts(PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(start + tables() + end, encoding="utf-8")
