"""The default extractor finds the main text of labelled pages as well as the published table says."""

from __future__ import annotations

import json
import lzma
import statistics
from pathlib import Path

import pytest

from regrow.data.text import document, html
from text_scores import scores

PAGES = Path(__file__).resolve().parents[1] / "data/main_text/pages.jsonl.xz"


def rows() -> list[dict[str, str]]:
    return [json.loads(line) for line in lzma.decompress(PAGES.read_bytes()).splitlines()]


def test_labels_are_of_pages_of_many_sites() -> None:
    found = rows()
    assert len(found) == 212
    assert len({row["site"] for row in found}) == 14
    assert all(len(row["main"]) >= 200 and row["html"] for row in found)
    assert PAGES.stat().st_size < 1_500_000


def test_main_text_is_found() -> None:
    """Every fourth page: F1 0.89 on all of them."""
    found = [
        scores(document.tidy(html.extract(row["html"], "resiliparse")[1]), row["main"])
        for row in rows()[::4]
    ]
    assert statistics.fmean(f1 for _, _, f1 in found) > 0.87


@pytest.mark.parametrize(
    ("found", "label", "expected"),
    [
        ("a b c d e f", "abcdef", (1.0, 1.0, 1.0)),
        ("abcdefgh", "abcdef", (0.5, 1.0, 2 / 3)),
        ("", "abcdef", (0.0, 0.0, 0.0)),
        ("abcdeabcde", "abcde", (1 / 6, 1.0, 2 / 7)),
    ],
)
def test_scores_count_runs_of_characters(
    found: str, label: str, expected: tuple[float, float, float]
) -> None:
    assert scores(found, label) == pytest.approx(expected)
