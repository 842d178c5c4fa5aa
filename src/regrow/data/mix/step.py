"""The mix step: how often each document is repeated, by topic and by quality."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import polars as pl

from regrow.data.mix.buckets import Bucket, cut
from regrow.data.mix.curve import Curve, fit
from regrow.data.mix.quota import wanted
from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import conserved
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
    return math.floor(rate + float(Stream("mix repeats", seed, identity).uniform(1)[0]))


def run(inputs: dict[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Fill `output` with mix.parquet (kept documents and dropped ones), curves.json, drops.parquet.

    Raises:
        ValueError: topic weights that cannot be used, or documents without a score.
    """
    p: Mix = params.mix
    frame = _documents(inputs)
    rows: list[dict[str, Any]] = []
    curves: dict[str, Any] = {}
    topics = {str(key[0]): part for key, part in frame.group_by("topic", maintain_order=True)}
    available = {t: _tokens(sum(part["bytes"].to_list()), p) for t, part in topics.items()}
    quotas = wanted(p.tokens, available, p.topic_weights)
    for topic in sorted(topics):
        topic_rows, curves[topic] = _topic(topics[topic], available[topic], quotas[topic], p)
        rows.extend(topic_rows)
        if curves[topic]["qualities"] == 1 and len(topic_rows) > 1:
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
    drops = [_drop(row, p) for row in rows if not row["repeats"]]
    mix = pl.DataFrame([{k: row[k] for k in SCHEMA} for row in rows], schema=SCHEMA).sort("id")
    tables.write(mix, output / "mix.parquet")
    tables.write(tables.drops(drops), output / "drops.parquet")
    summary = {
        "wanted_tokens": p.tokens,
        "expected_tokens": exact.total(c["expected_tokens"] for c in curves.values()),
        "realised_tokens": exact.total(c["realised_tokens"] for c in curves.values()),
        "unranked_topics": sorted(
            t for t, c in curves.items() if c["qualities"] == 1 < c["documents"]
        ),
        "fallbacks": sum(1 for c in curves.values() if c["fallback"]),
        "weights_without_documents": sorted(set(p.topic_weights) - set(topics)),
        "topics": curves,
    }
    text = json.dumps(summary, indent=2, sort_keys=True) + "\n"
    (output / "curves.json").write_text(text, encoding="utf-8")
    kept = mix.filter(pl.col("repeats") > 0)["id"]
    conserved("mix", "documents", frame["id"], kept, [str(drop["id"]) for drop in drops])
    reasons = [str(drop["reason"]) for drop in drops]
    return {
        "in": frame.height,
        "kept": len(kept),
        "dropped": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
        "instances": sum(row["repeats"] for row in rows),
        "unranked_topics": summary["unranked_topics"],
    }


def _documents(inputs: dict[str, Path]) -> pl.DataFrame:
    """Every training document with its size in bytes and its scores, sorted by id."""
    path = inputs["decontaminate"] / "train.parquet"
    documents = tables.read(path, ["id", "url", "text"])
    documents = documents.select("id", "url", pl.col("text").str.len_bytes().alias("bytes"))
    scores = tables.read(inputs["classify"] / "scores.parquet", ["id", "topic", "quality"])
    frame = documents.join(scores, on="id", how="left").sort("id")
    if missing := frame["topic"].null_count():
        raise ValueError(
            f"{inputs['classify'] / 'scores.parquet'}: {missing} of {frame.height} training "
            "documents have no score; run classify on the same documents."
        )
    conserved("mix", "scored documents", documents["id"], frame["id"], ())
    return frame


def _tokens(size: int, p: Mix) -> float:
    return size / p.bytes_per_token


def _topic(
    part: pl.DataFrame, available: float, quota: float, p: Mix
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rates and repeats of one topic's documents, and what is to be said about its curve."""
    rows: list[dict[str, Any]] = part.to_dicts()
    sizes = [max(1, row["bytes"]) for row in rows]
    percentiles, buckets = cut(
        [row["id"] for row in rows], [row["quality"] for row in rows], sizes, p.buckets
    )
    top = buckets[-1]
    curve = fit(quota / available, p.cutoff, top.end - top.start, p.max_repeats)
    told = []
    for bucket in buckets:
        rate = curve.mean(bucket.start, bucket.end)
        for i in bucket.members:
            row = rows[i]
            row["percentile"], row["bucket"], row["rate"] = percentiles[i], bucket.number, rate
            row["repeats"] = repeats(rate, p.seed, row["id"])
        told.append(_bucket(bucket, rate, [rows[i] for i in bucket.members], p))
    return rows, {
        "documents": len(rows),
        "kept": sum(1 for row in rows if row["repeats"]),
        "available_tokens": available,
        "wanted_tokens": quota,
        "expected_tokens": exact.total(b["tokens"] * b["rate"] for b in told),
        "realised_tokens": _tokens(sum(r["bytes"] * r["repeats"] for r in rows), p),
        "qualities": len({row["quality"] for row in rows}),
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


def _bucket(bucket: Bucket, rate: float, members: list[dict[str, Any]], p: Mix) -> dict[str, Any]:
    return {
        "bucket": bucket.number,
        "start": bucket.start,
        "end": bucket.end,
        "documents": len(members),
        "tokens": _tokens(sum(row["bytes"] for row in members), p),
        "rate": rate,
    }


def _drop(row: dict[str, Any], p: Mix) -> dict[str, object]:
    drop = {"id": row["id"], "url": row["url"], "step": "mix"}
    drop["detail"] = f"{row['topic']}, bucket {row['bucket']}"
    if row["rate"] > 0.0:
        return {**drop, "reason": "rate_rounding", "value": row["rate"]}
    if row["percentile"] <= p.cutoff:
        return {
            **drop,
            "reason": "quality_cutoff",
            "value": row["percentile"],
            "threshold": p.cutoff,
        }
    return {**drop, "reason": "topic_unwanted", "value": 0.0}
