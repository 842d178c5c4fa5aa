"""Schedule, skip-step, tree, norm, digests: the parts of a step one by one."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.learn.train import digest
from regrow.learn.train.schedule import Schedule
from regrow.learn.train.skip import Skip
from regrow.learn.train.tree_sum import TreeSum, share


def test_schedule_warms_up_then_falls_along_a_cosine() -> None:
    rate = Schedule(peak=0.01, steps=600, warmup=18, final=0.1)
    assert rate(9) == pytest.approx(0.005)
    assert rate(18) == pytest.approx(0.01)
    assert rate(309) == pytest.approx(0.01 * (0.1 + 0.9 * 0.5))
    assert rate(600) == pytest.approx(0.001)
    for step in range(19, 601):
        want = 0.01 * (0.1 + 0.45 * (1 + math.cos(math.pi * (step - 18) / 582)))
        assert rate(step) == pytest.approx(want, rel=1e-12)
        assert rate(step) < rate(step - 1)
    with pytest.raises(ValueError, match="outside"):
        rate(601)


def test_a_linear_schedule_wastes_no_step_at_rate_zero() -> None:
    rate = Schedule(peak=0.01, steps=10, warmup=2, final=0.0, kind="linear")
    assert [rate(1), rate(2)] == [0.005, 0.01]
    falls = [rate(step) - rate(step + 1) for step in range(2, 10)]
    assert falls == pytest.approx([0.01 / 9] * 8)
    assert rate(10) == pytest.approx(0.01 / 9), "it reaches the floor in the step after the last"
    floor = Schedule(peak=0.01, steps=10, warmup=0, final=0.5, kind="linear")
    assert floor(10) == pytest.approx(0.005 + 0.005 / 11)


def test_a_constant_schedule_stays_at_the_peak() -> None:
    rate = Schedule(peak=0.01, steps=100, warmup=5, final=1.0, kind="constant")
    assert rate(1) == pytest.approx(0.002)
    assert {rate(step) for step in range(5, 101)} == {0.01}


def test_skip_fires_on_a_planted_outlier_only() -> None:
    skip = Skip(window=128, sigmas=6.0)
    wave = [4.0 + 0.1 * math.sin(i) for i in range(200)]
    assert not any(skip.judge(loss, 1.0 + 0.01 * math.cos(loss * 99)) for loss in wave)
    assert skip.judge(9.0, 1.0)
    assert not skip.judge(4.0, 1.0)
    assert skip.judge(4.0, 50.0)
    assert skip.judge(float("nan"), 1.0)
    assert not skip.judge(1.0, 1.0), "a low loss is no reason to skip"


def test_skip_judges_nothing_before_half_a_window() -> None:
    skip = Skip(window=128, sigmas=6.0)
    assert not any(skip.judge(4.0 + i % 2, 1.0) for i in range(63))
    assert not skip.judge(1_000.0, 1.0)


@settings(deadline=None)
@given(st.lists(st.floats(0.1, 10.0), min_size=2, max_size=40), st.integers(1, 39))
def test_a_restored_skip_judges_alike(values: list[float], cut: int) -> None:
    whole, before = Skip(8, 1.0), Skip(8, 1.0)
    cut = min(cut, len(values) - 1)
    expected = [whole.judge(v, v * v) for v in values]
    found = [before.judge(v, v * v) for v in values[:cut]]
    after = Skip(8, 1.0)
    after.restore(copy.deepcopy(before.state()))
    assert found + [after.judge(v, v * v) for v in values[cut:]] == expected


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_the_tree_does_not_depend_on_how_many_share_it(size: int) -> None:
    torch.manual_seed(0)
    values = [torch.randn(1001) * 10.0**i for i in range(-4, 4)]
    whole = TreeSum()
    for value in values:
        whole.add([value.clone()])
    expected = whole.total()[0]
    partial = []
    for rank in range(size):
        tree = TreeSum()
        for index in share(8, rank, size):
            tree.add([values[index].clone()])
        partial.append(tree.total()[0])
    while len(partial) > 1:
        partial = [a + b for a, b in zip(partial[::2], partial[1::2], strict=True)]
    assert torch.equal(partial[0], expected)
    naive = values[0].clone()
    for value in values[1:]:
        naive += value
    assert torch.allclose(naive, expected, rtol=1e-4, atol=1e-3)
    assert not torch.equal(naive, expected), "the test must be able to tell orders apart"


def test_a_tree_refuses_what_it_cannot_cut() -> None:
    with pytest.raises(ValueError, match="cannot be shared"):
        share(4, 0, 8)
    with pytest.raises(ValueError, match="cannot be shared"):
        share(6, 0, 4)
    tree = TreeSum()
    for _ in range(3):
        tree.add([torch.ones(1)])
    with pytest.raises(ValueError, match="power of two"):
        tree.total()


def test_digests_name_the_step_and_the_tensor_that_differ() -> None:
    def run(changed: bool) -> list[dict[str, object]]:
        links, chain = [], digest.FIRST
        for step in (1, 2, 3):
            tensors = {"a": torch.full((3,), float(step)), "b": torch.zeros(2)}
            if changed and step >= 2:
                tensors["b"][1] = 1e-30
            links.append(digest.link(step, tensors, {"step": step}, chain))
            chain = links[-1]["chain"]
        return links

    same, other = run(False), run(True)
    assert digest.first_difference(same, run(False)) is None
    assert digest.first_difference(same, other) == (2, ["b"])
    assert same[0]["chain"] == other[0]["chain"]
    assert same[2]["chain"] != other[2]["chain"]


def test_a_digest_is_blake3_over_a_line_and_the_bytes() -> None:
    """The value of b3sum over the same bytes."""
    found = digest.tensor_digest("w", torch.tensor([[1.0, -2.0]]))
    head = b"w torch.float32 (1, 2)\n"
    assert found == blake3(head + bytes.fromhex("0000803f000000c0")).hexdigest()
    assert blake3(b"").hexdigest().startswith("af1349b9f5f9a1a6a0404dea36dcc949")


def test_a_digest_covers_name_type_shape_and_state() -> None:
    tensor = torch.arange(4, dtype=torch.float32)
    seen = {
        digest.tensor_digest("a", tensor),
        digest.tensor_digest("b", tensor),
        digest.tensor_digest("a", tensor.view(2, 2)),
        digest.tensor_digest("a", tensor.view(torch.int32)),
    }
    assert len(seen) == 4
    one = digest.link(1, {"a": tensor}, {"tokens": 1}, digest.FIRST)
    two = digest.link(1, {"a": tensor}, {"tokens": 2}, digest.FIRST)
    assert one["digest"] != two["digest"]
