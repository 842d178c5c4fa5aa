"""Common-word extraction: real text in sections, and how often words occur in one of them.

After Olmo 3's synthetic long-context data (report, section 3.6.2; RULER's common-words task):
documents are cut into sections, telling words are chosen by tf-idf, and the counts asked for
are exact, since they are counted. Olmo 3 lets a model phrase question and answer; here they
have one form, and no model is asked.

A word is what `regrow.data.filters.words` cuts, in lower case; only words of ASCII letters are asked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from tokenizers import Tokenizer

from regrow.data.filters import words
from regrow.learn.tasks.long.segments import Made, Segment, Source, fill, segments, size
from regrow.numerics import exact
from regrow.numerics.random import Stream

_ASKED = re.compile(r"[a-z]{3,14}")
MIN_COUNT = 2
"""occurrences of a word that is asked for"""
MAX_SHARE = 0.5
"""of the documents: a word that occurs in more of them tells nothing"""
QUESTION_ROOM = 110
"""tokens set aside per section for its heading and question, at first"""


def count(text: str) -> Counter[str]:
    """Occurrences of every word of a text, in lower case."""
    return Counter(words.tokens(text.lower()))


def frequencies(texts: Iterable[str]) -> tuple[dict[str, int], int]:
    """In how many of the texts each word occurs, and the number of texts."""
    found: Counter[str] = Counter()
    n = 0
    for text in texts:
        found.update(set(words.tokens(text.lower())))
        n += 1
    return dict(found), n


def telling(section: Counter[str], documents: Mapping[str, int], n: int, k: int) -> list[str]:
    """The k words of a section with the highest tf-idf, ties by alphabet; fewer if it has fewer.

    tf is the count in the section, idf = ln((n + 1) / (df + 1)).
    """
    able = sorted(
        word
        for word, times in section.items()
        if times >= MIN_COUNT and _ASKED.fullmatch(word) and documents.get(word, 0) <= MAX_SHARE * n
    )
    if not able:
        return []
    idf = exact.log([(n + 1) / (documents.get(word, 0) + 1) for word in able]).tolist()
    score = {word: section[word] * value for word, value in zip(able, idf, strict=True)}
    return sorted(able, key=lambda word: (-score[word], word))[:k]


def question(number: int, asked: list[str], counts: Mapping[str, int]) -> str:
    """Question and answer in the plain form of the base model's tasks."""
    answer = ", ".join(f"{word} {counts[word]}" for word in asked)
    return (
        f"Question: How often does each word occur in section {number}: {', '.join(asked)}?\n\n"
        f"Answer: {answer}\n\n"
    )


def make(
    tokenizer: Tokenizer,
    source: Source,
    parent: str,
    documents: Mapping[str, int],
    n: int,
    *,
    budget: int,
    sections: int,
    words_asked: int,
    name: tuple[str | int, ...],
) -> Made | None:
    """A document of at most `budget` tokens: sections of `source`, then a question about each.

    Sections follow each other in the source from a place drawn at random, and questions come in
    an order drawn at random. None if the source has too little text or too few telling words.
    """
    draws = Stream(*name, "aggregation")
    start = int(draws.integers(1, max(1, len(source)))[0])
    room = budget - sections * QUESTION_ROOM
    if room < budget // 4:
        return None
    parts: list[Segment] = []
    asked: list[str] = []
    at = start
    for number in range(1, sections + 1):
        head = segments(tokenizer, [f"Section {number}\n\n"])
        body, at = fill(source, at, room // sections)
        text = "".join(part.text for part in body)
        counts = count(text)
        chosen = telling(counts, documents, n, words_asked)
        if 2 * size(body) < room // sections or len(chosen) < 2:
            return None
        order = Stream(*name, "words", number).integers(len(chosen), 1 << 32).tolist()
        shuffled = [word for _, word in sorted(zip(order, chosen, strict=True))]
        parts += head + _closed(tokenizer, body)
        asked.append(question(number, shuffled, counts))
    order = Stream(*name, "questions").integers(sections, 1 << 32).tolist()
    parts += segments(tokenizer, [text for _, text in sorted(zip(order, asked, strict=True))])
    if size(parts) > budget:
        return None
    tokens = tuple(token for part in parts for token in part.tokens)
    return Made("".join(part.text for part in parts), tokens, parent)


def _closed(tokenizer: Tokenizer, body: list[Segment]) -> list[Segment]:
    """The section with a blank line behind it."""
    last = body[-1]
    if last.text.endswith("\n\n"):
        return body
    return [*body[:-1], *segments(tokenizer, [last.text.rstrip("\n") + "\n\n"])]
