"""Numbers and words in few characters, for the page's index of documents.

Numbers: base64 digits of five bits, the sixth says that more follow (the VLQ of source maps, without
its sign). Words: sorted, each as the number (a digit) of characters shared with the last, and the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def numbers(values: Iterable[int]) -> str:
    """Numbers from 0, one after the other."""
    found = []
    for value in values:
        if value < 0:
            raise ValueError(f"{value} is below 0")
        while value > 31:
            found.append(DIGITS[32 | value & 31])
            value >>= 5
        found.append(DIGITS[value])
    return "".join(found)


def rising(values: Sequence[int]) -> str:
    """Ascending numbers, as the first and the differences."""
    return numbers(b - a for a, b in zip([0, *values], values, strict=False))


def words(vocabulary: Sequence[str]) -> str:
    """A sorted vocabulary of words without digits."""
    found, last = [], ""
    for word in vocabulary:
        shared = 0
        while shared < min(9, len(word) - 1, len(last)) and word[shared] == last[shared]:
            shared += 1
        found.append(f"{shared}{word[shared:]}")
        last = word
    return "".join(found)
