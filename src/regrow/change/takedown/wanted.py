"""Which documents are meant, and which others hold the same text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from regrow.ask.trace.find import find
from regrow.data.dedup.overlap import References
from regrow.data.dedup.shingles import Shingler
from regrow.evidence.errors import Unanswerable
from regrow.evidence.outputs import Outputs

NGRAM, ENOUGH = 13, 0.3
"""words of an n-gram, and the share of common ones from which on two texts are reported: as in decontaminate"""


def documents(outputs: Outputs, queries: Sequence[str]) -> list[str]:
    """The ids of the documents that the queries mean, one each (a whole id, a URL or a line of text).

    Raises:
        Unanswerable: nothing fits one, several do, or it is no document of the crawl.
    """
    found = []
    for query in queries:
        fits = [m for m in find(outputs, query) if m.id is not None and m.kind == "document"]
        if len(fits) != 1:
            listed = "".join(f"\n  {m.id}  {m.url}" for m in fits[:10])
            raise Unanswerable(
                f"`{query}` means {len(fits) or 'no'} documents; name each by its id.{listed}"
            )
        found.append(str(fits[0].id))
    return sorted(set(found))


def copies(outputs: Outputs, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Other documents of the same clusters of copies (`dedup`), by id: id, url, reason, kept.

    `kept`: it is the one of its cluster that stays, and is trained on.
    """
    columns = ["id", "url", "reason", "detail"]
    own = outputs.rows("dedup", "drops.parquet", pl.col("id").is_in(list(ids)), columns)
    heads = {row["detail"] for row in own if row["detail"]} | set(ids)
    members = outputs.rows("dedup", "drops.parquet", pl.col("detail").is_in(sorted(heads)), columns)
    found = {row["id"]: {**row, "kept": False} for row in members}
    here = pl.col("id").is_in(sorted(heads))
    for row in outputs.rows("dedup", "documents.parquet", here, ["id", "url"]):
        found[row["id"]] = {**row, "reason": None, "detail": None, "kept": True}
    return [found[id] for id in sorted(found) if id not in set(ids)]


def overlaps(outputs: Outputs, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Training documents that share much text with one of `ids`, most first: id, url, share, document."""
    table = outputs.table("decontaminate", "train.parquet")
    text = outputs.table("text", "documents.parquet")
    if table is None or text is None:
        return []
    mine = text.filter(pl.col("id").is_in(list(ids))).select("id", "text").sort("id").collect()
    shingler = Shingler(NGRAM)
    references = References([shingler.set(one) for one in mine["text"]])
    found = []
    for id, url, one in table.select("id", "url", "text").sort("id").collect().iter_rows():
        if id in set(ids):
            continue
        share, which = references.overlap(shingler.set(one))
        if which >= 0 and share >= ENOUGH:
            found.append(
                {"id": id, "url": url, "share": round(share, 3), "document": mine["id"][which]}
            )
    return sorted(found, key=lambda row: (-row["share"], row["id"]))
