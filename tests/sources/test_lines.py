"""Lines of a stream, of which none is held that is too long."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.data.sources.lines import lines
from regrow.data.sources.opening import HEAD_BYTES, BrokenError


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.binary(max_size=200).map(lambda b: b.replace(b"\r", b"")), st.integers(1, 50))
def test_lines_do_not_depend_on_where_the_stream_is_cut(data: bytes, size: int):
    parts = [data[n : n + size] for n in range(0, len(data), size)]
    found = list(lines(parts, 1_000))
    wanted = data.split(b"\n")
    wanted = wanted[:-1] if wanted[-1] == b"" else wanted
    assert [line.content for line in found] == wanted
    assert [line.number for line in found] == list(range(1, len(wanted) + 1))


def test_a_line_that_is_too_long_comes_as_its_beginning_and_its_size():
    stream = [b"a\r\n", b"x" * 5_000, b"y" * 5_000, b"\nb\n", b"z" * 9_000]
    found = list(lines(stream, 6_000))
    assert [(line.content, line.size, line.whole) for line in found] == [
        (b"a", 1, True),
        (b"x" * HEAD_BYTES, 10_000, False),
        (b"b", 1, True),
        (b"z" * HEAD_BYTES, 9_000, False),
    ]


def test_a_line_of_exactly_the_limit_is_whole():
    (line,) = lines([b"x" * 6_000 + b"\n"], 6_000)
    assert line.whole


def test_a_broken_stream_leaves_the_beginning_of_the_line_that_it_cut():
    def stream() -> Iterator[bytes]:
        yield b"one\ntwo\nthr"
        raise BrokenError("cut_short", "")

    found = []
    with pytest.raises(BrokenError) as error:
        for line in lines(stream(), 100):
            found.append(line.content)
    assert found == [b"one", b"two"]
    assert (error.value.rest, error.value.place) == (b"thr", "line 3")
