"""Source code: long lines, few letters and digits, data in place of code.

Source: StarCoder 2 (arXiv 2402.19173, section 3.1). Lines of at most 1,000 characters and 100 on average; encoded data
(base64, hexadecimal, escapes) at most half of the file and 1,024 characters in one piece. At least a quarter of letters and
digits is StarCoder's rule (arXiv 2305.06161); 32 to 262,144 characters are Olmo 3's (datamap-rs, `configs/code`). Languages that
are text or data (HTML, JSON, Roff, SMT, XML) may have lines of 100,000 characters, as in StarCoder 2.

A document is code if its mime is `text/x-<language>`, as readers of source code write it, and the language is none in
which people write prose. The filters of prose judge none of it: its words, symbols and repetitions are those of code.
"""

from __future__ import annotations

import re

from regrow.data.filters.document import Document, Drop
from regrow.params.data import Filter

PROSE = frozenset(
    (
        "asciidoc", "creole", "latex", "markdown", "mediawiki", "org", "pod", "restructuredtext",
        "rst", "server-parsed-html", "setext", "tex", "texinfo", "textile", "unknown",
        "web-markdown", "wiki",
    )
)  # fmt: skip
"""`text/x-` types of prose"""
LONG_LINED = frozenset(("html", "json", "roff", "smt", "svg", "xml"))
LONG_LINE = 100_000
"""characters of the longest line in the languages above, which have no limit on the mean"""
_TYPE = re.compile(r"text/x-([^\s;]+)", re.ASCII)
_ENCODED = (
    re.compile(r"[a-zA-Z0-9+/\n=]{64,}"),
    # Possessive, so that long white space costs no more than it is long.
    re.compile(r"(?:\b(?:0x|\\x)?+[0-9a-fA-F]{2}(?:,|\b\s*+)){8,}+"),
    re.compile(r"(?:\\u[0-9a-fA-F]{4}){8,}"),
    re.compile(r"(?:\\x[0-9a-fA-F]{2}){8,}"),
)


def language(mime: str) -> str:
    """The programming language that a mime names; "" for prose and everything else."""
    found = _TYPE.match(mime.lower())
    return found[1] if found and found[1] not in PROSE else ""


def applies(document: Document, params: Filter) -> bool:
    """Whether a document is judged as code and not as prose."""
    return params.code == "by_rules" and language(document.mime) != ""


def judge(document: Document, params: Filter) -> Drop | None:
    """Drop files that are blank, too short or long, minified, or data; other documents pass."""
    if not applies(document, params):
        return None
    text = document.text
    size = len(text)
    if not text.strip():
        return Drop("empty", float(size))
    if size < params.code_min_characters:
        return Drop("code.too_short", float(size), float(params.code_min_characters))
    if size > params.code_max_characters:
        return Drop("code.too_long", float(size), float(params.code_max_characters))
    lengths = [len(line) for line in text.splitlines()]
    wide = language(document.mime) in LONG_LINED
    longest = max(LONG_LINE, params.code_max_line) if wide else params.code_max_line
    if max(lengths) > longest:
        return Drop("code.longest_line", float(max(lengths)), float(longest))
    mean = sum(lengths) / len(lengths)
    if mean > params.code_max_mean_line and not wide:
        return Drop("code.mean_line", mean, params.code_max_mean_line)
    share = sum(map(str.isalnum, text)) / size
    if share < params.code_min_alphanumeric:
        return Drop("code.alphanumeric", share, params.code_min_alphanumeric)
    run, encoded_share = encoded(text)
    if run > params.code_max_encoded_run:
        return Drop("code.encoded_run", float(run), float(params.code_max_encoded_run))
    if encoded_share > params.code_max_encoded:
        return Drop("code.encoded", encoded_share, params.code_max_encoded)
    return None


def encoded(text: str) -> tuple[int, float]:
    """Characters of the longest piece of encoded data, and the share of the text in all of them."""
    longest = covered = end = 0
    spans = sorted(match.span() for pattern in _ENCODED for match in pattern.finditer(text))
    for start, stop in spans:
        longest = max(longest, stop - start)
        covered += max(stop - max(start, end), 0)
        end = max(end, stop)
    return longest, covered / max(len(text), 1)
