"""Length of a document in characters and words.

Source: Gopher (arXiv 2112.11446, appendix A.1.1: 50 to 100,000 words); OLMo 3, appendix A.2.1, filter 2
(also at least 150 characters; punctuation is no word).
"""

from __future__ import annotations

from regrow.data.filters.document import Document, Drop
from regrow.params.data import Filter


def judge(document: Document, params: Filter) -> Drop | None:
    """Drop documents that are blank, too short or too long."""
    characters = len(document.text)
    if not document.text.strip():
        return Drop("empty", float(characters))
    if characters < params.min_characters:
        return Drop("length.characters", float(characters), float(params.min_characters))
    words = document.word_count
    if words < params.min_words:
        return Drop("length.too_few_words", float(words), float(params.min_words))
    if words > params.max_words:
        return Drop("length.too_many_words", float(words), float(params.max_words))
    return None
