"""Constraints that no answer can follow, alone or together: a reward of 0 for ever.

Not all contradictions are found (that a pattern matches nothing, say), those between counts, languages,
cases, ends and beginnings are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

Constraint = tuple[str, Mapping[str, Any]]
_CAPITAL, _LOWER = "change_case:english_capital", "change_case:english_lowercase"
_LANGUAGE = "language:response_language"
_COUNTED = {
    # what is counted, by which arguments it is the same count, the count and its relation
    "length_constraints:number_words": ((), "num_words", "relation"),
    "length_constraints:number_sentences": ((), "num_sentences", "relation"),
    "change_case:capital_word_frequency": ((), "capital_frequency", "capital_relation"),
    "keywords:letter_frequency": (("letter",), "let_frequency", "let_relation"),
    "keywords:frequency": (("keyword",), "frequency", "relation"),
}
_EXACT = {
    "length_constraints:number_paragraphs": "num_paragraphs",
    "detectable_format:number_bullet_lists": "num_bullets",
    "length_constraints:nth_paragraph_first_word": "num_paragraphs",
}


def impossible(name: str, given: Mapping[str, Any]) -> str:
    """Why no answer can follow one instruction, "" if one can."""
    if name == "length_constraints:nth_paragraph_first_word":
        beyond = given["nth_paragraph"] > given["num_paragraphs"]
        return "nth_paragraph must not exceed num_paragraphs" if beyond else ""
    if name == "length_constraints:number_sentences":
        none = given["num_sentences"] == 1 and given["relation"] == "less than"
        return "an answer has at least one sentence" if none else ""
    return ""


def contradiction(constraints: Sequence[Mapping[str, Any]]) -> str:
    """Two constraints that exclude each other, and why; "" if none are found."""
    every = [(c["id"], c.get("arguments", {})) for c in constraints]
    for first, second in combinations(every, 2):
        for a, b in ((first, second), (second, first)):
            for reason in _reasons(a, b):
                return f"{a[0]} and {b[0]}: {reason}"
    return ""


def _reasons(a: Constraint, b: Constraint) -> Iterator[str]:
    (name, given), (other, wanted) = a, b
    if name in _COUNTED and name == other:
        same, count, relation = _COUNTED[name]
        counted = all(str(given[key]).lower() == str(wanted[key]).lower() for key in same)
        ways = (given[relation], wanted[relation])
        if counted and ways == ("less than", "at least") and given[count] <= wanted[count]:
            yield f"less than {given[count]}, and at least {wanted[count]}"
    if name in _EXACT and name == other and given[_EXACT[name]] != wanted[_EXACT[name]]:
        yield f"{given[_EXACT[name]]} and {wanted[_EXACT[name]]}"
    if name == other == "length_constraints:nth_paragraph_first_word":
        words = {given["first_word"].lower(), wanted["first_word"].lower()}
        if given["nth_paragraph"] == wanted["nth_paragraph"] and len(words) > 1:
            yield "two words begin one paragraph"
    yield from _words(a, b)
    yield from _ends(a, b)


def _words(a: Constraint, b: Constraint) -> Iterator[str]:
    (name, given), (other, wanted) = a, b
    if (name, other) == (_CAPITAL, _LOWER):
        yield "all capitals, and none"
    if name == other == _LANGUAGE and given["language"] != wanted["language"]:
        yield f"{given['language']} and {wanted['language']}"
    if name == _LANGUAGE and other in (_CAPITAL, _LOWER) and given["language"] != "en":
        yield f"{given['language']} and English"
    capitals = other == "change_case:capital_word_frequency"
    if name == _LOWER and capitals and wanted["capital_relation"] == "at least":
        yield "no capitals, and words in capitals"
    if (name, other) == ("keywords:existence", "keywords:frequency"):
        none = wanted["frequency"] == 1 and wanted["relation"] == "less than"
        if none and wanted["keyword"].strip().lower() in {
            k.strip().lower() for k in given["keywords"]
        }:
            yield f"{wanted['keyword']!r} occurs, and does not"


def _ends(a: Constraint, b: Constraint) -> Iterator[str]:
    (name, given), (other, wanted) = a, b
    if name == other == "startend:end_checker":
        ends = [args["end_phrase"].strip().lower() for args in (given, wanted)]
        if not (ends[0].endswith(ends[1]) or ends[1].endswith(ends[0])):
            yield "two ends"
    if name == other == "combination:repeat_prompt":
        starts = [args["prompt_to_repeat"].strip().lower() for args in (given, wanted)]
        if not (starts[0].startswith(starts[1]) or starts[1].startswith(starts[0])):
            yield "two beginnings"
    quoted = (name, other) == ("startend:quotation", "combination:repeat_prompt")
    if quoted and not wanted["prompt_to_repeat"].strip().startswith('"'):
        yield "it begins with a quotation mark, and with the prompt"
    if name == "punctuation:no_comma":
        said = str(wanted.get("end_phrase", "")) + str(wanted.get("prompt_to_repeat", ""))
        if "," in said:
            yield "a comma in what must be said"
