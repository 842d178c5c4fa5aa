"""A text cut at its spans, for showing: every letter belongs to the most telling span over it."""

from __future__ import annotations

from typing import Any


def segments(answer: dict[str, Any]) -> list[tuple[str, int | None]]:
    """Pieces of the text in order, each with the place of its span in `spans`, or None.

    Where spans overlap, the one that is reported first has the letters.
    """
    text: str = answer["text"]
    owner: list[int | None] = [None] * len(text)
    for place in reversed(range(len(answer["spans"]))):
        span = answer["spans"][place]
        owner[span["begin"] : span["end"]] = [place] * (span["end"] - span["begin"])
    found: list[tuple[str, int | None]] = []
    for letter, number in zip(text, owner, strict=False):
        if found and found[-1][1] == number:
            found[-1] = (found[-1][0] + letter, number)
        else:
            found.append((letter, number))
    return found


def brief(entry: dict[str, Any]) -> str:
    """What a document, example, pair or rollout is, in a line: its address or question, origin, licence."""
    what = entry.get("url") or entry.get("question") or entry.get("generator") or ""
    kind = entry.get("component") or entry.get("kind", "")
    where = [str(entry[name]) for name in ("source", "teacher", "licence") if entry.get(name)]
    return f"{kind}: {what}" + (f" ({', '.join(where)})" if where else "")


def steps(numbers: list[int], most: int = 6) -> str:
    """Steps in words: step 3, steps 3, 8 and 12 more up to 900."""
    if len(numbers) == 1:
        return f"step {numbers[0]:,}"
    if len(numbers) <= most:
        return "steps " + ", ".join(f"{n:,}" for n in numbers)
    shown = ", ".join(f"{n:,}" for n in numbers[: most - 1])
    return f"steps {shown} and {len(numbers) - most + 1:,} more up to {numbers[-1]:,}"


def count(number: int, one: str, more: str = "") -> str:
    """A number of things: `1 place`, `1,200 places`."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def between(first: int, last: int) -> str:
    """`step 3`, `steps 3 to 900`."""
    return f"step {first:,}" if first == last else f"steps {first:,} to {last:,}"
