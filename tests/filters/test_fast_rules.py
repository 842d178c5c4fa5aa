"""The fast forms of the rules decide as the simple ones do, on texts made to part them."""

from __future__ import annotations

from dataclasses import astuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simple_filters as simple
from regrow.data.filters import lines, repetition, symbols, words
from regrow.data.filters.document import Document, Drop
from regrow.data.text import document, html
from regrow.params.data import Filter

PIECES = [
    "a", "Word", "don't", "'", "''", "x_1", "12", "1,2", "12k likes", "3 LI\u212aES", "5 v\u0131ews", "9 like\u017f",
    "CAPS", "...", ". . .", "\u2026", "#", "\u2022", "* ", "- ", "\u2019", "it\u2019s", "\u201cq\u201d", "\u00b7", "\u00b6",
    "\u00e9", "\u00b2", "\u00bd", "\u0663", "\u2167", "\u4f1a\u8bdd", "\u3002", "\u0e2a\u0e27", "\u30a2", "\u1000", "\uff21", "\U0001f600",
    "\U00020000", "e\u0301", "\ud800", "\ufeff", "\u200b", "\xad", "\x00", "\x1c", "\x1f", "\x7f", "\x85", "\xa0", "\u2028",
    "\u0130", "items in cart", "Read more...", "Sign-in", " ", "  ", "\t", "\n", "\n\n", "\n \n", "\r", "\r\n", "\x0b", "\x0c",
]  # fmt: skip
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=60).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=60).map(" ".join),
    st.text(max_size=80),
    st.text("ab '\n_1\u00e9", max_size=80),
)


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.integers(0, 5))
def test_words_are_cut_alike(text: str, n: int) -> None:
    assert words.tokens(text) == simple.tokens(text)
    assert words.count(text) == simple.count(text)
    assert words.spaced(text) == simple.spaced(text)
    assert words.fewer(text, n) == (simple.count(text) < n)
    assert symbols.lettered(words.spaced(text)) == simple.lettered(simple.spaced(text))


def test_every_character_is_cut_alike_alone_and_between_letters() -> None:
    for first in range(0, 0x110000, 0x1000):
        text = "\n".join(f"{chr(c)} a{chr(c)}b" for c in range(first, first + 0x1000))
        assert words.tokens(text) == simple.tokens(text), hex(first)


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.sampled_from([0, 0.2, 0.5, 0.999999, 1]), st.integers(0, 3))
def test_lines_are_judged_alike(text: str, share: float, least: int) -> None:
    for params in (
        Filter(max_uppercase_line=share, min_line_words=least, max_removed_words=1),
        Filter(max_numeric_line=share, min_line_words=least, max_removed_words=0.2),
    ):
        fast = lines.clean(Document(text), params)
        slow = simple.clean(Document(text), params)
        assert type(fast) is type(slow)
        assert astuple(fast) == astuple(slow)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "b", "cc", "ddd", "e\u00e9"]), max_size=70),
    st.dictionaries(st.integers(2, 10), st.floats(0, 1), min_size=1),
    st.sampled_from([1, 2]),
    st.integers(1, 3),
)
def test_repetitions_are_counted_alike(
    cut: list[str], limits: dict[int, float], unit: int, times: int
) -> None:
    cut = cut * times
    longest = max(limits)
    assert [*repetition.ngrams(cut, longest, unit)] == [*simple.ngrams(cut, longest, unit)]
    params = Filter(
        max_top_ngram={n: limit for n, limit in limits.items() if n <= 4},
        max_duplicate_ngram={n: limit for n, limit in limits.items() if n > 4},
        max_duplicate_lines=1, max_duplicate_paragraphs=1,
        max_duplicate_line_characters=1, max_duplicate_paragraph_characters=1,
    )  # fmt: skip
    fast = repetition.judge(Document(" ".join(cut)), params)
    slow = simple.first_repeated(cut, limits, 1)
    assert fast == (Drop(f"repetition.ngram_{slow[0]}", slow[1], limits[slow[0]]) if slow else None)


def test_codes_too_large_for_one_number_are_sorted_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = [*"abracadabra abracadabra cadabra"] * 3
    expected = [*simple.ngrams(cut, 10)]
    sort = repetition._sorted
    monkeypatch.setattr(
        repetition,
        "_sorted",
        lambda codes, places, bits, largest: sort(codes, places, bits, 1 << 62),
    )
    assert [*repetition.ngrams(cut, 10)] == expected


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_texts_are_tidied_alike(text: str) -> None:
    assert document.tidy(text) == simple.tidy(text)
    assert html._unlinked(text) == simple.unlinked(text)
    assert html._printed(text) == simple.printed(text)
