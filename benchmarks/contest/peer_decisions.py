"""datatrove's decisions for `benchmarks/decisions.py`, with its own rules and with parts of ours put in, one after the other.

    peer_decisions.py TEXTS MODEL  # JSON lines with id, text, words, pieces; answers on standard output

Runs in datatrove's environment. The functions are datatrove's; only what a step names is replaced.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from datatrove.data import Document
from datatrove.pipeline.filters import (
    GopherQualityFilter,
    GopherRepetitionFilter,
    LanguageFilter,
    gopher_quality_filter,
    gopher_repetition_filter,
)
from datatrove.pipeline.filters.gopher_repetition_filter import (
    find_all_duplicate,
    find_duplicates,
    find_top_duplicate,
    get_n_grams,
)
from datatrove.utils.lid import FT176LID
from datatrove.utils.text import split_into_words

Words = list[str]


def reason(answer: bool | tuple[bool, str]) -> str:
    """Why a filter drops a document; "" if it keeps it."""
    return answer[1] if isinstance(answer, tuple) else ("" if answer else "dropped")


def given(words: Words) -> None:
    """Let both filters cut a text into these words."""
    for module in (gopher_quality_filter, gopher_repetition_filter):
        module.split_into_words = lambda text, language: words


def repetition(text: str, words: Words, blank: bool) -> str:
    """The rules of repetition with shares of the characters that are compared, not of the whole text.

    `blank`: lines of white space alone are none.
    """
    rules = GopherRepetitionFilter()
    parts = re.split(r"\n{2,}", text.strip()), re.split(r"\n+", text)
    if blank:
        parts = tuple(
            [part for part in cut if part.strip()] for cut in (text.split("\n\n"), text.split("\n"))
        )  # type: ignore[assignment]
    limits = (
        (rules.dup_para_frac, rules.dup_para_char_frac),
        (rules.dup_line_frac, rules.dup_line_char_frac),
    )
    for cut, (most, most_characters) in zip(parts, limits, strict=True):
        copies, characters = find_duplicates(cut)
        if (
            copies / max(len(cut), 1) > most
            or characters / max(sum(map(len, cut)), 1) > most_characters
        ):
            return "lines"
    total = max(len("".join(words)), 1)
    for n, most in rules.top_n_grams:
        grams = get_n_grams(words, n)
        if grams and top_without_spaces(grams) / total > most:
            return f"top_{n}_gram"
    for n, most in rules.dup_n_grams:
        if find_all_duplicate(words, n) / total > most:
            return f"duplicated_{n}_n_grams"
    return ""


def top_without_spaces(grams: list[str]) -> int:
    """datatrove's count of the commonest n-gram, without the spaces that it puts between words."""
    return find_top_duplicate([gram.replace(" ", "") for gram in grams])


def answers(row: dict[str, Any], language: LanguageFilter) -> dict[str, Any]:
    """All decisions about a document."""
    text, ours, pieces = row["text"], row["words"], row["pieces"]
    spacy = split_into_words(text, "eng")
    document = Document(text=text, id=row["id"])
    found: dict[str, Any] = {"id": row["id"], "language": reason(language.filter(document))}
    rules = GopherRepetitionFilter(), GopherQualityFilter()
    given(spacy)
    found["repetition"] = [reason(rules[0].filter(document))]
    found["quality"] = [reason(rules[1].filter(document))]
    given(ours)
    found["repetition"] += [
        reason(rules[0].filter(document)),
        repetition(text, ours, blank=False),
        repetition(text, ours, blank=True),
    ]
    found["quality"].append(reason(rules[1].filter(document)) if ours else "gopher_short_doc")
    given(pieces)
    found["quality"].append(reason(rules[1].filter(document)) if pieces else "")
    return found


def main() -> None:
    """Answer for every line of the file."""
    FT176LID.MODEL_URL = sys.argv[2]
    language = LanguageFilter(["en"])
    with Path(sys.argv[1]).open(encoding="utf-8") as file:
        for line in file:
            print(json.dumps(answers(json.loads(line), language)), flush=True)


if __name__ == "__main__":
    main()
