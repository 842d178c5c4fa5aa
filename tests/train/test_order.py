from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.data.tokens.order import Order, steps_of


@settings(deadline=None)
@given(n=st.integers(1, 3_000), seed=st.integers(0, 2**31))
def test_an_epoch_holds_every_sequence_once_and_the_inverse_finds_it(n: int, seed: int) -> None:
    order = Order(n, seed)
    epoch = order.at(0, n)
    assert sorted(epoch.tolist()) == list(range(n))
    for position in {0, n // 2, n - 1}:
        assert order.positions(int(epoch[position]), n) == [position]


@settings(deadline=None)
@given(n=st.integers(2, 200), start=st.integers(0, 900), count=st.integers(1, 60))
def test_a_stretch_equals_its_single_positions(n: int, start: int, count: int) -> None:
    order = Order(n, 7)
    single = [int(order.at(start + i)[0]) for i in range(count)]
    assert order.at(start, count).tolist() == single


@settings(deadline=None)
@given(n=st.integers(1, 100), end=st.integers(0, 300), seed=st.integers(0, 50))
def test_positions_over_several_epochs(n: int, end: int, seed: int) -> None:
    order = Order(n, seed)
    seen = order.at(0, end) if end else np.empty(0, dtype=np.int64)
    sequence = seed % n
    assert order.positions(sequence, end) == np.flatnonzero(seen == sequence).tolist()


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    order = Order(500, 0)
    assert order.at(0, 500).tolist() != order.at(500, 500).tolist()
    assert order.at(0, 500).tolist() != Order(500, 1).at(0, 500).tolist()


def test_steps_of_positions() -> None:
    assert steps_of([0, 7, 8, 23], batch=8) == [1, 1, 2, 3]


def test_a_trillion_sequences_cost_nothing() -> None:
    order = Order(10**12, 3)
    sequence = int(order.at(123_456_789_012)[0])
    assert order.positions(sequence, 10**12) == [123_456_789_012]
