"""The step `domains`: every training document once, tokenised, in a pack for each domain."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import polars as pl

from regrow.data.mix import domains
from regrow.data.tables import groups
from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import balanced
from regrow.data.tokens import bpe, stream
from regrow.data.tokens.instances import Order, arranged
from regrow.data.tokens.stored import Stored, encoded
from regrow.learn.search.names import DOMAINS
from regrow.params.search import Search


@dataclass(frozen=True)
class Domain:
    """A domain's pack, and what it holds."""

    folder: Path
    documents: int
    bytes: int
    tokens: int
    """end-of-document tokens included, and those behind the last whole sequence"""
    sequences: int


def run(inputs: dict[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Fill `output` with domains.json and a pack per domain (`000`, `001` … in the order of their names).

    A pack depends on its own documents and the tokenizer alone: further domains leave its bytes as they are.

    Raises:
        ValueError: a document without a topic, or no domain that fills a sequence.
    """
    p: Search = params.search
    tokenizer, config = bpe.load(inputs["tokenizer"])
    eos = bpe.control(tokenizer, config, "eos_token")
    table = inputs["decontaminate"] / "train.parquet"
    frame = _documents(table, inputs["classify"] / "scores.parquet", p)
    ids = frame["id"]
    output.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {}
    small: dict[str, Any] = {}
    with TemporaryFile(dir=output) as file:
        stored = Stored(file, ids)
        texts = (
            pair
            for part in groups.frames_of(table, ["text"], ids)
            for pair in zip(part["row"], part["text"], strict=True)
        )
        for row, ids_of_text in encoded(tokenizer, texts):
            stored.add(row, np.append(ids_of_text, np.uint16(eos)))
        for name in sorted(frame["share_of"].unique()):
            rows = np.flatnonzero((frame["share_of"] == name).to_numpy())
            about: dict[str, Any] = {
                "documents": len(rows),
                "bytes": int(frame["bytes"].gather(rows).sum()),
                "tokens": int(stored.sizes[rows].sum()),
            }
            once = np.ones(len(rows), dtype=np.int32)
            order = arranged(ids.gather(rows), once, f"search {p.seed} {name}")
            folder = f"{len(found):03d}"
            placed = Order(rows[order.rows], order.repeats)
            try:
                meta = stream.assemble(
                    output / folder, placed, stored, p.sequence_length, tokenizer, config
                )
            except stream.TooShort:
                small[name] = about
            else:
                found[name] = about | {"folder": folder, "sequences": meta["sequences"]}
    if not found:
        raise ValueError(
            f"search: no domain fills a sequence of {p.sequence_length} tokens. Fix: a smaller search.sequence_length."
        )
    counts = {
        "packed": sum(one["documents"] for one in found.values()),
        "too_small": sum(one["documents"] for one in small.values()),
    }
    balanced("domains", "documents", ids.len(), **counts)
    listed = {
        "by": p.by,
        "sequence_length": p.sequence_length,
        "domains": found,
        "too_small": small,
    }
    text = json.dumps(listed, indent=2, sort_keys=True) + "\n"
    (output / DOMAINS).write_text(text, encoding="utf-8")
    tokens = {name: one["tokens"] for name, one in found.items()}
    return {"in": ids.len(), **counts, "tokens": tokens, "small": sorted(small)}


def _documents(table: Path, scores: Path, p: Search) -> pl.DataFrame:
    size = pl.col("text").str.len_bytes().cast(pl.Int64).alias("bytes")
    empty = pl.DataFrame(schema={"id": pl.String, "source": pl.String, "bytes": pl.Int64})
    read = (
        part.select("id", "source", size) for part in groups.frames(table, ["id", "source", "text"])
    )
    topics = tables.read(scores, ["id", "topic"])
    frame = pl.concat([empty, *read]).join(topics, on="id", how="left").sort("id")
    if missing := frame["topic"].null_count():
        raise ValueError(
            f"{scores}: {missing} of {frame.height} training documents have no topic; run classify on the same documents."
        )
    return frame.with_columns(domains.of(p.by))


def read(folder: Path) -> dict[str, Domain]:
    """The domains that the step packed, by name."""
    listed = json.loads((folder / DOMAINS).read_text(encoding="utf-8"))
    return {
        name: Domain(
            folder / one["folder"], one["documents"], one["bytes"], one["tokens"], one["sequences"]
        )
        for name, one in sorted(listed["domains"].items())
    }


def chosen(domains: dict[str, Domain], names: list[str], number: int) -> dict[str, Domain]:
    """The domains of a round, by name. Raises ValueError: one that it names is not there.

    `names`: as the round says them, empty for all; `number`: of the round, for the message.
    """
    for name in names:
        if name not in domains:
            raise ValueError(
                f"search.rounds[{number - 1}].domains: no domain `{name}`, or it fills no sequence. There are "
                f"{', '.join(domains)}."
            )
    return {name: domains[name] for name in names or domains}


def natural(domains: dict[str, Domain]) -> dict[str, float]:
    """The share of the tokens that each has."""
    whole = sum(one.tokens for one in domains.values())
    return {name: one.tokens / whole for name, one in domains.items()}
