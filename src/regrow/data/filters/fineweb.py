"""Pages of short lines, of lines without an end, or of lines that come again.

Source: FineWeb (arXiv 2406.17557, section 3.6), as datatrove's `FineWebQualityFilter` computes it: the share of lines that
end a sentence, the share of short lines, the share of characters in copies of earlier lines (of
all characters but line ends), and line ends per word. Blank lines count as line ends only.
"""

from __future__ import annotations

from regrow.data.filters import sentences
from regrow.data.filters.document import Document, Drop
from regrow.data.filters.repetition import duplicates
from regrow.params.data import Filter


def judge(document: Document, params: Filter) -> Drop | None:
    """Drop documents that are lists, menus or repeated lines."""
    if not params.fineweb:
        return None
    lines = document.lines
    count = max(len(lines), 1)
    ended = sum(line.endswith(sentences.END_MARKS) for line in lines) / count
    if ended < params.fineweb_min_punctuated_lines:
        return Drop("fineweb.punctuated_lines", ended, params.fineweb_min_punctuated_lines)
    short = sum(len(line) <= params.fineweb_short_line for line in lines) / count
    if short > params.fineweb_max_short_lines:
        return Drop("fineweb.short_lines", short, params.fineweb_max_short_lines)
    # Shares of the text without line ends, as in the source: blank lines may hold spaces.
    characters = max(len(document.text) - document.text.count("\n"), 1)
    copies = duplicates(lines)[1] * sum(map(len, lines)) / characters
    if copies > params.fineweb_max_duplicate_characters:
        limit = params.fineweb_max_duplicate_characters
        return Drop("fineweb.duplicate_characters", copies, limit)
    ends = document.text.count("\n") / max(document.word_count, 1)
    if ends > params.fineweb_max_newlines:
        return Drop("fineweb.newlines", ends, params.fineweb_max_newlines)
    return None
