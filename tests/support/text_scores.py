"""How much of a text is in another, by characters."""

from __future__ import annotations

from collections import Counter

RUN = 5
Scores = tuple[float, float, float]


def runs(text: str) -> Counter[str]:
    """Runs of characters of a text without its white space."""
    plain = "".join(text.split())
    return Counter(plain[at : at + RUN] for at in range(max(1, len(plain) - RUN + 1)) if plain)


def scores(found: str, label: str) -> Scores:
    """Precision, recall and F1."""
    mine, wanted = runs(found), runs(label)
    both = (mine & wanted).total()
    precision, recall = both / max(mine.total(), 1), both / max(wanted.total(), 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)
