"""Random streams and the permutation: known answers, addressability, bijection."""

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.numerics.permutation import Permutation
from regrow.numerics.random import Stream, inverse_normal, normal_tail, philox


def test_philox_known_answers():
    """The vectors of the Random123 distribution."""
    zero = philox(np.array([0], dtype=np.uint64), (0, 0))[0]
    assert [hex(w) for w in zero] == ["0x6627e8d5", "0xe169c58d", "0xbc57ac4c", "0x9b00dbd8"]
    full = 0xFFFFFFFF
    ones = philox(np.array([2**64 - 1], dtype=np.uint64), (full, full), (full, full))[0]
    assert [hex(w) for w in ones] == ["0x408f276d", "0x41c83b0e", "0xa20bc7c6", "0x6d5451fd"]


@given(st.integers(0, 50), st.integers(0, 50))
def test_an_element_does_not_depend_on_what_was_drawn_before(start, count):
    whole = Stream("addressable", 3).bits64(100)
    assert (Stream("addressable", 3).bits64(count, start) == whole[start : start + count]).all()


def test_names_are_unambiguous():
    names = [("ab", "c"), ("a", "bc"), ("abc",), ("1",), (1,), ("a", 1), ("a", "1")]
    firsts = {int(Stream(*name).bits64(1)[0]) for name in names}
    assert len(firsts) == len(names)


def test_uniform_and_integers_fill_their_range():
    u = Stream("u").uniform(200_000)
    assert u.min() >= 0 and u.max() < 1 and abs(u.mean() - 0.5) < 0.005
    i = Stream("i").integers(60_000, 6)
    assert np.bincount(i, minlength=6).min() > 9_500
    with pytest.raises(ValueError, match="high"):
        Stream("i").integers(1, 0)


def test_inverse_normal_is_the_quantile_function():
    p = np.concatenate([np.linspace(1e-9, 1 - 1e-9, 999), 10.0 ** -np.arange(1, 16)])
    expected = [statistics.NormalDist().inv_cdf(v) for v in p]
    np.testing.assert_allclose(inverse_normal(p), expected, rtol=1e-13, atol=1e-14)
    assert normal_tail(3.0) == pytest.approx(1.3498980316e-3, rel=1e-9)


def test_truncated_normal_stays_inside():
    x = Stream("t").truncated_normal(100_000, 3.0)
    assert np.abs(x).max() <= 3.0 and abs(x.std() - 0.9866) < 0.01


@given(st.integers(1, 3_000), st.text(max_size=8))
def test_permutation_is_a_bijection_with_its_inverse(n, key):
    p = Permutation(n, key)
    there = p.forward(np.arange(n))
    assert sorted(there.tolist()) == list(range(n))
    assert (p.inverse(there) == np.arange(n)).all()


def test_permutation_of_a_trillion_costs_nothing_and_keys_matter():
    p, q = Permutation(10**12, "a"), Permutation(10**12, "b")
    assert (p.inverse(p.forward(np.arange(100))) == np.arange(100)).all()
    assert (p.forward(np.arange(100)) != q.forward(np.arange(100))).all()
    with pytest.raises(IndexError):
        p.forward(10**12)
