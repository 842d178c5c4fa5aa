"""Words in any script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.data.filters import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't stop, it's x_1!", ["Don't", "stop", "it's", "x_1"]),
        ("naïve café—bar", ["naïve", "café", "bar"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),  # combining vowels stay inside
        ("会话abc", ["会", "话", "abc"]),
        ("«да», “yes”", ["да", "yes"]),
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),
        ("... --- §", []),
    ],
)
def test_tokens(text, expected):
    assert words.tokens(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("one two", 2), ("会话", 1), ("会话a", 2), ("会话会", 2), ("สวัสดี", 3), ("", 0)],
)
def test_count(text, expected):
    assert words.count(text) == expected


@given(st.text(), st.integers(0, 12))
def test_fewer_agrees_with_count(text, n):
    assert words.fewer(text, n) == (words.count(text) < n)


@given(st.text())
def test_tokens_hold_no_space_and_are_in_the_text(text):
    for word in words.tokens(text):
        assert word in text
        assert not any(map(str.isspace, word))
