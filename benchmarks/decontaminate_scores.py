"""Would decon's score find more leaks, or raise fewer false alarms, than shares of n-grams do?

    python benchmarks/decontaminate_scores.py --items mmlu_test-*.jsonl.gz gsm8k_test-1.jsonl.gz \
        --others mmlu_validation-1.jsonl.gz gsm8k_train-1.jsonl.gz --table documents.parquet [--write]

Items and others are files as decon (github.com/allenai/decon) bundles them: JSON Lines with `question`, `answer` and, where
there are choices, `is_correct`. `DRAWN` of the items are planted in running text in every way of `CHANGES`. False alarms are
counted in the texts of the table, and in the others, which have the form of the items and are none of them.

Compared are `regrow.data.dedup.items` as it is; the same shares with n-grams weighed by their rarity among the items; the
same with an answer asked for near a question; and decon's whole score (its document doc/simple-details.md), over words. With
`--write` the results go to benchmarks/results/decontaminate_scores.json.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests/support"))

import numpy as np
import polars as pl

from planted_items import page
from regrow.data.dedup import marking
from regrow.data.dedup.items import Item, Items, Reader
from regrow.data.dedup.shingles import grams

HERE = Path(__file__).resolve().parent
DRAWN = 300
SETTINGS = ((13, 0.30), (8, 0.5))
GRAM, ANSWER_GRAM = 5, 3
MISSES = 11
THRESHOLD, PERFECT, NORMAL = 0.8, 20, 50
"""decon's threshold, the words up to which it asks for a perfect match, and those from which on for the threshold"""
NEAR, NEAR_LONG, SHORT = 50, 100, 3
"""words behind a question in which a short and a long answer are looked for; words of a short one"""

Row = tuple[str, str]


def rows(paths: Sequence[Path]) -> list[Row]:
    """Questions with their right answer; each question once."""
    found: dict[str, str] = {}
    for path in paths:
        for line in gzip.decompress(path.read_bytes()).decode().splitlines():
            row = json.loads(line)
            question = str(row.get("question") or "").strip()
            if question and row.get("is_correct") is not False:
                found.setdefault(question, str(row.get("answer") or ""))
    return [*found.items()]


def _substitute(every: int, rng: random.Random, text: str) -> str:
    words = text.split(" ")
    for i in range(rng.randrange(every), len(words), every):
        words[i] = rng.choice(("wobble", "lantern", "basket", "copper", "meadow", "timber"))
    return " ".join(words)


def _omit(every: int, rng: random.Random, text: str) -> str:
    words = text.split(" ")
    start = rng.randrange(every)
    return " ".join(word for i, word in enumerate(words) if i % every != start) or text


def _half(rng: random.Random, text: str) -> str:
    words = text.split(" ")
    return " ".join(words[: max(1, len(words) // 2)])


CHANGES: dict[str, Callable[[random.Random, Row], str]] = {
    "question and answer": lambda rng, row: "\n".join(row),
    "question alone": lambda rng, row: row[0],
    "question, answer 30 words on": lambda rng, row: f"{row[0]} {'and so on ' * 10}{row[1]}",
    "one word in 13 exchanged": lambda rng, row: f"{_substitute(13, rng, row[0])}\n{row[1]}",
    "one word in 8 exchanged": lambda rng, row: f"{_substitute(8, rng, row[0])}\n{row[1]}",
    "one word in 6 exchanged": lambda rng, row: f"{_substitute(6, rng, row[0])}\n{row[1]}",
    "one word in 13 left out": lambda rng, row: f"{_omit(13, rng, row[0])}\n{row[1]}",
    "one word in 8 left out": lambda rng, row: f"{_omit(8, rng, row[0])}\n{row[1]}",
    "first half of the question, answer": lambda rng, row: f"{_half(rng, row[0])}\n{row[1]}",
}


def _words(text: str) -> list[str]:
    return [marking.bare(word) for word in marking.tokens(marking.marked(text))]


def _grams(words: list[str], n: int) -> list[tuple[str, ...]]:
    n = max(1, min(n, len(words)))
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


class Decon:
    """decon's score over words: rare n-grams of the question count more, and the answer is looked for behind it."""

    def __init__(self, items: Sequence[Row]) -> None:
        self._questions = [_words(question) for question, _ in items]
        self._answers = [_words(answer) for _, answer in items]
        self._own = [set(_grams(words, GRAM)) for words in self._questions]
        self._index: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for place, own in enumerate(self._own):
            for gram in own:
                self._index[gram].append(place)
        self._answer_grams = [set(_grams(words, ANSWER_GRAM)) for words in self._answers]
        owners = Counter(gram for own in self._answer_grams for gram in own)
        whole = math.log(len(items))
        self._rare = {gram: whole - math.log(len(at)) for gram, at in self._index.items()}
        self._rare_answer = {gram: whole - math.log(count) for gram, count in owners.items()}

    def best(self, text: str) -> tuple[float, int]:
        """The highest score of an item in the text, and whose it is."""
        words = _words(text)
        hits: dict[int, list[tuple[int, tuple[str, ...]]]] = defaultdict(list)
        for n in range(1, min(GRAM, len(words)) + 1):
            for at, gram in enumerate(_grams(words, n)):
                for place in self._index.get(gram, ()):
                    hits[place].append((at, gram))
        scores = [(self._score(place, found, words), -place) for place, found in hits.items()]
        score, place = max(scores, default=(0.0, 1))
        return score, -place

    def _score(
        self, place: int, found: list[tuple[int, tuple[str, ...]]], words: list[str]
    ) -> float:
        best, cluster, last = 0.0, set[tuple[str, ...]](), -MISSES
        for at, gram in [*found, (len(words) + 10 * MISSES, ())]:
            if cluster and at - last > MISSES + 1:
                best = max(best, self._of_cluster(place, cluster, last, words))
                cluster = set()
            cluster.add(gram)
            last = at
        return best

    def _of_cluster(
        self, place: int, cluster: set[tuple[str, ...]], last: int, words: list[str]
    ) -> float:
        total = sum(self._rare[gram] for gram in self._own[place])
        question = sum(self._rare[gram] for gram in cluster) / total if total else 0.0
        own, answer = self._questions[place], self._answers[place]
        score = question
        if answer:
            sure = min(1.0, 0.5 + len(self._own[place]) / 40)
            weight = 0.75 * sure
            score = question * weight + self.answer(place, last, words) * (1 - weight)
        length = len(own) + len(answer)
        share = min(1.0, max(0.0, (length - PERFECT) / (NORMAL - PERFECT)))
        needed = 1 - (1 - THRESHOLD) * share
        score = min(1.0, score)
        return 1.0 if score > 0.9999 else score * THRESHOLD / needed

    def answer(self, place: int, at: int, words: list[str]) -> float:
        """How much of the answer is in the words behind the question."""
        answer = self._answers[place]
        if len(answer) <= SHORT:
            window = words[at : at + GRAM + NEAR]
            return float(tuple(answer) in set(_grams(window, len(answer))))
        window = words[at : at + GRAM + max(NEAR_LONG, 2 * len(answer))]
        own = self._answer_grams[place]
        total = sum(self._rare_answer[gram] for gram in own)
        both = own & set(_grams(window, ANSWER_GRAM))
        return sum(self._rare_answer[gram] for gram in both) / total if total else 0.0


class Weighed:
    """Shares of the items' n-grams in a text, each by its rarity among the items; divided by the item, however short the text."""

    def __init__(self, items: Sequence[Row], reader: Reader, n: int) -> None:
        texts = [reader.read("\n".join(row)).numbers for row in items]
        sets = [np.unique(grams(words, n)) if len(words) > n else words[:0] for words in texts]
        every, counts = np.unique(np.concatenate(sets), return_counts=True)
        rare = np.log(len(items)) - np.log(counts)
        self._rare = dict(zip(every.tolist(), rare.tolist(), strict=True))
        self._index: dict[int, list[int]] = defaultdict(list)
        for place, own in enumerate(sets):
            for gram in own.tolist():
                self._index[gram].append(place)
        self._totals = [sum(self._rare[gram] for gram in own.tolist()) for own in sets]
        self._reader, self._n = reader, n

    def best(self, text: str) -> float:
        """The largest share of any item."""
        found: dict[int, float] = defaultdict(float)
        for gram in np.unique(grams(self._reader.read(text).numbers, self._n)).tolist():
            for place in self._index.get(gram, ()):
                found[place] += self._rare[gram]
        return max((of / self._totals[place] for place, of in found.items()), default=0.0)


def ways(items: Sequence[Row]) -> dict[str, Callable[[str], bool]]:
    """The ways that are compared: whether each finds something in a text."""
    reader, decon = Reader(), Decon(items)
    made: dict[str, Callable[[str], bool]] = {}
    listed = [Item(str(i), "\n".join(row), row[0]) for i, row in enumerate(items)]
    for n, limit in SETTINGS:
        own, weighed = Items(listed, reader, n, limit), Weighed(items, reader, n)

        def shares(text: str, own: Items = own) -> bool:
            return own.find(reader.read(text)) is not None

        def rare(text: str, own: Items = own, w: Weighed = weighed, limit: float = limit) -> bool:
            hit = own.find(reader.read(text))
            whole = hit is not None and (hit.value == 1.0 or hit.quote)
            return whole or w.best(text) >= limit

        def near(text: str, own: Items = own) -> bool:
            hit = own.find(reader.read(text))
            return hit is not None and _answered(items[int(hit.id)], text)

        made[f"shares of {n}-grams, {limit}"] = shares
        made[f"{n}-grams weighed by rarity, {limit}"] = rare
        made[f"shares of {n}-grams, {limit}, the answer near"] = near
    made["decon's score"] = lambda text: decon.best(text)[0] >= THRESHOLD
    return made


def _answered(row: Row, text: str) -> bool:
    """Whether the text has half of the answer's words in the 100 words behind a piece of the question."""
    question, answer, words = _words(row[0]), set(_words(row[1])), _words(text)
    own = set(_grams(question, GRAM))
    n = len(next(iter(own), ()))
    for at, gram in enumerate(_grams(words, n)):
        if gram in own:
            near = set(words[at : at + len(question) + NEAR_LONG])
            if len(answer & near) * 2 >= len(answer):
                return True
    return False


def main() -> None:
    """Measure and print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=Path, nargs="+", required=True)
    parser.add_argument("--others", type=Path, nargs="+", required=True)
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    items, others = rows(asked.items), rows(asked.others)
    known = {" ".join(_words(question)) for question, _ in items}
    others = [row for row in others if " ".join(_words(row[0])) not in known]
    rng = random.Random(0)
    drawn = rng.sample(items, DRAWN)
    beside = rng.sample(others, min(2_000, len(others)))
    texts = [text or "" for text in pl.read_parquet(asked.table, columns=["text"])["text"]]
    found: dict[str, Any] = {
        "items": len(items), "planted": len(drawn), "others": len(beside), "texts": len(texts),
        "megabytes": round(sum(map(len, texts)) / 1e6, 1), "ways": {},
    }  # fmt: skip
    planted = {
        name: [page(random.Random(f"{name} {i}"), change(rng, row)) for i, row in enumerate(drawn)]
        for name, change in CHANGES.items()
    }
    sets = {
        **planted,
        "alarms: other questions": [row[0] for row in beside],
        "alarms: other questions and answers": ["\n".join(row) for row in beside],
        "alarms: texts of the table": texts,
    }
    for name, finds in ways(items).items():
        found["ways"][name] = {of: sum(map(finds, these)) for of, these in sets.items()}
        print(name, json.dumps(found["ways"][name]), file=sys.stderr, flush=True)
    text = json.dumps(found, indent=1) + "\n"
    print(text)
    if asked.write:
        (HERE / "results/decontaminate_scores.json").write_text(text)


if __name__ == "__main__":
    main()
