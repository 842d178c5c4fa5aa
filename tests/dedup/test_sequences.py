"""Many texts at once give the n-grams that one text gives alone, and folding without looking gives what looking gives."""

import html
import re
import sys
import unicodedata

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from regrow.data.dedup import folding, numbering, sequences, splitting
from regrow.data.dedup.minhash import buckets
from regrow.data.dedup.sequences import Sequences
from regrow.data.dedup.shingles import Shingler, number
from regrow.data.filters import words

ODD = [
    "a", "B", "tr", " ", "\n", "'", "\u2019", "\u2018", "`", "_", "*", "**", "~~", "~", "1", "000", "1,000", "10'000",
    "2\xa0000", "3\u202f000", "\u0661,\u0660\u0660\u0660", "\ufb01", "\u0130", "\u00ad", "\u200f", "\u65e5", "\u672c", "\u30ab",
    "\U00020000", "\U0001f600", "\U0001d49c", "\U00010330", "\ud800", "\udc00", "&amp;", "<b>", "</p>", "[x](y)", "caf\u00e9",
    "a-word-of-more-than-sixteen", "sixteenbytesword", "\u0e01", "\x00", "\x1c", "\x85", ".", "\u00b4", "don't",
]  # fmt: skip
TEXT = st.lists(st.sampled_from(ODD) | st.text(max_size=3), max_size=12).map("".join)
ALL = st.characters()


def folded(text: str) -> str:
    """`folding.fold` as it is defined: every pattern looks at every text."""
    text = html.unescape(text)
    text = folding._ELEMENT.sub(folding._parted, text)
    text = folding._TARGET.sub("]", folding._LINK.sub(r" \1 ", text))
    text = re.compile(r"(?:\*{1,3}|~~)(?=[^\W\d])").sub(folding._unstressed, text)
    text = folding._ODD.sub(folding._seen, text)
    text = folding._THOUSANDS.sub(folding._plain, text)
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return text.replace("_", " ")


@settings(max_examples=400, deadline=None)
@given(TEXT | st.text(ALL, max_size=20))
@example("a*~~b**c~~d")
@example("\u0661,\u0660\u0660\u0660")
def test_what_is_not_looked_for_is_not_there(text):
    assert folding.fold(text) == folded(text)


def test_every_digit_and_every_odd_character_is_known():
    table = folding._character_kinds()
    for code in range(0x80, sys.maxunicode + 1):
        character = chr(code)
        if character.isdecimal() or folding._EACH_ODD.match(character):
            units = np.frombuffer(character.encode("utf-16-le", "surrogatepass"), np.uint16)
            found = int(np.bitwise_or.reduce(table[units]))
            assert not character.isdecimal() or found & folding._DIGIT
            assert not folding._EACH_ODD.match(character) or found & 3


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXT, max_size=5))
@example(["\U0001d49c x", "tr"])
@example(["it's", "'a' \u2019b\u2019 c\u2019d"])
def test_words_of_many_texts_are_those_of_each(texts):
    *found, last = splitting.parted(texts).split(b"\n")
    assert last == b""
    assert [one.decode().split() for one in found] == [words.tokens(text) for text in texts]


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXT, max_size=6), st.integers(1, 6), st.sampled_from([1, 10, 1 << 20]))
def test_ngrams_of_many_texts_are_those_of_each(texts, n, batch):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sequences, "_BATCH", batch)
        found = [one.tolist() for one in Sequences(n).of(texts)]
    alone = Shingler(n)
    assert found == [alone.sequence(text).tolist() for text in texts]


def test_a_full_table_changes_no_number(monkeypatch):
    monkeypatch.setattr(numbering, "_BITS", 2)
    said = [f"word{i % 37}" * (i % 5 + 1) for i in range(500)]
    data = " ".join(said).encode()
    ends = np.cumsum([len(word) + 1 for word in said]) - 1
    starts = ends - [len(word) for word in said]
    assert numbering.Numbering().of(data, starts, ends).tolist() == [*map(number, said)]


@given(st.lists(st.lists(st.integers(0, 3), min_size=2, max_size=2), min_size=1, max_size=8))
def test_buckets_are_the_groups_of_equal_keys_in_their_order(rows):
    keys = np.array(rows, np.uint64)
    expected = [
        [at for at, row in enumerate(rows) if row[band] == key]
        for band in (0, 1)
        for key in sorted({row[band] for row in rows})
    ]
    assert [one.tolist() for one in buckets(keys)] == [one for one in expected if len(one) > 1]
