"""Which held-out documents are scored, and how much of each."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from regrow.data.tables import parquet
from regrow.params.evaluate import Evaluate


@dataclass(frozen=True)
class Document:
    """A held-out document, cut to the bytes that are scored."""

    id: str
    url: str
    domain: str
    text: str

    @property
    def size(self) -> int:
        """UTF-8 bytes of the text."""
        return len(self.text.encode("utf-8"))


def cut(text: str, max_bytes: int) -> str:
    """The longest start of `text` of at most `max_bytes` UTF-8 bytes that ends with a whole character."""
    data = text.encode("utf-8", "replace")
    return data[:max_bytes].decode("utf-8", "ignore")


def choose(heldout: Path, params: Evaluate) -> list[Document]:
    """At most `max_documents` documents of each domain, by a keyed hash of their ids.

    Sorted by domain, then id. Documents without text are left out.

    Raises:
        ValueError: nothing is left to score.
    """
    table = parquet.read(heldout, columns=["id", "url", "domain", "text"])
    documents: dict[str, Document] = {}
    for id_, url, domain, text in table.iter_rows():
        start = cut(text or "", params.max_bytes)
        if start.strip():
            documents.setdefault(id_, Document(id_, url or "", domain or "unknown", start))
    by_domain: dict[str, list[Document]] = {}
    for document in documents.values():
        by_domain.setdefault(document.domain, []).append(document)

    def rank(document: Document) -> bytes:
        return hashlib.sha256(f"evaluate {params.seed} {document.id}".encode()).digest()

    chosen = [
        document
        for members in by_domain.values()
        for document in sorted(members, key=rank)[: params.max_documents]
    ]
    if not chosen:
        raise ValueError(
            f"{heldout}: no held-out document with text. Raise decontaminate.heldout_share "
            "or decontaminate.heldout_min."
        )
    return sorted(chosen, key=lambda d: (d.domain, d.id))
