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
    "scanned": "a PDF whose pages are pictures: its text needs OCR",
    "sitemap": "fetched as a sitemap",
    "takedown": "withdrawn by a takedown",
    "too_costly": "parsing it would cost too much",
    "too_deep": "its elements are nested too deeply",
    "too_large": "more bytes than the limit",
    "unknown_archive": "a file of a kind that no reader reads",
    "unmapped_fonts": "a PDF whose fonts do not name their letters: it needs OCR",
    "unreadable_record": "bytes of the record are missing or broken",
}
_SOURCES = {
    "other_file": "a file whose ending is not of the source's kind",
    "bad_arrow": "not an Arrow file, or one that ends too early",
    "bad_compression": "a packed file with damaged bytes, or of another kind",
    "bad_json": "a line that is not JSON",
    "bad_parquet": "not a Parquet file, or one without its end",
    "cut_short": "a packed file that ends too early",
    "damaged_rows": "a part of a Parquet or Arrow file with damaged bytes",
    "data_file": "data or settings beside source code",
    "encoded_data": "source code that is mostly encoded data",
    "generated": "source code that a tool wrote",
    "lock_file": "versions that a tool chose",
    "minified": "source code with too long lines",
    "missing_text": "a row without a text",
    "not_an_object": "a line of JSON that is not an object",
    "not_lines": "one JSON value over many lines",
    "row_too_large": "a line with more bytes than the limit",
    "too_many_lines": "source code with too many lines",
    "unknown_language": "neither name nor first line says which language",
    "unreadable": "the system does not let it be read as a file",
    "vendored": "source code of another project",
    "wrong_type": "a field that is not text",
}
_FILTERS = {
    "c4.curly_bracket": "it holds a curly bracket, as program code does",
    "c4.lorem_ipsum": "it holds placeholder text",
    "c4.too_few_sentences": "too few sentences are left after C4's rules for lines",
    "code.alphanumeric": "code with too few letters and digits",
    "code.encoded": "code that is mostly encoded data",
    "code.encoded_run": "code with a long piece of encoded data",
    "code.longest_line": "code with a line that is too long",
    "code.mean_line": "code whose lines are too long on average",
    "code.too_long": "too many characters for a file of code",
    "code.too_short": "too few characters for a file of code",
    "fineweb.duplicate_characters": "too many characters in copies of earlier lines",
    "fineweb.newlines": "too many line ends for its words",
    "fineweb.punctuated_lines": "too few lines end a sentence",
    "fineweb.short_lines": "too many short lines",
    "language.other": "another language than the wanted ones",
    "language.unsure": "its language is not certain enough",
    "length.characters": "too few characters",
    "length.too_few_words": "too few words",
    "length.too_many_words": "too many words",
    "lines.removed_words": "cleaning its lines would remove too many of its words",
    "madlad.questionable": "too many sentences with odd capitals or traces of machine-made pages",
    "madlad.too_few_sentences": "too few sentences",
    "pdf.numeric": "a PDF whose lines are mostly digits",
    "pdf.pipe_lines": "a PDF with too many rows of tables",
    "pdf.spam_words": "a PDF with too many words of offers of downloads",
    "pii": "it holds personal data or a secret",
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
    "url.soft_words": "its address holds several suspicious words",
    "url.subword": "its address holds an unwanted string",
    "url.word": "its address holds an unwanted word",
    "word_length.long": "its words are too long on average",
    "word_length.short": "its words are too short on average",
}
_COPIES = {
    "duplicate": "the same conversation again",
    "exact": "the same text as a document that stays",
    "in_pages": "a PDF whose text is in pages too",
    "in_pdf": "a page whose text is in a PDF too",
    "near": "nearly the same text as a document that stays",
    "near_chain": "nearly the same text as another copy of the document that stays",
    "repeated": "the same text again",
    "substring": "too little is left without the long passages that other documents have",
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
REASONS = {**_TEXT, **_SOURCES, **_FILTERS, **_COPIES, **_HELD_OUT, **_MIXES, **_POST_TRAINING}
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
