"""Pages of a PDF that hold a passage, by the page map that the reading of its source wrote."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from regrow.data.pdf.pagemap import pages_of
from regrow.data.sources.item import SCHEME
from regrow.evidence.outputs import Outputs
from regrow.params.readers.pdf import FILES


def facts(outputs: Outputs, id: str, url: str, passages: Sequence[str]) -> dict[str, Any]:
    """What a document that was a PDF says of its pages: `pages`, `scanned` (how many), and `page` of a passage.

    Args:
        url: of the document; what is no PDF of a source costs nothing.
        passages: ways to write what is searched for, the surest one first. Filters may have changed white space.

    Returns:
        {} where there is no page map on disk; no `page` where no passage is in the text as it was read.
    """
    if not (url.startswith(SCHEME) and url.lower().endswith(FILES.suffixes)):
        return {}
    import polars as pl  # most answers are about pages of the web, and begin sooner without it

    rows = outputs.rows("text", "documents.parquet", pl.col("id") == id, ["text", "metadata"])
    said = json.loads(rows[0].get("metadata") or "{}") if rows else {}
    if "pdf_page_numbers" not in said:
        return {}
    found: dict[str, Any] = {"pages": int(said["pages"])}
    if scanned := len(json.loads(said.get("scanned_pages", "[]"))):
        found["scanned"] = scanned
    spans = json.loads(said["pdf_page_numbers"])
    for passage in passages:
        place = _place(rows[0]["text"], passage)
        if place is not None:
            numbers = pages_of(spans, *place)
            found["page"] = ", ".join(map(str, numbers))
            break
    return found


def _place(text: str, passage: str) -> tuple[int, int] | None:
    """Where a passage is in a text, white space aside."""
    wanted = "".join(passage.split())
    if not wanted:
        return None
    at = text.find(passage.strip())
    if at >= 0:
        return at, at + len(passage.strip())
    places = [place for place, letter in enumerate(text) if not letter.isspace()]
    begin = "".join(text.split()).find(wanted)
    return None if begin < 0 else (places[begin], places[begin + len(wanted) - 1] + 1)
