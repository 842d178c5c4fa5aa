"""What does a person mean: a document by id, URL or a line of text; a task, example or pair by id."""

from __future__ import annotations

import difflib
import re

import polars as pl

from regrow.lineage.errors import Unanswerable
from regrow.lineage.shelf import Shelf
from regrow.lineage.trace.made import Match, find_made

DROPPING = ("text", "filter", "dedup", "decontaminate", "mix")
_ID = re.compile(r"[0-9a-f]{6,32}")
_WORD = re.compile(r"\w{4,}")


def find(shelf: Shelf, query: str) -> list[Match]:
    """What fits `query`, documents sorted by URL; the narrowest reading that fits anything wins.

    Raises:
        Unanswerable: nothing fits; the message names what comes nearest.
    """
    text = query.strip()
    if not text:
        raise Unanswerable("an empty query: give a document id, a URL or a line of text.")
    known = _known(shelf)
    made = find_made(shelf, text)
    if made and known.filter(pl.col("id") == text.lower()).is_empty():
        return made
    if known.is_empty():
        raise Unanswerable(f"no documents on disk. {shelf.hint()}".strip())
    if _ID.fullmatch(text.lower()):
        hits = known.filter(pl.col("id").str.starts_with(text.lower()))
        if not hits.is_empty():
            return _matches(hits, "id")
    url = text.split("#")[0]
    hits = known.filter(pl.col("url") == url)
    if hits.is_empty() and " " not in text and len(text) > 3:
        bare = _bare(url)
        stripped = pl.col("url").str.replace(r"^\w+://", "").str.strip_chars_end("/")
        hits = known.filter(stripped == bare)
        if hits.is_empty() and ("/" in bare or "." in bare):
            hits = known.filter(pl.col("url").str.contains(bare, literal=True))
            if not hits.is_empty():
                return _matches(hits, "url contains")
    if not hits.is_empty():
        return _matches(hits, "url")
    found = _by_text(shelf, text)
    if found:
        return found
    if " " not in text:
        hits = known.filter(pl.col("url").str.contains(text, literal=True))
        if not hits.is_empty():
            return _matches(hits, "url contains")
    raise Unanswerable(
        f"no document has the id, URL or text `{_short(text)}`.{_nearest(shelf, known, text)}"
    )


def _known(shelf: Shelf) -> pl.DataFrame:
    """id, url, title of everything that the crawl or a later step met, one row each."""
    frames = []
    for name, file in [("text", "documents.parquet")] + [(s, "drops.parquet") for s in DROPPING]:
        table = shelf.table(name, file)
        if table is not None:
            have = table.collect_schema().names()
            title = pl.col("title") if "title" in have else pl.lit(None, pl.String).alias("title")
            frames.append(table.select("id", "url", title).collect())
    documents = (
        pl.concat(frames)
        if frames
        else pl.DataFrame(schema=dict.fromkeys(("id", "url", "title"), pl.String))
    )
    documents = documents.unique("id", keep="first", maintain_order=True)
    fetches = shelf.table("crawl", "fetches.parquet")
    if fetches is not None:
        rest = fetches.select(
            pl.lit(None, pl.String).alias("id"), "url", pl.lit(None, pl.String).alias("title")
        )
        alone = (
            rest.collect().join(documents, on="url", how="anti").unique("url", maintain_order=True)
        )
        documents = pl.concat([documents, alone])
    return documents


def _bare(url: str) -> str:
    return re.sub(r"^\w+://", "", url).rstrip("/")


def _matches(hits: pl.DataFrame, how: str) -> list[Match]:
    return [
        Match(row["id"], row["url"] or "", row["title"] or "", how)
        for row in hits.sort("url", "id", nulls_last=True).iter_rows(named=True)
    ]


def _by_text(shelf: Shelf, text: str) -> list[Match]:
    """Documents whose extracted text holds `text`, letter case and white space aside."""
    table = shelf.table("text", "documents.parquet")
    if table is None:
        return []
    pattern = r"\s+".join(re.escape(word) for word in text.split())
    line = pl.col("text").str.extract(f"(?i)([^\\n]*{pattern}[^\\n]*)")
    hits = table.filter(pl.col("text").str.contains(f"(?i){pattern}"))
    rows = hits.select("id", "url", "title", line=line).sort("url", "id").collect()
    return [
        Match(row["id"], row["url"], row["title"] or "", "text", _short(row["line"] or "", 160))
        for row in rows.iter_rows(named=True)
    ]


def _nearest(shelf: Shelf, known: pl.DataFrame, text: str) -> str:
    """A sentence that names the nearest URLs, or the documents that share most of the words."""
    if " " not in text:
        bare = _bare(text)
        urls = sorted({_bare(url) for url in known["url"].drop_nulls()})
        near = difflib.get_close_matches(bare, urls, n=3, cutoff=0.6)
        if near:
            return " Nearest: " + ", ".join(near) + "."
    words = sorted(set(_WORD.findall(text.lower())))[:40]
    table = shelf.table("text", "documents.parquet")
    if not words or table is None:
        return f" {shelf.hint()}".rstrip()
    lower = pl.col("text").str.to_lowercase()
    score = pl.sum_horizontal([lower.str.contains(w, literal=True).cast(pl.Int32) for w in words])
    best = (
        table.select("id", "url", score.alias("score"))
        .filter(pl.col("score") * 3 >= len(words))
        .sort(["score", "url"], descending=[True, False])
        .head(3)
        .collect()
    )
    if best.is_empty():
        return " Nothing on disk comes near it."
    rows = best.iter_rows(named=True)
    return " Nearest:\n" + "\n".join(
        f"  {row['id'][:12]}  {row['score']} of {len(words)} words  {row['url']}" for row in rows
    )


def _short(text: str, most: int = 80) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"
