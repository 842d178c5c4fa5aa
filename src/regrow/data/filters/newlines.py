"""At most one blank line in a row.

Source: OLMo 3, appendix A.2.1, filter 5 (at most two line ends in a row). It changes the text and drops nothing.
"""

from __future__ import annotations

import re
from dataclasses import replace

from regrow.data.filters.document import Document
from regrow.params.data import Filter

_BLANK = re.compile(r"\n(?:[^\S\n]*\n){2,}")


def clean(document: Document, params: Filter) -> Document:
    """Cut runs of blank lines to one."""
    text = _BLANK.sub("\n\n", document.text)
    return document if text == document.text else replace(document, text=text)
