"""The mix step: how often each document is repeated, by topic and by quality."""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from regrow.data.mix import domains, shares
from regrow.data.mix.buckets import Bucket, cut
from regrow.data.mix.curve import Curve, fit
from regrow.data.mix.quota import wanted
from regrow.data.tables import groups
from regrow.data.tables import parquet as tables
from regrow.numerics import exact
from regrow.numerics.random import Stream
from regrow.params.data import Mix

SCHEMA: dict[str, type[pl.DataType]] = {
    "id": pl.String,
    "topic": pl.String,
    "quality": pl.Float64,
    "percentile": pl.Float64,  # of quality within the topic, by bytes
    "bucket": pl.Int32,
    "rate": pl.Float64,  # expected repeats
    "repeats": pl.Int32,
}


def repeats(rate: float, seed: int, identity: str) -> int:
    """floor(rate + u), u uniform in [0, 1) and drawn for this document alone: mean `rate`."""
    return math.floor(rate + _draw(seed, identity))


def _draw(seed: int, identity: str) -> float:
    return float(Stream("mix repeats", seed, identity).uniform(1)[0])


def run(inputs: dict[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Fill `output` with mix.parquet (kept documents and dropped ones), curves.json, drops.parquet.

    Of a text only its size is kept: held are a row group of the table, and a few hundred bytes of each document.

    Raises:
        ValueError: topic weights or shares that cannot be used, or documents without a score.
    """
    p: Mix = params.mix
    frame = _documents(inputs, p)
    parts: list[pl.DataFrame] = []
    curves: dict[str, Any] = {}
    group = "share_of" if p.shares else "topic"
    topics = {str(key[0]): part for key, part in frame.group_by(group, maintain_order=True)}
    available = {t: _tokens(sum(part["bytes"].to_list()), t, p) for t, part in topics.items()}
    if p.shares:
        quotas = shares.wanted(p.tokens, available, p.shares)
    else:
        quotas = wanted(p.tokens, available, p.topic_weights)
    for topic in sorted(topics):
        part, curves[topic] = _topic(topic, topics[topic], available[topic], quotas[topic], p)
        parts.append(part)
        if curves[topic]["qualities"] == 1 and part.height > 1:
            print(
                f"  {topic}: all documents score the same (no quality labels?): none is better than "
                "another, all are kept alike",
                file=sys.stderr,
            )
        print(
            f"  {topic}: {available[topic]:.0f} tokens, {curves[topic]['realised_tokens']:.0f} in "
            f"the mix, {quotas[topic]:.0f} wanted",
            file=sys.stderr,
        )

    output.mkdir(parents=True, exist_ok=True)
    every = pl.concat([pl.DataFrame(schema=SCHEMA | {"url": pl.String}), *parts]).sort("id")
    del parts, topics
    mix = every.select(list(SCHEMA))
    drops = _drops(every.filter(pl.col("repeats") == 0), p)
    tables.write(mix, output / "mix.parquet")
    tables.write(drops, output / "drops.parquet")
    summary: dict[str, Any] = {
        "wanted_tokens": p.tokens,
        "expected_tokens": exact.total(c["expected_tokens"] for c in curves.values()),
        "realised_tokens": exact.total(c["realised_tokens"] for c in curves.values()),
        "unranked_topics": sorted(
            t for t, c in curves.items() if c["qualities"] == 1 < c["documents"]
        ),
        "fallbacks": sum(1 for c in curves.values() if c["fallback"]),
        "weights_without_documents": sorted(set(p.topic_weights) - set(curves)),
        "topics": curves,
    }
    if p.shares:
        summary["shares"] = _shares(curves, p)
    text = json.dumps(summary, indent=2, sort_keys=True) + "\n"
    (output / "curves.json").write_text(text, encoding="utf-8")
    kept = mix.filter(pl.col("repeats") > 0)["id"]
    groups.conserved("mix", "documents", frame["id"], kept, drops["id"])
    reasons = Counter(drops["reason"])
    return {
        "in": frame.height,
        "kept": len(kept),
        "dropped": dict(sorted(reasons.items())),
        "instances": mix["repeats"].sum(),
        "unranked_topics": summary["unranked_topics"],
        **({"shares": summary["shares"]} if p.shares else {}),
    }


def _shares(curves: dict[str, Any], p: Mix) -> dict[str, Any]:
    """Per domain the share of the tokens that is wanted, and the one that the mix has."""
    whole = exact.total(curve["realised_tokens"] for curve in curves.values())
    return {
        name: {"wanted": p.shares[name], "realised": curve["realised_tokens"] / whole}
        for name, curve in curves.items()
    }


def _documents(inputs: dict[str, Path], p: Mix) -> pl.DataFrame:
    """Every training document with its size in bytes, its scores and, where there are shares, its domain, by id."""
    path = inputs["decontaminate"] / "train.parquet"
    size = pl.col("text").str.len_bytes().cast(pl.Int64).alias("bytes")
    own = ["id", "url", *(["source"] if p.shares else [])]
    empty = pl.DataFrame(schema=dict.fromkeys(own, pl.String) | {"bytes": pl.Int64})
    read = (frame.select(*own, size) for frame in groups.frames(path, [*own, "text"]))
    documents = pl.concat([empty, *read])
    scores = tables.read(inputs["classify"] / "scores.parquet", ["id", "topic", "quality"])
    frame = documents.join(scores, on="id", how="left").sort("id")
    if missing := frame["topic"].null_count():
        raise ValueError(
            f"{inputs['classify'] / 'scores.parquet'}: {missing} of {frame.height} training "
            "documents have no score; run classify on the same documents."
        )
    groups.conserved("mix", "scored documents", documents["id"], frame["id"], empty["id"])
    return frame.with_columns(domains.of(p.shares_by)) if p.shares else frame


def _tokens(size: int, topic: str, p: Mix) -> float:
    return size / p.domain_bytes_per_token.get(topic, p.bytes_per_token)


def _topic(
    name: str, part: pl.DataFrame, available: float, quota: float, p: Mix
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """One topic's (or domain's) documents with their rates and repeats, and what is to be said about its curve."""
    ids, quality, sizes = part["id"].to_list(), part["quality"].to_list(), part["bytes"].to_numpy()
    percentiles, buckets = cut(ids, quality, np.maximum(sizes, 1).tolist(), p.buckets)
    top = buckets[-1]
    curve = fit(quota / available, p.cutoff, top.end - top.start, p.max_repeats)
    numbers = np.zeros(len(ids), dtype=np.int32)
    rates = np.zeros(len(ids))
    times = np.zeros(len(ids), dtype=np.int32)
    told = []
    for bucket in buckets:
        rate = curve.mean(bucket.start, bucket.end)
        numbers[bucket.members], rates[bucket.members] = bucket.number, rate
        times[bucket.members] = [repeats(rate, p.seed, ids[i]) for i in bucket.members]
        told.append(_bucket(bucket, rate, _tokens(int(sizes[bucket.members].sum()), name, p)))
    expected = exact.total(b["tokens"] * b["rate"] for b in told)
    if p.shares:
        shares.check(name, curve, quota, available, expected)
        draws = np.array([_draw(p.seed, identity) for identity in ids])
        target = quota * p.domain_bytes_per_token.get(name, p.bytes_per_token)
        times = shares.nearest(sizes, rates, draws, target)
    columns: dict[str, Any] = {
        "percentile": percentiles,
        "bucket": numbers,
        "rate": rates,
        "repeats": times,
    }
    found = part.with_columns(pl.Series(n, c, SCHEMA[n]) for n, c in columns.items())
    return found.select(*SCHEMA, "url"), {
        "documents": len(ids),
        "kept": int((times > 0).sum()),
        "available_tokens": available,
        "wanted_tokens": quota,
        "expected_tokens": expected,
        "realised_tokens": _tokens(int((sizes * times).sum()), name, p),
        "qualities": len(set(quality)),
        **_described(curve),
        "top_width": top.end - top.start,
        "buckets": told,
    }


def _described(curve: Curve) -> dict[str, Any]:
    return {
        "a": curve.cutoff,
        "p": curve.p,
        "lambda": curve.rate,
        "C": curve.scale,
        "fallback": None if curve.feasible else "flat_at_ceiling",
    }


def _bucket(bucket: Bucket, rate: float, tokens: float) -> dict[str, Any]:
    return {
        "bucket": bucket.number,
        "start": bucket.start,
        "end": bucket.end,
        "documents": len(bucket.members),
        "tokens": tokens,
        "rate": rate,
    }


def _drops(rows: pl.DataFrame, p: Mix) -> pl.DataFrame:
    """drops.parquet, in the order of `regrow.data.tables.parquet.drops`."""
    rounded, below = pl.col("rate") > 0.0, pl.col("percentile") <= p.cutoff
    reason = (
        pl.when(rounded)
        .then(pl.lit("rate_rounding"))
        .when(below)
        .then(pl.lit("quality_cutoff"))
        .otherwise(pl.lit("topic_unwanted"))
    )
    value = pl.when(rounded).then("rate").when(below).then("percentile").otherwise(0.0)
    frame = rows.select(
        "id",
        "url",
        step=pl.lit("mix"),
        reason=reason,
        value=value,
        threshold=pl.when(~rounded & below).then(pl.lit(p.cutoff)),
        detail=pl.format("{}, bucket {}", "topic", "bucket"),
    )
    frame = frame.select(pl.col(name).cast(kind) for name, kind in tables.DROPS.items())
    return frame.sort(["id", "reason", "detail"], nulls_last=True)
