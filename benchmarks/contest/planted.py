"""Texts with planted near-duplicates, and what a run of MinHash found of them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import combinations, pairwise

from regrow.data.filters import words

NGRAM = 5
STEPS = (0.70, 0.75, 0.80, 0.85, 0.90, 0.95, 1.0)
"""edges of the classes of Jaccard similarity"""


@dataclass(frozen=True)
class Pair:
    """Two texts by id, and their Jaccard similarity of sets of five words in lower case."""

    first: str
    second: str
    jaccard: float


def grams(text: str) -> frozenset[tuple[str, ...]]:
    """The 5-grams of a text."""
    cut = words.tokens(text.lower())
    return frozenset(zip(*(cut[at:] for at in range(NGRAM)), strict=False))


def jaccard(first: str, second: str) -> float:
    """Similarity of two texts."""
    one, other = grams(first), grams(second)
    return len(one & other) / max(len(one | other), 1)


def made(texts: list[str], most: int, planted: int) -> tuple[dict[str, str], list[Pair]]:
    """Pieces of 200 to 400 words of different texts, by id, and copies of some of them with words changed."""
    rng = random.Random(0)
    pieces: set[str] = set()
    for text in texts:
        cut = text.split()
        for at in range(0, len(cut) - 200, 400):
            pieces.add(" ".join(cut[at : at + 400]))
    chosen = rng.sample(sorted(pieces), min(most, len(pieces)))
    found = {f"{number:06d}": piece for number, piece in enumerate(chosen)}
    pairs: list[Pair] = []
    for number, name in enumerate(rng.sample(sorted(found), min(planted, len(found)))):
        # A changed word is in five 5-grams: so many changes lead to about the wanted similarity.
        wanted = 0.68 + 0.32 * rng.random()
        cut = found[name].split()
        changes = round(len(cut) / NGRAM * (1 - wanted) / (1 + wanted))
        for place in rng.sample(range(len(cut)), changes):
            cut[place] = "".join(rng.choices("etaoinshrdlu", k=rng.randint(3, 9)))
        copy = f"{len(chosen) + number:06d}"
        found[copy] = " ".join(cut)
        pairs.append(Pair(name, copy, jaccard(found[name], found[copy])))
    return found, pairs


def recall(pairs: list[Pair], groups: dict[str, str]) -> dict[str, tuple[int, int]]:
    """Class of similarity -> (pairs found, pairs); `groups`: id -> its cluster, of those in one."""
    table: dict[str, tuple[int, int]] = {}
    for low, high in pairwise(STEPS):
        inside = [p for p in pairs if low <= p.jaccard < high or high == p.jaccard == 1.0]
        hits = sum(p.first in groups and groups[p.first] == groups.get(p.second) for p in inside)
        table[f"{low:.2f} to {high:.2f}"] = (hits, len(inside))
    return table


def precision(texts: dict[str, str], groups: dict[str, str], least: float) -> tuple[int, int]:
    """(Texts of clusters that are as alike to another of theirs as `least`, all texts of clusters)."""
    members: dict[str, list[str]] = {}
    for name, group in sorted(groups.items()):
        members.setdefault(group, []).append(name)
    right = 0
    for names in members.values():
        sets = {name: grams(texts[name]) for name in names}
        alike = set()
        for one, other in combinations(names, 2):
            union = len(sets[one] | sets[other])
            if len(sets[one] & sets[other]) >= least * union:
                alike |= {one, other}
        right += len(alike)
    return right, sum(map(len, members.values()))
