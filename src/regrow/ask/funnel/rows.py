"""The tables of one step as rows: each document that it met, kept or dropped, with its source and bytes."""

from __future__ import annotations

import polars as pl

from regrow.ask.funnel.origin import Origins
from regrow.ask.funnel.steps import DROPS, Passed
from regrow.ask.trace.manifest import OUTCOMES
from regrow.evidence.outputs import Outputs
from regrow.release.composition import UNKNOWN

ABOUT = {
    "id": pl.String, "source": pl.String, "licence": pl.String, "language": pl.String,
    "topic": pl.String, "bytes": pl.Int64, "repeats": pl.Int64,
}  # fmt: skip
"""what is known of a document as the last step left it; bytes are of UTF-8 text"""
ROWS = {**ABOUT, "reason": pl.String, "bytes_in": pl.Int64, "tokens": pl.Int64, "detail": pl.String}
"""a document at a step: `reason` null where it was kept; `bytes` after the step, `bytes_in` before it"""
_OF_TABLES = ("source", "licence", "language", "topic", "repeats")


def nothing() -> pl.DataFrame:
    """What is known of documents before the first step."""
    return pl.DataFrame(schema=ABOUT)


def of_step(
    outputs: Outputs, step: Passed, about: pl.DataFrame, origins: Origins
) -> pl.DataFrame | None:
    """The rows of a step (`ROWS`); None where a table of it is not on disk.

    `about`: the documents as the step before left them. Memory: the tables without their text (about 0.5 kB a document),
    and one row group with it.
    """
    if step.name == "crawl":
        return _crawl(outputs, step, origins)
    kept = _read(outputs, step, step.file)
    drops = _read(outputs, step, DROPS) if step.has_drops else _rows(pl.DataFrame({"id": []}))
    if kept is None or drops is None:
        return None
    if step.name == "pack":
        return _packed(kept, about)
    kept = _with(kept, about)
    if step.name == "mix":
        kept = kept.filter(pl.col("repeats") > 0)
    kept = origins.filled(kept, about)
    known = pl.concat([about.select("id", "source"), kept.select("id", "source")])
    if step.name == "text":
        known = pl.concat([known, origins.read(outputs)])
    lost = origins.filled(_with(drops, about), known)
    return pl.concat([_rows(kept), _rows(lost.with_columns(bytes=pl.lit(None, pl.Int64)))])


def _read(outputs: Outputs, step: Passed, file: str) -> pl.DataFrame | None:
    """A table of all records of a step, its texts as their bytes; None where one is not on disk."""
    frames = []
    for table in _tables(outputs, step, file) or ():
        have = table.collect_schema().names()
        wanted = ["id", "url", "reason", "detail", "start", "end", *_OF_TABLES]
        columns = [pl.col(name) for name in wanted if name in have]
        if "text" in have and file != DROPS:
            size = pl.col("text").fill_null("").str.len_bytes().cast(pl.Int64)
            columns.append(size.alias("bytes"))
        frames.append(table.select(columns).collect(engine="streaming"))
    return pl.concat(frames, how="diagonal_relaxed") if frames else None


def _tables(outputs: Outputs, step: Passed, file: str) -> list[pl.LazyFrame] | None:
    """A table of all records of a step, in parts; None where one is not on disk."""
    found = []
    for record in step.records:
        parts = [outputs.table(record.name, name) for name in step.tables(record, file)]
        if not parts or any(part is None for part in parts):
            return None
        found += [part for part in parts if part is not None]
    return found


def _with(rows: pl.DataFrame, about: pl.DataFrame) -> pl.DataFrame:
    """Rows with what was known of their documents where they do not say it, and the bytes that came in."""
    names = [
        name for name in ABOUT if name not in ("id", "source")
    ]  # `Origins.filled` knows more of sources
    known = about.unique("id", keep="first").drop("source").rename({n: f"known_{n}" for n in names})
    joined = rows.join(known, on="id", how="left", maintain_order="left")
    for name in names:
        own = [name] if name in rows.columns else []
        joined = joined.with_columns(pl.coalesce(*own, f"known_{name}").alias(name))
    return joined.with_columns(bytes_in=pl.col("known_bytes"))


def _rows(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(
        [
            (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name)
            for name, kind in ROWS.items()
        ]
    )


def _packed(index: pl.DataFrame, about: pl.DataFrame) -> pl.DataFrame:
    """The documents of the mix that have tokens in the stream, and those that have none."""
    tokens = index.group_by("id").agg(tokens=(pl.col("end") - pl.col("start")).sum())
    found = about.join(tokens, on="id", how="full", coalesce=True)
    lost = pl.when(pl.col("tokens").is_null()).then(pl.lit("no_token"))
    return _rows(
        found.with_columns(
            reason=lost, bytes_in=pl.col("bytes"), source=pl.col("source").fill_null(UNKNOWN)
        )
    )


def _crawl(outputs: Outputs, step: Passed, origins: Origins) -> pl.DataFrame | None:
    """The addresses that the crawl met; its bytes are those of the answers."""
    tables = _tables(outputs, step, step.file)
    if not tables:
        return None
    known = ~pl.col("outcome").is_in(sorted(OUTCOMES))
    frames = [t.filter(known).select("url", "bytes", "outcome", "detail").collect() for t in tables]
    found = pl.concat(frames).with_columns(id=pl.lit(None, pl.String))
    found = origins.filled(found, nothing().select("id", "source"))
    kept = pl.col("outcome") == "fetched"
    return _rows(
        found.with_columns(
            bytes_in=pl.col("bytes"),
            bytes=pl.when(kept).then(pl.col("bytes")),
            reason=pl.when(~kept).then(pl.col("outcome")),
        )
    )
