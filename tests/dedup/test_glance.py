"""A glance at few n-grams: it never misses what the closer look finds, and lets little else through."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import library_corpus as corpus
from regrow.data.dedup import marking
from regrow.data.dedup.folding import tokens
from regrow.data.dedup.glance import Glance
from regrow.data.dedup.items import Item, Items, Reader
from regrow.data.dedup.sequences import Sequences
from regrow.data.dedup.shingles import Shingler

SEQUENCES = Sequences(1)
PIECES = (
    "3", "4", "45.64", "10,100", "a", "b", "n", "'", "\u2019", '"', " ", " ", " ", "\n", "\n\n", ".", "?", "!", ":", ", ", " + ",
    "*", "**", "_", "-", "(", ")", "\u093f", "\u0915\u094d", "\u0301", "三", "語", "ก", "\u00bd", "\u200b", "\u00ad", "&amp;", "&#57344;",
    "<b>", "</b>", "word", "what", "is", "the", "entropy", "don't", "Sort", "name", "Q1.", "a)", "[x](y)", "\ue000", "\ue001",
)  # fmt: skip
TEXT = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


def reached(items: Items, text: str) -> tuple[bool, bool]:
    """Whether the closer look finds an item, and whether the glance lets the text through to it."""
    found = items.find(Reader().read(text)) is not None
    return found, marking.may_have_marks(text) or items.may_hold(SEQUENCES.words(text))


@settings(max_examples=250, deadline=None)
@given(
    st.lists(TEXT, min_size=1, max_size=3), TEXT, TEXT, st.sampled_from((3, 8, 13)), st.booleans()
)
@example(["Sort 45, 64."], "x ", " y", 13, False)
@example(["3"], "\u0915\u094d", "", 13, False)
@example(["a '3'"], "it's ", "'", 8, True)
def test_what_is_found_was_let_through(
    texts: list[str], before: str, after: str, n: int, exact: bool
) -> None:
    items = Items(
        [Item(f"{k}", text, exact=exact) for k, text in enumerate(texts)], Reader(), n, 0.3
    )
    for text in (texts[0], before + texts[0] + after, f"{before} {texts[0]} {after}", f"{before}\n{texts[-1]}\n{after}"):  # fmt: skip
        found, through = reached(items, text)
        assert through or not found, text


def spoken(key: int, count: int) -> list[str]:
    rng = random.Random(key)
    return ["".join(rng.choices("abdegiklmnorstu", k=6)) for _ in range(count)]


@pytest.mark.parametrize("n", [8, 13])
def test_a_stretch_is_seen_wherever_it_is_and_a_shorter_one_is_not(n: int) -> None:
    item = spoken(1, 60)
    items = Items([Item("long", " ".join(item))], Reader(), n, 0.3)
    for offset in range(30):
        text = [*spoken(2, offset), *item[7 : 7 + n], *spoken(3, 40)]
        assert items.may_hold(SEQUENCES.words(" ".join(text))), offset
        assert items.may_hold(SEQUENCES.words(" ".join(text[: offset + n])))
        del text[offset]
        assert not items.may_hold(SEQUENCES.words(" ".join(text))), offset


@pytest.mark.parametrize("length", [1, 2, 3, 5, 9, 12, 13, 40])
def test_an_item_of_any_length_is_seen_at_any_place(length: int) -> None:
    words = [f"{word}7" for word in spoken(length, length)]
    items = Items([Item("x", " ".join(words))], Reader(), 13, 0.3)
    for offset in (0, 1, 5, 12, 13):
        for rest in (0, 1, 20):
            text = " ".join([*spoken(8, offset), ".", *words, ".", *spoken(9, rest)])
            found, through = reached(items, text)
            # A single such word says so little that it counts as a whole text only.
            assert found == through == (length > 1 or len(text.split()) == 3)
    assert not items.may_hold(SEQUENCES.words(" ".join(spoken(10, 500))))


def test_nearly_all_of_real_text_is_passed_by_and_decided_alike() -> None:
    """Items are a page's first lines; the pages that hold them are found either way."""
    pages = [text for _, text in corpus.pages(20)]
    lines = [text.strip().split("\n")[0] for text in pages[::9]]
    items = Items([Item(f"{k}", line) for k, line in enumerate(lines)], Reader(), 13, 0.3)
    decided = [reached(items, text) for text in pages]
    assert all(through or not found for found, through in decided)
    assert sum(found for found, _ in decided) >= len(set(lines)) // 2
    assert sum(through for _, through in decided) <= 3 * sum(found for found, _ in decided)


def test_words_are_those_of_the_shingler() -> None:
    for text in ("Don't fold 10,100 \u00bd me", "\u4e09\u8a9e and\ud800 'x' y", "", "\n", "a" * 40):
        shingler = Shingler(1)
        assert np.array_equal(SEQUENCES.words(text), shingler.numbers(tokens(text)))


def test_nothing_is_seen_of_nothing() -> None:
    empty = Glance(13)
    assert not empty.may_hold(SEQUENCES.words("some words")) and not empty.may_hold(
        SEQUENCES.words("")
    )
