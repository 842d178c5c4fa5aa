"""The domain of a document: its topic, its source, or both."""

from __future__ import annotations

import polars as pl


def of(by: str) -> pl.Expr:
    """The domain by the columns `topic` and `source`, called `share_of`.

    `by`: `topic`, `source` or `source/topic`, whose name is the source's, a slash and the topic's.
    """
    if by == "source/topic":
        return pl.concat_str("source", "topic", separator="/").alias("share_of")
    return pl.col(by).alias("share_of")
