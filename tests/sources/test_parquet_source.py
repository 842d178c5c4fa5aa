"""Parquet and Arrow: row groups one at a time, every type a value, damage refused where it is."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regrow.data.sources.arrow_values import values
from regrow.data.sources.item import Item, Refused
from source_files import made, one, read, reasons, texts, write

ROWS = 1_000


def table(count: int = ROWS) -> pa.Table:
    return pa.table({
        "id": pa.array(range(count), pa.int64()),
        "text": [f"Text {n}. " + "words " * (n % 40) for n in range(count)],
        "meta": [{"url": f"https://a.example/{n}", "license": None} for n in range(count)],
        "score": [float(n) for n in range(count)],
    })  # fmt: skip


def stream(path: Path, data: pa.Table, rows: int = 100) -> Path:
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, data.schema) as writer:
        writer.write_table(data, max_chunksize=rows)
    return path


def ipc(path: Path, data: pa.Table, rows: int = 100, **options: Any) -> Path:
    settings = pa.ipc.IpcWriteOptions(**options)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, data.schema, options=settings) as writer:  # fmt: skip
        writer.write_table(data, max_chunksize=rows)
    return path


def test_all_layouts_give_the_same_documents(tmp_path: Path):
    data = table()
    pq.write_table(data, tmp_path / "a.parquet", row_group_size=300)
    stream(tmp_path / "b.arrow", data)
    ipc(tmp_path / "c.feather", data, compression="zstd")
    ipc(tmp_path / "d.arrow", data, compression="lz4")
    found = [read("parquet", tmp_path / name, metadata=["score"]) for name in ("a.parquet", "b.arrow", "c.feather", "d.arrow")]  # fmt: skip
    assert found[0] == found[1] == found[2] == found[3]
    item = found[0][7]
    assert isinstance(item, Item)
    assert (item.name, item.url, item.metadata) == ("7", "https://a.example/7", {"score": "7.0"})
    assert len(found[0]) == ROWS


def test_files_that_datasets_writes(tmp_path: Path):
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_dict({"text": ["a", "b"], "id": ["1", "2"]}).save_to_disk(tmp_path / "d")
    (path,) = sorted((tmp_path / "d").glob("*.arrow"))
    assert texts(read("parquet", path)) == ["a", "b"]


@pytest.mark.parametrize("kind", [
    pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view(),
    pa.dictionary(pa.int32(), pa.string()),
], ids=str)  # fmt: skip
@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_text_in_every_type_that_holds_it(kind: pa.DataType, ending: str, tmp_path: Path):
    base = pa.array(["Été", None, "b"])
    column = base.dictionary_encode() if pa.types.is_dictionary(kind) else base.cast(kind)
    path, data = tmp_path / f"a.{ending}", pa.table({"text": column})
    if ending == "parquet":
        pq.write_table(data, path)
    else:
        stream(path, data)
    results = read("parquet", path)
    assert reasons(results) == ["kept", "missing_text", "kept"]
    assert texts(results) == ["Été", "b"]


def test_bytes_in_another_charset_are_decoded_and_pictures_are_refused(tmp_path: Path):
    words = (
        "Où est la bibliothèque ? Elle est fermée aujourd'hui, à cause d'un problème électrique."
    )
    pq.write_table(pa.table({"content": [words.encode("cp1252"), b"\x89PNG\r\n\x1a\n" + bytes(99)]}), tmp_path / "a.parquet")  # fmt: skip
    item, refused = read("parquet", tmp_path / "a.parquet")
    assert isinstance(item, Item) and isinstance(refused, Refused)
    assert (item.text, item.charset, item.payload) == (words, "cp1252", words.encode("cp1252"))
    assert refused.reason == "not_text"


def test_types_that_hold_no_text_are_the_wrong_type(tmp_path: Path):
    for number, column in enumerate(([["a"]], [{"x": 1}], [1], [1.5], [True], [datetime.date(2020, 1, 1)])):  # fmt: skip
        path = tmp_path / f"{number}.parquet"
        pq.write_table(pa.table({"text": column}), path)
        assert reasons(read("parquet", path)) == (["kept"] if number == 5 else ["wrong_type"]), column  # fmt: skip


def test_values_are_those_of_json_rows():
    utc = pa.timestamp("ns", "Europe/Berlin")
    for array, wanted in (
        (pa.array([1, None], pa.int8()), ["1", None]),
        (pa.array([2**63], pa.uint64()), [str(2**63)]),
        (pa.array([0.1, float("nan"), float("inf")]), ["0.1", None, "inf"]),
        (pa.array([1_577_836_800_000_000_001, -1], pa.int64()).cast(utc), ["2020-01-01T00:00:00.000000001Z", "1969-12-31T23:59:59.999999999Z"]),
        (pa.array([2**62], pa.int64()).cast(pa.timestamp("s")), [str(2**62)]),
        (pa.array([0, 18_262], pa.int32()).cast(pa.date32()), ["1970-01-01", "2020-01-01"]),
        (pa.array([["a", None], None]), [["a", None], None]),
        (pa.array([{"a": [1]}, None]), [{"a": ["1"]}, None]),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int8())), [{"k": "1"}]),
        (pa.array([b"\xff", b"a"]).view(pa.string()), [b"\xff", "a"]),
        (pa.array([None, None]), [None, None]),
        (pa.array([b"ab"], pa.binary(2)), [b"ab"]),
        (pa.DictionaryArray.from_arrays(pa.array([1, 0, None]), ["x", "y"]), ["y", "x", None]),
    ):  # fmt: skip
        assert values(array) == wanted, array.type


def test_a_damaged_row_group_is_refused_and_the_next_one_is_read(tmp_path: Path):
    path = tmp_path / "a.parquet"
    pq.write_table(table(), path, row_group_size=250, compression="zstd", use_dictionary=False, write_page_checksum=True)  # fmt: skip
    column = pq.read_metadata(path).row_group(1).column(1)
    data = bytearray(path.read_bytes())
    data[column.data_page_offset + column.total_compressed_size // 2] ^= 0xFF
    results = made("parquet", path, bytes(data))
    bad = [result for result in results if isinstance(result, Refused)]
    assert [(b.reason, b.place, b.value) for b in bad] == [("damaged_rows", "a.parquet, row group 2", 250.0)]  # fmt: skip
    assert len(texts(results)) == ROWS - 250
    assert str(tmp_path) not in bad[0].detail


def test_a_damaged_batch_is_refused_and_the_next_one_is_read(tmp_path: Path):
    path = ipc(tmp_path / "a.arrow", table(), compression="zstd")
    data = bytearray(path.read_bytes())
    for place in range(len(data) // 2, len(data) // 2 + 64):
        data[place] ^= 0xFF
    results = made("parquet", path, bytes(data))
    assert reasons(results).count("damaged_rows") == 1
    assert len(texts(results)) == ROWS - 100


def test_truncated_empty_and_foreign_files_are_refused(tmp_path: Path):
    pq.write_table(table(), tmp_path / "a.parquet")
    data = (tmp_path / "a.parquet").read_bytes()
    assert reasons(made("parquet", tmp_path / "b.parquet", data[:-100])) == ["bad_parquet"]
    assert reasons(made("parquet", tmp_path / "c.parquet", b"")) == ["bad_parquet"]
    assert reasons(made("parquet", tmp_path / "d.parquet", b"PAR2" + data[4:-4] + b"PAR2")) == ["bad_parquet"]  # fmt: skip
    assert reasons(made("parquet", tmp_path / "e.arrow", b"")) == ["bad_arrow"]
    assert reasons(made("parquet", tmp_path / "f.feather", b"FEA1" + bytes(50))) == ["bad_arrow"]
    (tmp_path / "g.parquet").mkdir()
    assert reasons(read("parquet", tmp_path / "g.parquet")) == ["unreadable"]
    refused = one(made("parquet", tmp_path / "h.parquet", b"no parquet " * 9))
    assert str(tmp_path) not in refused.detail


def test_a_truncated_stream_gives_the_batches_before(tmp_path: Path):
    data = stream(tmp_path / "a.arrow", table()).read_bytes()
    *kept, last = made("parquet", tmp_path / "b.arrow", data[: len(data) // 2])
    assert set(reasons(kept)) == {"kept"} and len(kept) % 100 == 0 and kept
    assert isinstance(last, Refused)
    assert last.reason == "bad_arrow" and last.detail.startswith(f"after {len(kept)} rows: ")


def test_rows_without_a_column_of_text_are_named_by_what_they_have(tmp_path: Path):
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", "y"]}), tmp_path / "a.parquet")
    results = read("parquet", tmp_path / "a.parquet")
    assert reasons(results) == ["missing_text"] * 2
    assert [r.payload for r in results if isinstance(r, Refused)] == [b'{"a": 1, "b": "x"}', b'{"a": 2, "b": "y"}']  # fmt: skip


def test_files_of_parquet_and_feather_that_pyarrow_ships():
    root = Path(pa.__file__).parent / "tests/data"
    files = sorted([*root.rglob("*.parquet"), *root.rglob("*.feather")])
    if not files:
        pytest.skip("this build of pyarrow ships no test data")
    for path in files:
        assert set(reasons(read("parquet", path))) == {"missing_text"}, path.name


def test_writing_leaves_nothing_open(tmp_path: Path):
    """A file that is refused can be replaced."""
    path = write(tmp_path / "a.parquet", b"x")
    read("parquet", path)
    path.unlink()
