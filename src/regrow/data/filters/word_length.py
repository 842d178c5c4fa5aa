"""Mean length of a word.

Source: Gopher (arXiv 2112.11446, appendix A.1.1: 3 to 10 characters); OLMo 3, appendix A.2.1, filter 3,
which counts the pieces between white space with their punctuation. Scripts that write no
spaces are left out of the mean; a text wholly in such a script passes.
"""

from __future__ import annotations

from regrow.data.filters.document import Document, Drop
from regrow.params.data import Filter


def judge(document: Document, params: Filter) -> Drop | None:
    """Drop documents whose words are on average too short or too long."""
    pieces = document.spaced
    if not pieces:
        return None
    mean = sum(map(len, pieces)) / len(pieces)
    if mean < params.min_mean_word_length:
        return Drop("word_length.short", mean, params.min_mean_word_length)
    if mean > params.max_mean_word_length:
        return Drop("word_length.long", mean, params.max_mean_word_length)
    return None
