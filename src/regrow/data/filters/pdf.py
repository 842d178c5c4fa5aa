"""Text of PDFs: offers of downloads, tables of numbers, tables in pipes.

Source: Olmo 3, sections 3.4.2 (with olmOCR's `filter.py`: twelve words that offers of pirated books are made of, over
0.4 % of all words) and Dolma 3's ingestion of PDFs (`pools/9T`: mean share of digits per line under 0.2,
lines between pipes under 0.3 of all). Only documents whose mime is application/pdf are judged. olmOCR looks for the
words on the first five pages and passes over texts under 200 characters or with few letters; here the whole text counts,
and the filter of length has seen it before.
"""

from __future__ import annotations

from regrow.data.filters.document import Document, Drop
from regrow.params.data import Filter

SPAM = frozenset(
    (
        "download", "pdf", "epub", "mobi", "free", "ebook",
        "file", "save", "casino", "viagra", "cialis", "ciprofloxacin",
    )
)  # fmt: skip


def judge(document: Document, params: Filter) -> Drop | None:
    """Drop PDFs that offer downloads or consist of numbers and cells."""
    if not params.pdf or document.mime != "application/pdf":
        return None
    spam = sum(word.lower() in SPAM for word in document.words) / max(document.word_count, 1)
    if spam > params.pdf_max_spam_words:
        return Drop("pdf.spam_words", spam, params.pdf_max_spam_words)
    lines = document.lines
    if not lines:
        return None
    numeric = sum(sum(map(str.isdigit, line)) / len(line) for line in lines) / len(lines)
    if numeric >= params.pdf_max_numeric:
        return Drop("pdf.numeric", numeric, params.pdf_max_numeric)
    pipes = sum(piped(line) for line in lines) / len(lines)
    if pipes >= params.pdf_max_pipe_lines:
        return Drop("pdf.pipe_lines", pipes, params.pdf_max_pipe_lines)
    return None


def piped(line: str) -> bool:
    """Whether a line is a row of a table: it begins and ends with a pipe."""
    cut = line.strip()
    return cut.startswith("|") and cut.endswith("|")
