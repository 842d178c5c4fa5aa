"""What the reasons of drops mean, in a few words: every reason that a data step can write.

A reason says what was measured, not how: the value and the limit are in the row of the drop.
"""

from __future__ import annotations

import re

_TEXT = {
    "bad_address": "the address cannot be taken apart",
    "bad_charset": "the bytes fit no charset",
    "bad_coding": "compressed data that are broken, or of a kind that is not unpacked",
    "broken_pdf": "a PDF that cannot be read",
    "encrypted_pdf": "a PDF that needs a password",
    "http_status": "the server answered with another status than 200",
    "image_only_pdf": "a PDF of pictures without text",
    "line_too_long": "a line over the limit",
    "not_text": "a picture, a program or data for machines",
    "parser_failed": "the parser crashed or raised an error",
    "recorded_twice": "the same address with the same bytes again",
    "revisit": "the page itself is stored elsewhere",
    "robots": "fetched as a robots.txt",
    "robots_txt": "a robots.txt, not a page",
    "sitemap": "fetched as a sitemap",
    "takedown": "withdrawn by a takedown",
    "too_costly": "parsing it would cost too much",
    "too_deep": "its elements are nested too deeply",
    "too_large": "more bytes than the limit",
    "unknown_archive": "a file of a kind that no reader reads",
    "unreadable_record": "bytes of the record are missing or broken",
}
_FILTERS = {
    "language.other": "another language than the wanted ones",
    "language.unsure": "its language is not certain enough",
    "length.characters": "too few characters",
    "length.too_few_words": "too few words",
    "length.too_many_words": "too many words",
    "lines.removed_words": "cleaning its lines would remove too many of its words",
    "repetition.line_characters": "too many characters in repeated lines",
    "repetition.lines": "too many repeated lines",
    "repetition.ngram": "too much of it is repeated sequences of words",
    "repetition.paragraph_characters": "too many characters in repeated paragraphs",
    "repetition.paragraphs": "too many repeated paragraphs",
    "stop_words": "too few of the commonest words of its language",
    "symbols.alphabetic_words": "too few words hold a letter",
    "symbols.bullet_lines": "too many lines begin with a bullet",
    "symbols.ellipsis_lines": "too many lines end in an ellipsis",
    "symbols.per_word": "too many symbols for its words",
    "url.host": "its host is on the list of unwanted hosts",
    "url.word": "its address holds an unwanted word",
    "word_length.long": "its words are too long on average",
    "word_length.short": "its words are too short on average",
}
_COPIES = {
    "duplicate": "the same conversation again",
    "exact": "the same text as a document that stays",
    "near": "nearly the same text as a document that stays",
    "near_chain": "nearly the same text as another copy of the document that stays",
    "repeated": "the same text again",
}
_HELD_OUT = {
    "held_out": "kept apart for evaluation",
    "holds_task": "holds a held-out task",
    "leak.content": "made from the content of a held-out task",
    "leak.eval": "overlaps an evaluation item",
    "leak.heldout": "overlaps a held-out document",
    "leak.quote": "quotes an evaluation item",
    "leak.task": "holds a held-out task",
    "overlaps_eval": "overlaps an evaluation item",
    "overlaps_heldout": "overlaps a held-out document",
    "quotes_eval": "quotes an evaluation item",
}
_MIXES = {
    "compressible": "among the most compressible of the long documents",
    "empty": "too little text, or none",
    "incompressible": "among the least compressible of the long documents",
    "quality": "left out of the mix of pretraining",
    "quality_cutoff": "below the quality cutoff of its topic",
    "rate_rounding": "its rate below one was rounded to no repeat",
    "short": "fewer tokens than a long document needs",
    "topic_unwanted": "its topic has no share of the mix",
}
_POST_TRAINING = {
    "equal_scores": "the best and the worst answer have equal scores",
    "identity": "claims to be somebody",
    "language.han": "too many Chinese characters",
    "malformed": "not a row of a teacher's answers",
    "none_correct": "no answer is correct",
    "prompt_too_long": "the prompt leaves no room for an answer",
    "repetition.phrase": "a phrase is repeated too often",
    "repetition.sentence": "a sentence is repeated too often",
    "repetition.word": "a word is repeated too often in a row",
    "same_answer": "both models gave the same answer",
    "too_easy": "answered right too often",
    "too_long": "more tokens than the limit",
    "truncated": "the teacher's answer was cut off",
    "wrong": "its verifier refuses the answer",
}
REASONS = {**_TEXT, **_FILTERS, **_COPIES, **_HELD_OUT, **_MIXES, **_POST_TRAINING}
"""reason -> what it means; of reasons that end in a number (`repetition.ngram_5`), without it"""
_NUMBER = re.compile(r"_\d+$")
_PAIR = re.compile(r"^(judged|delta)\.")


def explained(reason: str) -> str:
    """What a reason means; "" for one that no step of the flow writes."""
    return REASONS.get(_NUMBER.sub("", _PAIR.sub("", reason)), "")


def counted(reason: str, documents: int) -> str:
    """The reason with its count, and in brackets what it means."""
    meaning = explained(reason)
    return f"{reason} {documents:,}" + (f" ({meaning})" if meaning else "")
