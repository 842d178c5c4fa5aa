"""The suffix array against brute force, on alphabets so small that everything repeats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from regrow.data.index import files
from regrow.data.index.build import SEPARATOR, shards, suffixes
from regrow.data.index.rows import Rows
from regrow.data.index.search import Index, common, encode

ALPHABET = st.sampled_from([0, 1, 2, 255, 256, 65534])
ROWS = st.lists(st.lists(ALPHABET, min_size=1, max_size=12), min_size=1, max_size=8)


def rows(lists: list[list[int]], learned: list[list[bool]] | None = None) -> Rows:
    flat = np.array([token for row in lists for token in row], dtype=np.uint16)
    bits = None if learned is None else np.array([b for row in learned for b in row], dtype=bool)
    return Rows(flat, np.array([len(row) for row in lists]), learned=bits)


def counts(lists: list[list[int]], which: set[int]) -> NDArray[np.bool_]:
    return np.array([n in which for n in range(len(lists))])


def brute(lists: list[list[int]], span: list[int], which: set[int]) -> list[tuple[int, int]]:
    n = len(span)
    return [
        (number, at)
        for number, row in enumerate(lists)
        if number in which
        for at in range(len(row) - n + 1)
        if row[at : at + n] == span
    ]


@settings(max_examples=200, deadline=None)
@given(ROWS, st.lists(ALPHABET, min_size=1, max_size=15), st.data())
def test_matches_and_places_are_those_of_brute_force(lists, query, data):
    which = data.draw(st.sets(st.integers(0, len(lists) - 1)))
    most = data.draw(st.sampled_from([13, 20, 1000]))  # several shards, and one
    least = data.draw(st.integers(1, 3))
    index = Index.of(shards([rows(lists)], most))
    counted = counts(lists, which)
    found = index.matches(np.array(query, dtype=np.uint16), least, counted)
    for place in range(len(query)):
        lengths = [n for n in range(1, len(query) - place + 1)
                   if brute(lists, query[place : place + n], which)]  # fmt: skip
        longest = max(lengths, default=0)
        assert found[place] == (longest if longest >= least else 0)
        if longest:
            span = query[place : place + longest]
            numbers, offsets = index.places(np.array(span, dtype=np.uint16), counted)
            assert list(zip(numbers.tolist(), offsets.tolist(), strict=True)) == brute(
                lists, span, which
            )


@given(st.lists(st.integers(0, 65534), min_size=1, max_size=80))
def test_the_order_is_that_of_the_suffixes(tokens):
    text = np.array([*tokens, SEPARATOR], dtype=">u2")
    by_hand = sorted(range(len(tokens)), key=lambda at: [*tokens[at:], SEPARATOR])
    assert suffixes(text, len(tokens)).tolist() == by_hand


def test_a_match_longer_than_the_window_is_measured_whole():
    row = np.arange(1000) % 700
    index = Index.of(shards([rows([row.tolist()])]))
    query = np.concatenate([row[100:900], [9]]).astype(np.uint16)
    found = index.matches(query, 5, np.array([True]))
    assert found[0] == 800
    assert found[600] == 200  # the second time round: tokens 0 .. 199 of the row stand twice


def test_rows_that_do_not_count_are_stepped_over_however_many_they_are():
    lists = [[1, 2, 3, 4]] * 500 + [[1, 2, 3, 9]] + [[1, 2, 3, 4]] * 500
    index = Index.of(shards([rows(lists)]))
    query = np.array([1, 2, 3, 4], dtype=np.uint16)
    assert index.matches(query, 1, counts(lists, {500}))[0] == 3
    assert index.matches(query, 1, counts(lists, {999}))[0] == 4
    assert index.matches(query, 4, counts(lists, {500}))[0] == 0
    assert index.matches(query, 1, counts(lists, set())).tolist() == [0, 0, 0, 0]


def test_learned_tokens_are_counted_at_each_place():
    lists = [[5, 6, 7, 8], [6, 7, 6, 7]]
    bits = [[False, False, True, True], [True, True, False, True]]
    for most in (5, 100):
        index = Index.of(shards([rows(lists, bits)], most))
        span = np.array([6, 7], dtype=np.uint16)
        numbers, offsets = index.places(span, np.array([True, True]))
        assert list(zip(numbers.tolist(), offsets.tolist(), strict=True)) == [
            (0, 1),
            (1, 0),
            (1, 2),
        ]
        assert index.learned(numbers, offsets, 2).tolist() == [1, 2, 1]
    assert Index.of(shards([rows(lists)])).learned(numbers, offsets, 2) is None


@pytest.mark.parametrize("learned", [False, True])
def test_what_is_written_is_what_is_read(tmp_path: Path, learned: bool):
    lists = [[3, 1, 3, 1, 2], [1, 2], [3, 1, 2]]
    bits = [[n % 2 == 0 for n, _ in enumerate(row)] for row in lists] if learned else None
    made = list(shards([rows(lists, bits)], 9))
    meta = files.write(tmp_path, made)
    assert meta["shards"] == [9, 4] and meta["tokens"] == 10 and meta["rows"] == 3
    stored, held = files.read(tmp_path), Index.of(made)
    query, all_rows = np.array([3, 1, 2, 2], dtype=np.uint16), np.ones(3, dtype=bool)
    assert stored.matches(query, 1, all_rows).tolist() == [3, 2, 1, 1]
    for index in (stored, held):
        numbers, offsets = index.places(query[:2], all_rows)
        assert (numbers.tolist(), offsets.tolist()) == ([0, 0, 2], [0, 2, 0])
        got = index.learned(numbers, offsets, 2)
        assert got is None if not learned else got.tolist() == [1, 1, 1]
        assert index.row(2).tolist() == [3, 1, 2]
        assert index.tokens == 10
        assert index.unigrams[:4].tolist() == [0, 4, 3, 3]


def test_a_damaged_index_is_refused(tmp_path: Path):
    files.write(tmp_path, shards([rows([[1, 2, 3]])]))
    with (tmp_path / "suffixes-000.bin").open("ab") as file:
        file.write(b"\0\0\0\0")
    with pytest.raises(ValueError, match="suffixes-000"):
        files.read(tmp_path)


def test_what_cannot_be_indexed_is_said():
    with pytest.raises(ValueError, match="separator"):
        list(shards([rows([[1, SEPARATOR]])]))
    with pytest.raises(ValueError, match="exceeds a shard of 5"):
        list(shards([rows([[1, 2, 3, 4, 5]])], 5))
    with pytest.raises(ValueError, match="no tokens"):
        list(shards([]))


@given(st.lists(ALPHABET, max_size=9), st.lists(ALPHABET, max_size=9))
def test_common_counts_whole_tokens(left, right):
    both = zip(left, right, strict=False)
    by_hand = next((n for n, (a, b) in enumerate(both) if a != b), min(len(left), len(right)))
    assert (
        common(encode(np.array(left, dtype=np.uint16)), encode(np.array(right, dtype=np.uint16)))
        == by_hand
    )
