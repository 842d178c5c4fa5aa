"""Long strings that come again: the same cuts as by brute force, for any partition, and a copy of each that stays."""

import random
import tempfile
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from determinism import run_twice
from regrow.data.dedup import step
from regrow.data.dedup.substring import anchors, cuts, cutting, repeats
from regrow.data.dedup.substring.anchors import Anchors, smallest
from regrow.data.dedup.substring.places import Places
from regrow.data.dedup.substring.repeats import AGAIN, FIRST, Repeats
from regrow.data.dedup.substring.rolling import Rolling
from regrow.params.data import Dedup, Substring

LETTERS = st.text("ab\u00e9", max_size=24)
PIECES = st.lists(
    st.sampled_from(["abab", "\u65e5\u672c", "xyzxyz", "aaaaaaaa", "q", "\u00e9"]), max_size=8
)
TEXTS = st.lists(LETTERS | PIECES.map("".join), max_size=5)


def expected_marks(data: list[bytes], size: int, times: int) -> list[list[int]]:
    places: dict[bytes, list[tuple[int, int]]] = {}
    for at, text in enumerate(data):
        for begin in range(len(text) - size + 1):
            places.setdefault(text[begin : begin + size], []).append((at, begin))
    marks = [[0] * len(text) for text in data]
    for members in places.values():
        if len(members) >= times:
            for number, (at, begin) in enumerate(members):
                marks[at][begin] = AGAIN if number else FIRST
    return marks


def expected_cut(text: bytes, marks: list[int], size: int, share: float) -> set[int]:
    """The places of the bytes that go, by the definition."""

    def covered(mark: int) -> set[int]:
        return {b for at, one in enumerate(marks) if one == mark for b in range(at, at + size)}

    again, kept = covered(AGAIN), covered(FIRST)
    begins = [b for b in again if b - 1 not in again]
    ends = [b + 1 for b in again if b + 1 not in again]
    gone: set[int] = set()
    for begin in begins:
        for end in ends:
            span = range(begin, end)
            if begin < end and 100 * len(again & set(span)) >= round(100 * share) * len(span):
                gone |= set(span)
    gone -= kept
    found: set[int] = set()
    at = 0
    for character in text.decode():
        size_ = len(character.encode())
        found |= set(range(at, at + size_)) if set(range(at, at + size_)) <= gone else set()
        at += size_
    return found


def found_marks(data: list[bytes], size: int, times: int, parts: int) -> list[list[int]]:
    whole = b"".join(data)
    with tempfile.TemporaryDirectory() as name, Places(Path(name) / "marks", len(whole)) as marks:
        (Path(name) / "corpus").write_bytes(whole)
        begins = np.cumsum([0, *map(len, data)]).tolist()
        with Anchors(size, Path(name) / "runs", parts) as written:
            for text, begin in zip(data, begins, strict=False):
                written.add(np.frombuffer(text, np.uint8), begin)
        with Places(Path(name) / "corpus") as corpus:
            found = Repeats(corpus, marks, size, times)
            for path in written.files:
                found.mark(path)
        return [[*marks.read(a, b - a)] for a, b in pairwise(begins)]


@settings(max_examples=150, deadline=None)
@given(
    TEXTS, st.integers(1, 9), st.integers(2, 3), st.integers(1, 3),
    st.sampled_from([1, 3, 1 << 20]), st.booleans(),
)  # fmt: skip
def test_marks_are_those_of_brute_force(texts, size, times, parts, most, weak):
    """For any number of parts, any bound of memory, and for numbers that tell few windows apart."""
    data = [text.encode() for text in texts]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "MOST", most)
        patch.setattr(anchors, "AT_ONCE", most)
        if weak:
            whole = Rolling.of
            patch.setattr(Rolling, "of", lambda self, data: whole(self, data) & np.uint64(3))
        assert found_marks(data, size, times, parts) == expected_marks(data, size, times)


@settings(max_examples=200, deadline=None)
@given(
    LETTERS | PIECES.map("".join),
    st.data(),
    st.integers(1, 6),
    st.sampled_from([0.3, 0.5, 0.8, 1.0]),
)
def test_spans_are_those_of_brute_force(text, draw, size, share):
    data = text.encode()
    marks = draw.draw(st.lists(st.integers(0, 2), min_size=len(data), max_size=len(data)))
    marks[max(0, len(data) - size + 1) :] = [0] * min(len(data), size - 1)
    spans = cuts.spans(data, np.array(marks, np.uint8), size, share)
    assert {b for span in spans for b in range(*span)} == expected_cut(data, marks, size, share)
    left = cuts.without(data, spans)
    left.decode()
    assert len(left) == len(data) - sum(end - begin for begin, end in spans)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(1, 8))
def test_the_smallest_of_each_window(values, width):
    if len(values) >= width:
        found = smallest(np.array(values, np.uint64), width).tolist()
        assert found == [min(values[at : at + width]) for at in range(len(values) - width + 1)]


def test_numbers_of_windows_depend_on_the_window_alone():
    rng = random.Random(0)
    data = bytes(rng.choices(b"ab", k=3_000))
    numbers = Rolling(9).of(np.frombuffer(data, np.uint8)).tolist()
    windows = [data[at : at + 9] for at in range(len(data) - 8)]
    assert len({*zip(windows, numbers, strict=True)}) == len({*windows}) == len({*numbers})
    assert Rolling(9).of(np.frombuffer(b"short", np.uint8)).tolist() == []


def said(seed: int, words: int) -> str:
    rng = random.Random(seed)
    return " ".join("".join(rng.choices("abcdefghij", k=6)) for _ in range(words))


SHARED = said(0, 100)  # 699 bytes
ROWS = [
    {"id": f"d{at}", "url": f"http://h/{at}", "source": "s", "text": text}
    for at, text in enumerate(
        [
            f"{said(1, 300)} {SHARED} {said(2, 300)}",
            f"{said(3, 300)} {SHARED} {said(4, 300)}",
            f"\u65e5{SHARED}\u672c",  # less than the least is left
            f"{said(5, 300)} {SHARED[:450]} {said(6, 300)}",  # too short to count
            f"{said(7, 400)}",
            "",
        ]
    )
]
SCHEMA = dict.fromkeys(("id", "url", "source", "text"), pl.String) | {"characters": pl.Int64}
ON = SimpleNamespace(dedup=Dedup(substring=Substring()))


def run(folder: Path, params: object, rows=ROWS):
    folder.mkdir(parents=True, exist_ok=True)
    rows = [row | {"characters": len(row["text"])} for row in rows]
    pl.DataFrame(rows, SCHEMA).write_parquet(folder / "documents.parquet")
    return step.run({"filter": folder}, params, folder / "out")


def test_the_first_copy_stays_and_what_goes_is_counted(tmp_path):
    counts = run(tmp_path, ON)
    documents = pl.read_parquet(tmp_path / "out/documents.parquet")
    texts = dict(documents.select("id", "text").iter_rows())
    assert documents["characters"].to_list() == [len(text) for text in documents["text"]]
    before = {row["id"]: row["text"] for row in ROWS}
    assert [name for name, text in texts.items() if text != before[name]] == ["d1"]
    assert texts["d1"] == before["d1"].replace(
        f" {SHARED} ", ""
    )  # the spaces around it come again too
    drops = pl.read_parquet(tmp_path / "out/drops.parquet")
    assert drops["id"].to_list() == ["d2"] and drops["reason"].to_list() == ["substring"]
    assert drops["value"].to_list() == [2.0] and drops["threshold"].to_list() == [150.0]
    lost = pl.read_parquet(tmp_path / "out/cuts.parquet")
    size = len(SHARED)
    assert lost.select("id", "bytes", "spans").rows() == [("d1", size + 2, 1), ("d2", size, 1)]
    total = sum(len(text.encode()) for text in before.values())
    assert counts == {
        "in": 6, "kept": 5, "dropped": {"substring": 1},
        "cut": {"documents": 2, "spans": 2, "bytes": 2 * size + 2, "of_bytes": total},
    }  # fmt: skip


def test_nothing_is_cut_unless_the_params_ask(tmp_path):
    counts = run(tmp_path, SimpleNamespace(dedup=Dedup()))
    assert counts == {"in": 6, "kept": 6, "dropped": {}}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "documents.parquet",
        "drops.parquet",
    ]


def test_a_text_with_the_first_copy_of_something_stays_however_short(tmp_path):
    one, other = "\u65e5" * 4 + "ab" * 2, "cd" * 8
    texts = [one + other, f"x{other}{one}", f"{said(1, 90)}{other}{one}{said(2, 90)}"]
    rows = [ROWS[at] | {"text": text} for at, text in enumerate(texts)]
    params = SimpleNamespace(dedup=Dedup(substring=Substring(min_bytes=16)))
    counts = run(tmp_path, params, rows)
    documents = pl.read_parquet(tmp_path / "out/documents.parquet")
    assert counts["dropped"] == {} and counts["cut"]["documents"] == 2
    parts = one, other, (other + one)[1:-1]
    assert all(any(part in text for text in documents["text"]) for part in parts)


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.integers(1, 9), st.sampled_from([0.3, 0.8]))
def test_every_repeated_string_is_still_there_once(texts, size, share):
    data = [text.encode() for text in texts]
    marks = found_marks(data, size, 2, 1)
    for text, marked in zip(data, marks, strict=True):
        left = cuts.without(text, cuts.spans(text, np.array(marked, np.uint8), size, share))
        for begin, mark in enumerate(marked):
            assert mark != FIRST or text[begin : begin + size] in left


def test_order_and_parts_of_the_table_change_nothing(tmp_path, monkeypatch):
    run(tmp_path / "a", ON)
    monkeypatch.setattr(cutting, "PART", 500)
    monkeypatch.setattr(repeats, "MOST", 64)
    run(tmp_path / "b", ON, ROWS[::-1])
    for name in ("documents", "drops", "cuts"):
        one, other = ((tmp_path / at / f"out/{name}.parquet").read_bytes() for at in "ab")
        assert one == other


def test_bytes_are_the_same_in_every_process(tmp_path):
    pl.DataFrame(ROWS, SCHEMA).write_parquet(tmp_path / "documents.parquet")
    code = (
        "import sys; from pathlib import Path; from types import SimpleNamespace\n"
        "from regrow.data.dedup import step\n"
        "from regrow.params.data import Dedup, Substring\n"
        "step.run({'filter': Path(sys.argv[2])}, SimpleNamespace(dedup=Dedup(substring=Substring())), Path(sys.argv[1]))"
    )
    found = run_twice(code, tmp_path / "twice", str(tmp_path))
    assert any(name.endswith("cuts.parquet") for name in found)
