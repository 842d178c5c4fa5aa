"""N-gram sets, similarity, MinHash, banding."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.data.dedup.minhash import MinHash, band_keys, buckets, probability
from regrow.data.dedup.shingles import Shingler, distinct, jaccard, mix, number, shared

WORDS = st.lists(st.sampled_from(["ab", "bc", "cd", "de", "ef", "fg", "gh"]), max_size=30)
SETS = st.lists(st.integers(0, 40), max_size=30).map(
    lambda x: np.unique(np.array(x, dtype=np.uint64))
)


def test_numbers_are_fixed():
    """Golden values: they are part of every published result."""
    assert number("session") == 0xB5A5888DA19FF824
    assert mix(np.array([1], np.uint64))[0] == 0x5692161D100B05E5  # SplitMix64's mixer
    grams = Shingler(2).sequence("The session, the Session")
    assert len(grams) == 3
    assert grams[0] == grams[2]  # case and punctuation do not count
    assert grams[0] != grams[1]  # order does


@given(WORDS, WORDS, st.integers(1, 5))
def test_jaccard_is_that_of_the_word_ngrams(a, b, n):
    def grams(words):
        size = min(n, len(words))
        return (
            {tuple(words[i : i + size]) for i in range(len(words) - size + 1)} if words else set()
        )

    shingler = Shingler(n)
    left, right = grams(a), grams(b)
    expected = len(left & right) / len(left | right) if left | right else 1.0
    assert jaccard(shingler.set(" ".join(a)), shingler.set(" ".join(b))) == expected


@given(st.lists(st.integers(0, 9), max_size=12))
def test_distinct_values_are_those_of_numpy(values):
    found = distinct(np.array(values, np.uint64))
    assert found.tolist() == sorted({*values})


@given(SETS, SETS)
def test_shared_is_the_intersection(a, b):
    assert shared(a, b) == shared(b, a) == len(set(a.tolist()) & set(b.tolist()))


@pytest.mark.parametrize("text", ["", " \n", "...", "\udc80"])
def test_texts_without_words_have_no_ngrams(text):
    assert len(Shingler(5).set(text)) == 0


def test_short_texts_are_one_ngram():
    assert len(Shingler(5).set("two words")) == 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 200), st.integers(1, 200), st.integers(0, 1000))
def test_minhash_estimates_jaccard(common, apart, start):
    """The share of equal hashes is an unbiased estimate: 5 standard deviations are allowed."""
    values = mix(np.arange(start, start + common + 2 * apart, dtype=np.uint64))
    a, b = values[: common + apart], np.concatenate([values[:common], values[common + apart :]])
    signatures = MinHash(1_000, seed=0).signatures([a, b])
    truth = common / (common + 2 * apart)
    estimate = np.count_nonzero(signatures[0] == signatures[1]) / 1_000
    assert abs(estimate - truth) <= 5 * (truth * (1 - truth) / 1_000) ** 0.5 + 0.01


def test_signatures_do_not_depend_on_batches():
    rng = np.random.default_rng(0)
    sets = [rng.integers(0, 2**64, size=n, dtype=np.uint64) for n in (1, 40_000, 3, 70_000, 2)]
    together = MinHash(20, seed=3).signatures(sets)
    alone = [MinHash(20, seed=3).signatures([s])[0] for s in sets]
    np.testing.assert_array_equal(together, np.stack(alone))
    assert not np.array_equal(together, MinHash(20, seed=4).signatures(sets))
    with pytest.raises(ValueError, match="no signature"):
        MinHash(4, seed=0).signatures([sets[0], sets[0][:0]])


def test_buckets_join_rows_that_agree_in_one_band():
    signatures = np.array([[1, 2, 3, 4], [1, 2, 9, 9], [7, 7, 3, 4], [1, 9, 3, 9]], np.uint32)
    groups = [group.tolist() for group in buckets(band_keys(signatures, bands=2, rows=2))]
    assert sorted(groups) == [[0, 1], [0, 2]]
    with pytest.raises(ValueError, match="not 3 x 2"):
        list(buckets(band_keys(signatures, bands=3, rows=2)))


def test_banding_finds_pairs_as_often_as_it_should():
    """200 pairs at similarity 0.8: 26 x 11 finds about 90 %."""
    rng = np.random.default_rng(1)
    sets = []
    for _ in range(200):
        values = rng.integers(0, 2**64, size=360, dtype=np.uint64)
        sets += [values[:320], np.concatenate([values[:288], values[320:352]])]  # 288 / 352 = 0.818
    groups = buckets(band_keys(MinHash(286, seed=0).signatures(sets), 26, 11))
    found = {(int(g[0]), int(g[1])) for g in groups}
    share = sum((2 * i, 2 * i + 1) in found for i in range(200)) / 200
    assert abs(share - probability(288 / 352, 26, 11)) < 0.08
    assert all(b == a + 1 and a % 2 == 0 for a, b in found)
