"""Instruction-like text without chat tokens: a request, a blank line, what was asked for.

Olmo 3 leaves chat tokens out of midtraining and joins turns with blank lines (report, section 3.5.4).
Half of the texts are headings of real documents as requests, answered by the paragraph that follows
them; the other half are tasks in a row with their short answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise, zip_longest
from typing import Any

import polars as pl

from regrow.learn.tasks.draws import Draws, items
from regrow.learn.tasks.mid.text import GENERATED_LICENCE, GENERATED_SOURCE, Text, identity, rank

_NUMBER = re.compile(r"^(?:Chapter\s+|Section\s+|Appendix\s+)?(?:[0-9A-Z]{1,2}\.)*[0-9]*\.?\s+")
_HEADING = re.compile(r"[A-Z][A-Za-z0-9 ,'’`()/:_-]{5,78}[A-Za-z0-9)’'`]\??")
_TWO_WORDS = re.compile(r"\S+\s+\S+")
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)")
_REQUESTS = (
    "Explain {}.",
    "What is there to know about {}?",
    "Write a few sentences about {}.",
    "Tell me about {}.",
)
_SHORTEST, _LONGEST = 80, 480
"""characters of an answer"""


def instructions(frame: pl.DataFrame, tasks: list[dict[str, Any]], seed: int) -> Iterator[Text]:
    """Texts of both kinds in turn, as long as there are any."""
    for pair in zip_longest(_real(frame, seed), _rows_of_tasks(tasks, seed)):
        yield from (text for text in pair if text is not None)


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """(heading, beginning of the paragraph that follows) of a document."""
    paragraphs = [p.strip() for p in text.split("\n\n") if p.strip()]
    for heading, paragraph in pairwise(paragraphs):
        title = _NUMBER.sub("", heading.replace("\xa0", " ")).strip()
        answer = _answer(paragraph)
        if answer and _HEADING.fullmatch(title) and _TWO_WORDS.match(title):
            yield title, answer


def request(heading: str, draws: Draws) -> str:
    """A heading as something asked for; one that asks already stays as it is."""
    return heading if heading.endswith("?") else draws.of(_REQUESTS).format(heading)


def _answer(paragraph: str) -> str:
    """Whole sentences from the start of the paragraph; "" if it is no prose or too short."""
    flat = " ".join(paragraph.split())
    if not flat[:1].isupper() or sum(c.isalpha() or c == " " for c in flat) < 0.9 * len(flat):
        return ""
    end = 0
    for match in _SENTENCE_END.finditer(flat):
        if match.end() > _LONGEST:
            break
        end = match.end()
    return flat[:end] if end >= _SHORTEST else ""


def _real(frame: pl.DataFrame, seed: int) -> Iterator[Text]:
    found: dict[str, tuple[dict[str, Any], str, str]] = {}
    seen: set[str] = set()
    # Plays and other plain text have no headings, only lines that look like some.
    for row in frame.filter(pl.col("mime").str.contains("html")).to_dicts():
        for number, (heading, answer) in enumerate(pairs(row["text"])):
            if answer not in seen:
                seen.add(answer)
                found[identity("heading", row["id"], number)] = (row, heading, answer)
    ids = sorted(found, key=lambda i: (rank(f"headings {seed}", i), i))
    for i, draws in zip(ids, items("headings", seed), strict=False):
        row, heading, answer = found[i]
        yield Text(
            id=i,
            component="instructions",
            source=row["source"],
            generator="regrow.learn.tasks.mid.instructions",
            licence=row["licence"],
            parent=row["id"],
            text=f"{request(heading, draws)}\n\n{answer}",
        )


def _rows_of_tasks(tasks: list[dict[str, Any]], seed: int) -> Iterator[Text]:
    left = sorted(tasks, key=lambda task: (rank(f"rows {seed}", task["id"]), task["id"]))
    start = 0
    for draws in items("rows of tasks", seed):
        own = left[start : start + draws.between(2, 4)]
        if not own:
            return
        start += len(own)
        yield Text(
            id=identity("row", *(task["id"] for task in own)),
            component="instructions",
            source=GENERATED_SOURCE,
            generator="regrow.learn.tasks.mid.instructions",
            licence=GENERATED_LICENCE,
            parent=own[0]["id"],
            text="\n\n".join(f"{task['question']}\n\n{task['answer']}" for task in own),
            contents=tuple((task["family"], task["content"]) for task in own),
        )
