"""Every reason that a data step can write is explained, and nothing else is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import drop_reasons
from regrow.evidence.reasons import REASONS, counted, explained

PATTERNS = {
    "repetition.*s": ("repetition.lines", "repetition.paragraphs"),
    "repetition.*_characters": ("repetition.line_characters", "repetition.paragraph_characters"),
    "repetition.ngram_*": ("repetition.ngram_2", "repetition.ngram_10"),
    "*.*": ("judged.none_correct", "delta.same_answer"),
}
"""reasons that are put together at run time, and what they can be"""


def written() -> set[str]:
    found = drop_reasons.in_source()
    open_ = {reason for reason in found if drop_reasons.HOLE in reason}
    assert open_ == set(PATTERNS), "a reason is put together in a new way"
    return {r for r in found if r not in open_} | {r for many in PATTERNS.values() for r in many}


def test_the_source_code_is_read_whole() -> None:
    found = written()
    assert {"robots", "identity", "language.han", "takedown", "leak.heldout", "too_deep"} <= found
    assert len(found) > 70


def test_every_reason_in_the_source_code_is_explained() -> None:
    assert sorted(reason for reason in written() if not explained(reason)) == []


def test_every_explanation_is_of_a_reason_that_a_step_writes() -> None:
    used = {
        re.sub(r"_\d+$", "", reason.removeprefix("judged.").removeprefix("delta."))
        for reason in written()
    }
    assert sorted(set(REASONS) - used) == []


def test_every_reason_in_the_published_records_is_explained() -> None:
    found: set[str] = set()
    for path in (Path(__file__).parents[2] / "records").glob("*.json"):
        dropped = (json.loads(path.read_text()).get("counts") or {}).get("dropped")
        found |= set(dropped) if isinstance(dropped, dict) else set()
    assert len(found) > 20
    assert sorted(reason for reason in found if not explained(reason)) == []


@pytest.mark.parametrize(
    ("reason", "documents", "said"),
    [
        ("near", 1, "near 1 (nearly the same text as a document that stays)"),
        (
            "repetition.ngram_7",
            1234,
            "repetition.ngram_7 1,234 (too much of it is repeated sequences of words)",
        ),
        ("judged.none_correct", 2, "judged.none_correct 2 (no answer is correct)"),
        ("holds_task", 3, "holds_task 3 (holds a held-out task)"),
        ("a_fork's own", 1, "a_fork's own 1"),
        ("(all reasons)", 5, "(all reasons) 5"),
    ],
)
def test_a_counted_reason_says_what_it_means(reason: str, documents: int, said: str) -> None:
    assert counted(reason, documents) == said


def test_meanings_are_short() -> None:
    for meaning in REASONS.values():
        assert len(meaning) <= 72 and meaning[0].islower() and meaning[-1].isalnum()
