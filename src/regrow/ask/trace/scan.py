"""Searching every row: parts of URLs, lines of text, and what comes nearest. Takes time with the size."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from regrow.ask.trace import forks, manifest
from regrow.ask.trace.match import Match
from regrow.evidence.lookup.keys import bare
from regrow.evidence.outputs import Outputs

if TYPE_CHECKING:
    import polars as pl

DROPPING = ("text", "filter", "dedup", "decontaminate", "mix")
TABLES = (("text", "documents.parquet"), *((step, "drops.parquet") for step in DROPPING))
"""where a document that the crawl or a later step met has a row; the first says its title"""
_WORD = re.compile(r"\w{4,}")


def tables(outputs: Outputs) -> list[tuple[str, str]]:
    """`TABLES`, with the fullest table of documents that is on disk."""
    return [outputs.documents if table == TABLES[0] else table for table in TABLES]


def known(outputs: Outputs) -> pl.DataFrame:
    """id, url, title of everything that the crawl or a later step met, one row each."""
    import polars as pl

    paths = [path for job, file in tables(outputs) if (path := outputs.path(job, file))]
    paths += [path for _, path in forks.tables(outputs)]
    frames = []
    for path in paths:
        table = pl.scan_parquet(path, glob=False)
        have = table.collect_schema().names()
        title = pl.col("title") if "title" in have else pl.lit(None, pl.String).alias("title")
        frames.append(table.select("id", "url", title).collect())
    empty = pl.DataFrame(schema=dict.fromkeys(("id", "url", "title"), pl.String))
    documents = pl.concat([empty, *frames]).unique("id", keep="first", maintain_order=True)
    fetches = outputs.table("crawl", "fetches.parquet")
    if fetches is not None:
        nothing = pl.lit(None, pl.String)
        met = fetches.filter(~pl.col("outcome").is_in(sorted(manifest.OUTCOMES)))
        rest = met.select(nothing.alias("id"), "url", nothing.alias("title")).collect()
        alone = rest.join(documents, on="url", how="anti").unique("url", maintain_order=True)
        documents = pl.concat([documents, alone])
    return documents


def by_part_of_url(outputs: Outputs, part: str) -> list[Match]:
    """Everything whose URL holds `part`."""
    import polars as pl

    hits = known(outputs).filter(pl.col("url").str.contains(part, literal=True))
    return in_order(
        Match(row["id"], row["url"], row["title"] or "", "url contains")
        for row in hits.iter_rows(named=True)
    )


def by_text(outputs: Outputs, text: str) -> list[Match]:
    """Documents whose extracted text holds `text`, letter case and white space aside."""
    import polars as pl

    pattern = r"\s+".join(re.escape(word) for word in text.split())
    line = pl.col("text").str.extract(f"(?i)([^\\n]*{pattern}[^\\n]*)")
    found = []
    for path in _texts(outputs):
        table = pl.scan_parquet(path, glob=False)
        title = pl.col("title") if "title" in table.collect_schema() else pl.lit("").alias("title")
        hits = table.filter(pl.col("text").str.contains(f"(?i){pattern}"))
        for row in hits.select("id", "url", title, line=line).collect().iter_rows(named=True):
            shown = short(row["line"] or "", 160)
            found.append(Match(row["id"], row["url"] or "", row["title"] or "", "text", shown))
    return in_order(found)


def nearest(outputs: Outputs, text: str) -> str:
    """A sentence that names the nearest URLs, or the documents that share most of the words."""
    import difflib

    import polars as pl

    if " " not in text:
        urls = sorted({bare(url) for url in known(outputs)["url"].drop_nulls()})
        near = difflib.get_close_matches(bare(text), urls, n=3, cutoff=0.6)
        if near:
            return " Nearest: " + ", ".join(near) + "."
    words = sorted(set(_WORD.findall(text.lower())))[:40]
    tables = [pl.scan_parquet(path, glob=False) for path in _texts(outputs)]
    if not words or not tables:
        return f" {outputs.hint()}".rstrip()
    lower = pl.col("text").str.to_lowercase()
    score = pl.sum_horizontal([lower.str.contains(w, literal=True).cast(pl.Int32) for w in words])
    best = (
        pl.concat([table.select("id", "url", score.alias("score")) for table in tables])
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


def in_order(matches: Iterable[Match]) -> list[Match]:
    """By URL, then id; what has no URL last."""
    return sorted(matches, key=lambda match: (not match.url, match.url, match.id or ""))


def short(text: str, most: int = 80) -> str:
    """A text on one line, cut if long."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def _texts(outputs: Outputs) -> list[Path]:
    path = outputs.path(*outputs.documents)
    return [*([path] if path else []), *(path for _, path in forks.tables(outputs))]
