"""The pool of long documents: training documents of the mix that are long and neither end of gzip's order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import conserved
from regrow.data.tokens import bpe
from regrow.learn.tasks.long.compress import ends, gzip_bytes
from regrow.learn.tasks.long.pieces import Tokens
from regrow.learn.tasks.mid.leaks import Leaks
from regrow.params.posttrain import LongContextData


@dataclass(frozen=True)
class Document:
    """A long document."""

    text: str
    tokens: Tokens
    """without the end-of-document token"""
    source: str
    licence: str


@dataclass(frozen=True)
class Pool:
    """Long documents by id, sorted, and what was left out (rows of drops.parquet)."""

    documents: dict[str, Document]
    drops: list[dict[str, object]]
    read: int
    """documents looked at"""


def load(inputs: dict[str, Path], tokenizer: Tokenizer, p: LongContextData, leaks: Leaks) -> Pool:
    """Choose among the training documents.

    Left out are, in this order: documents whose rate in the mix is zero (`quality`), those that hold
    an eval item or a held-out task (`leak.*`: none, if decontaminate did its work), those of fewer than `min_tokens` tokens (`short`), and of the rest `compressibility` at either end of the
    order by gzip ratio (`compressible`, `incompressible`).

    Raises:
        ValueError: none is left.
    """
    columns = ["id", "url", "source", "licence", "text"]
    frame = tables.read(inputs["decontaminate"] / "train.parquet", columns)
    mix = tables.read(inputs["mix"] / "mix.parquet", ["id", "rate"])
    frame = frame.join(mix, on="id", how="left").sort("id")
    rows: list[dict[str, Any]] = frame.to_dicts()
    ids = [row["id"] for row in rows]
    drops: list[dict[str, object]] = []

    def drop(row: dict[str, Any], reason: str, value: float, threshold: float | None) -> None:
        fields = {"id": row["id"], "url": row["url"], "step": "longcontext_data"}
        drops.append({**fields, "reason": reason, "value": value, "threshold": threshold})

    def leak(row: dict[str, Any]) -> bool:
        found = leaks.find(row["text"])
        if found:
            drops.append({"id": row["id"], "url": row["url"], "step": "longcontext_data", **found})
        return found is not None

    good: list[dict[str, Any]] = []
    for row in rows:
        if not row["rate"]:
            drop(row, "quality", 0.0, None)
        elif not leak(row):
            good.append(row)
    long: list[dict[str, Any]] = []
    encoded = bpe.encode(tokenizer, [row["text"] for row in good])
    for row, tokens in zip(good, encoded, strict=True):
        if len(tokens) < p.min_tokens:
            drop(row, "short", float(len(tokens)), float(p.min_tokens))
        else:
            data = row["text"].encode()
            long.append(row | {"tokens": tokens, "ratio": gzip_bytes(data) / len(data)})
    ratios = [row["ratio"] for row in long]
    low, high = ends(ratios, [row["id"] for row in long], p.compressibility)
    edges = sorted(ratios)
    documents: dict[str, Document] = {}
    for i, row in enumerate(long):
        if i in low:
            drop(row, "compressible", row["ratio"], edges[len(low)])
        elif i in high:
            drop(row, "incompressible", row["ratio"], edges[-len(high) - 1])
        else:
            documents[row["id"]] = Document(
                row["text"], row["tokens"], row["source"], row["licence"]
            )
    conserved("longcontext_data", "documents", ids, documents, [str(d["id"]) for d in drops])
    if not documents:
        raise ValueError(
            f"no training document of the mix has {p.min_tokens} tokens: lower "
            "longcontext_data.min_tokens or mix.cutoff"
        )
    return Pool(documents, drops, len(rows))
