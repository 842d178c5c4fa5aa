"""JSON lines: every line is a document or a refusal with a reason, and none stops the reader."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import zstandard

from regrow.data.sources import json_rows
from source_files import made, one, read, reasons, texts, write

GOOD = b'{"id": "a", "text": "A first text."}\n'


def test_fields_by_their_usual_names(tmp_path: Path):
    row = {
        "text": "Words.", "id": 12, "url": "https://a.example/x", "timestamp": "2020-01-01", "lang": "en",
        "metadata": {"license": "CC-BY-4.0", "title": "T"},
    }  # fmt: skip
    item = one(made("jsonl", tmp_path / "a.jsonl", json.dumps(row)))
    assert (item.text, item.payload, item.name, item.url) == ("Words.", b"Words.", "12", row["url"])
    assert (item.date, item.language, item.licence, item.title) == (
        "2020-01-01",
        "en",
        "CC-BY-4.0",
        "T",
    )


@pytest.mark.parametrize("ending", ["", ".gz", ".zst", ".bz2", ".xz"])
def test_packed_or_not(ending: str, tmp_path: Path):
    pack = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress, ".bz2": bz2.compress, ".xz": lzma.compress}  # fmt: skip
    assert texts(made("jsonl", tmp_path / f"a.jsonl{ending}", pack[ending](GOOD * 3))) == ["A first text."] * 3  # fmt: skip


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{broken", "bad_json"),
        (b'{"text": "cut', "bad_json"),
        (b'{"text": "a"} {"text": "b"}', "bad_json"),
        (b"\0\0\0\0", "bad_json"),
        (b"[1, 2]", "not_an_object"),
        (b'"a string"', "not_an_object"),
        (b"null", "not_an_object"),
        (b'{"id": 1}', "missing_text"),
        (b'{"text": null}', "missing_text"),
        (b'{"text": NaN}', "missing_text"),
        (b'{"text": 12}', "wrong_type"),
        (b'{"text": ["a"]}', "wrong_type"),
        (b'{"text": true}', "wrong_type"),
        (b'{"text": " \\n"}', "empty"),
        (b'{"text": "caf\xe9"}', "bad_charset"),
        (b'{"text": "\xed\xa0\x80"}', "bad_charset"),
        (b'{"a": ' + b"[" * 100 + b"]" * 100 + b', "text": "x"}', "too_deep"),
        (b"[" * 200_000, "too_deep"),
        (b'{"a":' * 100_000, "too_deep"),
        (b'{"text": "' + b"x" * 1_500 + b'"}', "too_large"),
        (b'{"text": "' + b"x" * 3_000 + b'"}', "row_too_large"),
    ],
)
def test_a_bad_line_is_refused_and_the_reader_goes_on(line: bytes, reason: str, tmp_path: Path):
    limits = {"max_document_bytes": 1_000, "max_row_bytes": 2_000}
    if reason == "too_deep":
        limits["max_row_bytes"] = 1_000_000
    results = made("jsonl", tmp_path / "a.jsonl", GOOD + line + b"\n\n" + GOOD, **limits)
    assert reasons(results) == ["kept", reason, "kept"]
    refused: Any = results[1]
    assert refused.place == "a.jsonl, line 2"
    assert refused.payload == line[:4_096]


def test_a_line_of_a_gigabyte_is_one_refusal(tmp_path: Path):
    """Members of gzip one after another are one stream, so that the middle is packed once."""
    part = gzip.compress(b"x" * (1 << 22))
    ends = [gzip.compress(GOOD + b'{"text": "'), gzip.compress(b'"}\n' + GOOD)]
    path = write(tmp_path / "a.jsonl.gz", ends[0] + part * 256 + ends[1])
    results = read("jsonl", path, max_row_bytes=100_000)
    assert reasons(results) == ["kept", "row_too_large", "kept"]
    assert results[1].value == float((1 << 30) + 12)  # type: ignore[union-attr]


def test_numbers_stay_as_they_are_written(tmp_path: Path):
    huge = "9" * 6_000
    line = f'{{"id": {huge}, "text": "x", "score": 1.50, "bad": NaN, "far": Infinity, "n": {{"b": 2e5, "a": -0}}}}'
    item = one(made("jsonl", tmp_path / "a.jsonl", line, metadata=["score", "bad", "far", "n"]))
    assert item.name == huge
    assert item.metadata == {"score": "1.50", "far": "Infinity", "n": '{"a": -0, "b": 2e5}'}


def test_halves_of_characters_are_removed_from_text_and_marked_elsewhere(tmp_path: Path):
    line = b'{"text": "a\\ud800b \\ud83d\\ude00 \\u0000", "id": "i\\udc00", "tag": "\\ud800"}'
    item = one(made("jsonl", tmp_path / "a.jsonl", line, metadata=["tag"]))
    assert (item.text, item.repaired, item.name) == ("ab \U0001f600 \0", 1, "i?")
    assert item.payload != item.text.encode()  # another row, without the half, is another document
    item.text.encode(), item.metadata["tag"].encode()


@pytest.mark.parametrize("text", ['[\n{"text": "a"},\n{"text": "b"}\n]', '{\n  "text": "a"\n}\n', '[{"text": "a"},\n{"text": "b"}]'])  # fmt: skip
def test_a_file_that_is_one_json_value_is_refused_and_says_what_to_do(text: str, tmp_path: Path):
    refused = one(made("jsonl", tmp_path / "a.json", text))
    assert refused.reason == "not_lines"
    assert "jq -c '.[]'" in refused.detail


def test_an_array_on_one_line_is_a_bad_row_that_says_what_to_do(tmp_path: Path):
    results = made("jsonl", tmp_path / "a.json", b'[{"text": "a"}, {"text": "b"}]\n' + GOOD)
    assert reasons(results) == ["not_an_object", "kept"]
    assert "jq -c '.[]'" in results[0].detail  # type: ignore[union-attr]


def test_marks_of_byte_order(tmp_path: Path):
    assert texts(made("jsonl", tmp_path / "a.jsonl", b"\xef\xbb\xbf" + GOOD)) == ["A first text."]
    refused = one(made("jsonl", tmp_path / "b.jsonl", GOOD.decode().encode("utf-16")))
    assert (refused.reason, refused.detail) == ("bad_charset", "UTF-16; JSON is UTF-8")


def test_rows_with_one_id_are_both_given(tmp_path: Path):
    assert reasons(made("jsonl", tmp_path / "a.jsonl", GOOD + GOOD)) == ["kept", "kept"]


def test_a_truncated_file_gives_the_rows_before(tmp_path: Path):
    rows = b"".join(b'{"id": %d, "text": "%s"}\n' % (n, bytes([97 + n % 26]) * 50) for n in range(9_000))  # fmt: skip
    for name, data in (("a.jsonl.gz", gzip.compress(rows)), ("a.jsonl.zst", zstandard.compress(rows))):  # fmt: skip
        *kept, last = made("jsonl", tmp_path / name, data[: len(data) * 3 // 4])
        assert set(reasons(kept)) == {"kept"}
        assert last.reason == "cut_short"  # type: ignore[union-attr]
        assert last.place == f"{name}, line {len(kept) + 1}"  # type: ignore[union-attr]


def test_empty_files_have_no_rows_and_folders_are_refused(tmp_path: Path):
    assert made("jsonl", tmp_path / "a.jsonl", b"") == []
    assert made("jsonl", tmp_path / "b.jsonl.gz", gzip.compress(b"")) == []
    (tmp_path / "c.jsonl").mkdir()
    assert reasons(read("jsonl", tmp_path / "c.jsonl")) == ["unreadable"]


def test_files_of_json_that_packages_ship(tmp_path: Path):
    """Real ones: schemas and indexes, which are one value over many lines, and must not come as a drop per line."""
    import jsonschema_specifications

    root = Path(jsonschema_specifications.__file__).parent
    files = sorted(root.rglob("*.json")) or sorted(path for path in root.rglob("schemas/**/metaschema*"))  # fmt: skip
    assert files
    for path in files:
        assert reasons(read("jsonl", path)) == ["not_lines"]


def test_depth_is_measured_outside_of_strings():
    limit = json_rows.MAX_DEPTH
    deep = b'{"a": ' + b"[" * (limit - 1) + b"]" * (limit - 1) + b', "b": "' + b'[\\"' * 500 + b'"}'
    assert json_rows.row(deep)["b"] == '["' * 500
    with pytest.raises(json_rows.RowError) as error:
        json_rows.row(b'{"a": ' + b"[" * limit + b"]" * limit + b"}")
    assert (error.value.value, error.value.threshold) == (limit + 1, limit)


def test_the_file_of_the_gigabyte_needs_no_gigabyte(tmp_path: Path):
    path = write(tmp_path / "a.jsonl.zst", zstandard.compress(b"x" * (64 << 20) + b"\n" + GOOD))
    tracemalloc.start()
    try:
        found = reasons(read("jsonl", path, max_row_bytes=100_000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == ["row_too_large", "kept"]
    assert peak < 24 << 20
