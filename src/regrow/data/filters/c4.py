"""Lines that end no sentence, and pages of placeholder text or program code.

Source: C4 (arXiv 1910.10683, section 2.2), in the order of its code (`c4_utils` of TensorFlow Datasets), which
datatrove's `C4QualityFilter` follows. A line goes if it holds a piece of over 1,000 characters,
has no mark of a sentence's end or ends in an ellipsis, has under three words, or speaks of
JavaScript or of cookies and terms of use; marks of citation (`[12]`, `[edit]`) are cut out. A line that
would stay but holds `lorem ipsum` or a curly bracket condemns the page. So does having under five sentences.

Otherwise than there, closing quotation marks may follow a sentence's end in any form, the marks of other
scripts count, and blank lines stay, for they part paragraphs. The list of bad words is not applied.
"""

from __future__ import annotations

import re
from dataclasses import replace

from regrow.data.filters import sentences, words
from regrow.data.filters.document import Document, Drop
from regrow.params.data import Filter

_CITATION = re.compile(r"\[\d*\]|\[edit\]|\[citation needed\]")
_ENDS = (*sentences.END_MARKS, *sentences.QUOTES)
_ELLIPSES = ("...", "\u2026")
_POLICY = re.compile(
    "terms of use|privacy policy|cookie policy|uses cookies|use of cookies|use cookies"
)


def clean(document: Document, params: Filter) -> Document | Drop | None:
    """The document without such lines, or a drop."""
    if not params.c4:
        return None
    kept: list[str] = []
    count = 0  # sentences
    for raw in document.text.split("\n"):
        line = _CITATION.sub("", raw).strip()
        if not line:
            if not raw.strip():
                kept.append("")
            continue
        if not fit(line, params):
            continue
        lower = line.lower()
        if "lorem ipsum" in lower:
            return Drop("c4.lorem_ipsum")
        if "javascript" in lower:
            continue
        if "{" in line:
            return Drop("c4.curly_bracket")
        if _POLICY.search(lower):
            continue
        count += len(sentences.split(line))
        kept.append(line)
    if count < params.c4_min_sentences:
        return Drop("c4.too_few_sentences", float(count), float(params.c4_min_sentences))
    text = "\n".join(kept).strip("\n")
    if not text:
        return Drop("empty", 0.0)
    return document if text == document.text else replace(document, text=text)


def fit(line: str, params: Filter) -> bool:
    """Whether a line has the form of running text: its pieces, its end, its words."""
    if len(line) > params.c4_max_word_characters and any(
        len(piece) > params.c4_max_word_characters for piece in words.spaced(line)
    ):
        return False
    if params.c4_terminal_punctuation and (not line.endswith(_ENDS) or line.endswith(_ELLIPSES)):
        return False
    # Words are pieces between spaces, as in C4, but for scripts that write none.
    least = params.c4_min_line_words
    return len(line.split()) >= least or not (line.isascii() or words.fewer(line, least))
