"""At least a few of a language's most frequent words: running text holds them, lists do not.

Source: Gopher (arXiv 2112.11446, appendix A.1.1): two of eight English words; OLMo 3, appendix A.2.1, filter 4
(not necessarily two different ones). The words are English, so the filter speaks only of
documents that were found to be English and runs after language identification; a filter
before it would call every French page a page without stop words.
"""

from __future__ import annotations

from itertools import islice

from regrow.data.filters import words
from regrow.data.filters.document import Document, Drop
from regrow.params.data import Filter

STOP_WORDS = {
    "en": frozenset(("the", "be", "to", "of", "and", "that", "have", "with")),
}


def judge(document: Document, params: Filter) -> Drop | None:
    """Drop documents with too few stop words of their language; languages without a list pass."""
    known = STOP_WORDS.get(document.language or "")
    if known is None:
        return None
    matches = (word for word in words.each(document.text) if word.lower() in known)
    found = sum(1 for _ in islice(matches, params.min_stop_words))
    if found < params.min_stop_words:
        return Drop("stop_words", float(found), float(params.min_stop_words))
    return None
