"""The tables that a source becomes: documents and what was dropped, and how a document is named."""

from __future__ import annotations

import json
from urllib.parse import quote, urlsplit

import polars as pl

from regrow.data.sources.item import SCHEME, Item, Refused
from regrow.data.tables.drops import drop_row
from regrow.data.tables.stream import Row
from regrow.data.text.document import Document, Dropped, document_id, tidy
from regrow.params.source import Source

DOCUMENTS: dict[str, type[pl.DataType]] = {
    "id": pl.String, "url": pl.String, "host": pl.String, "source": pl.String, "licence": pl.String,
    "mime": pl.String, "charset": pl.String, "title": pl.String, "text": pl.String, "date": pl.String,
    "metadata": pl.String,
}  # fmt: skip
"""columns of a table of documents; `metadata` is a JSON object or null"""
NAMED = 4_096
"""bytes of a row that name it among the drops"""
DOCUMENT_KEYS = ("id",)
DROP_KEYS = ("id", "reason", "detail")


def address(source: str, name: str | bytes) -> str:
    """The address of a document that has none on the web: `source://notes/2026/plan.md`."""
    return f"{SCHEME}{source}/{quote(name)}"


def of_item(item: Item, source: Source) -> Row:
    """The row of a document that came as text. Its id is a hash of address and content, as a page's is."""
    url = item.url or (address(source.name, item.name) if item.name else "")
    own = document_id(url or address(source.name, ""), item.payload)
    return {
        "id": own,
        "url": url or address(source.name, own),
        "host": _host(url) or source.name,
        "source": source.name,
        "licence": item.licence or source.licence,
        "mime": item.mime,
        "charset": item.charset,
        "title": tidy(item.title),
        "text": tidy(item.text),
        "date": item.date or None,
        "metadata": json.dumps(dict(item.metadata), sort_keys=True, ensure_ascii=False)
        if item.metadata
        else None,
    }


def of_document(document: Document, source: Source) -> Row:
    """The row of a document that was read from a page or PDF."""
    return {
        "id": document.id,
        "url": document.url,
        "host": _host(document.url) or source.name,
        "source": source.name,
        "licence": source.licence,
        "mime": document.mime,
        "charset": document.charset,
        "title": document.title,
        "text": document.text,
        "date": None,
        "metadata": None,
    }


def of_refused(refused: Refused, source: Source) -> Row:
    """The row of what a reader refused; its place is not in it, so that no cut into files decides a byte."""
    url = refused.url or (address(source.name, refused.name) if refused.name else "")
    return drop_row(
        "text",
        document_id(url or address(source.name, ""), refused.payload[:NAMED]),
        url or None,
        refused.reason,
        refused.value,
        refused.threshold,
        refused.detail or None,
    )


def of_dropped(dropped: Dropped) -> Row:
    """The row of a page or PDF that became no document."""
    return drop_row(
        "text",
        dropped.id,
        dropped.url,
        dropped.reason,
        dropped.value,
        dropped.threshold,
        dropped.detail or None,
    )


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""
