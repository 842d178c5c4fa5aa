"""How much text the model was trained on: tokens by training set and stage, bytes by source and language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from regrow.evidence.datasets import EXAMPLES
from regrow.evidence.errors import Unanswerable
from regrow.evidence.record import Record
from regrow.publish.export.subject import Subject
from regrow.release.composition import documents

RANGES = (
    (10**9, "Less than 1 billion tokens"),
    (10**13, "1 billion to 10 trillion tokens"),
    (None, "More than 10 trillion tokens"),
)
"""the template's boxes for text"""

_WORDS = {
    "regrow.data.tokens.pack:run": "pretraining text",
    "regrow.learn.tasks.midtrain_data:run": "midtraining mix",
    "regrow.learn.tasks.longcontext_data:run": "long-context mix",
    "regrow.learn.tasks.forkmix:run": "midtraining mix with the fork's documents",
    "regrow.learn.tasks.sft_data:run": "chat examples",
    "regrow.learn.tasks.chats:run": "conversations that are given",
    "regrow.learn.tasks.forksft:run": "chat examples with the fork's conversations",
    "regrow.data.tokens.joined:run": "packed text of several data sets",
    "regrow.learn.tasks.joined:run": "chat examples of several data sets",
    "regrow.learn.rl.pairs:run": "pairs of answers",
    "regrow.learn.rl.difficulty:run": "questions for reinforcement learning",
    "regrow.data.takedown.mask:run": "training text with documents taken down",
}
"""training sets in words, by the function that makes them"""


def words(subject: Subject, name: str) -> str:
    """A training set in words: what its record's function makes, and its name."""
    made = subject.artifacts.get(name)
    found = _WORDS.get(made.function) if made else None
    return f"{found} ({name})" if found else name


@dataclass(frozen=True)
class Prepared:
    """A training set after processing, before training."""

    name: str
    tokens: int
    """repeats counted"""
    read_by: tuple[str, ...]
    """training stages of the chain"""


def size_range(tokens: int) -> str:
    """The template's range that `tokens` is in (1 billion counts as the middle one)."""
    for limit, name in RANGES:
        if limit is None or tokens < limit or (limit == 10**13 and tokens == limit):
            return name
    raise AssertionError("the last range has no limit")


def trained(subject: Subject) -> dict[str, int]:
    """Tokens that each stage of the chain was trained on: those of its last checkpoint there."""
    found: dict[str, int] = {}
    for record in subject.chain:
        tokens = record.counts.get("tokens")
        if record.makes_checkpoint and isinstance(tokens, int):
            found[record.step] = max(found.get(record.step, 0), tokens)
    return found


def readers(subject: Subject) -> dict[str, tuple[Record, tuple[str, ...]]]:
    """Training sets of the chain, each with the stages that read it."""
    found: dict[str, tuple[Record, tuple[str, ...]]] = {}
    for record in subject.chain:
        if not record.makes_checkpoint:
            continue
        for name, entry in record.inputs.items():
            parent = subject.ledger.by_file.get(entry.get("record", ""))
            if name == "data" and parent is not None and not parent.makes_checkpoint:
                _, stage = found.get(parent.name, (parent, ()))
                found[parent.name] = (parent, tuple(dict.fromkeys((*stage, record.step))))
    return found


def prepared(subject: Subject) -> list[Prepared]:
    """The training sets with their tokens, in flow order, the model's own answers last.

    Raises:
        Unanswerable: a table that says it is not on disk.
    """
    found = []
    for name, (record, read_by) in readers(subject).items():
        found.append(Prepared(name, _tokens(subject, record, read_by), read_by))
    sampled = rollouts(subject)
    found += [Prepared(f"answers sampled in {s}", n, (s,)) for s, n in sampled.items() if n]
    complete(subject)
    return found


def _tokens(subject: Subject, record: Record, read_by: tuple[str, ...]) -> int:
    counts = record.counts
    if record.function in EXAMPLES:
        branches = branches_read(subject, read_by)
        return sum(int((counts.get(branch) or {}).get("tokens", 0)) for branch in branches)
    if isinstance(counts.get("tokens"), int):
        return int(counts["tokens"])
    if isinstance(counts.get("components"), Mapping):
        return sum(int(n) for n in counts["components"].values() if isinstance(n, int))
    for file, columns in (
        ("pairs.parquet", ("prompt", "chosen", "rejected")),
        ("prompts.parquet", ("prompt",)),
    ):
        table = subject.outputs.table(record.name, file)
        if table is not None:
            return lengths(table, columns)
    return 0


def branches_read(subject: Subject, stages: tuple[str, ...]) -> list[str]:
    """The branches of examples that stages of the chain read."""
    found = {
        str(record.options.get("branch", "think"))
        for record in subject.chain
        if record.step in stages
    }
    return sorted(found)


def lengths(table: pl.LazyFrame, columns: tuple[str, ...]) -> int:
    """Tokens in list columns, summed."""
    total = pl.sum_horizontal([pl.col(c).list.len().cast(pl.Int64) for c in columns]).sum()
    return int(table.select(total).collect().item() or 0)


def rollouts(subject: Subject) -> dict[str, int]:
    """Tokens of prompts and answers that each reinforcement stage sampled."""
    found: dict[str, int] = {}
    for record in subject.chain:
        if any(entry["path"] == "rollouts.parquet" for entry in record.files):
            table = subject.outputs.table(record.name, "rollouts.parquet")
            if table is not None:
                found[record.step] = found.get(record.step, 0) + lengths(
                    table, ("prompt", "tokens")
                )
    return found


def composition(subject: Subject) -> pl.DataFrame:
    """One row per document that training may draw on: source, licence, topic, language, bytes, repeats.

    Raises:
        Unanswerable: the tables are not on disk.
    """
    if subject.step("mix") is None:
        return pl.DataFrame()
    train = subject.outputs.path("decontaminate", "train.parquet")
    subject.outputs.path("decontaminate", "heldout.parquet")
    mix = subject.outputs.path("mix", "mix.parquet")
    complete(subject)
    if train is None or mix is None:
        return pl.DataFrame()
    table = documents(train.parent, mix.parent).filter(~pl.col("heldout"))
    more = pl.scan_parquet(train, glob=False)
    names = more.collect_schema().names()
    columns = ["id", *(c for c in ("host", "url") if c in names)]
    table = table.join(more.select(columns).collect(), on="id", how="left")
    return table.with_columns((pl.col("bytes") * pl.col("repeats")).alias("drawn"))


def complete(subject: Subject) -> None:
    """Raises Unanswerable where a table that was asked for is not on disk."""
    if subject.outputs.missing:
        raise Unanswerable(f"the summary needs tables that are {subject.outputs.hint()}")


def shares(table: pl.DataFrame, column: str) -> list[dict[str, Any]]:
    """Documents, text bytes and bytes in the mix by a column; the most bytes first."""
    if table.is_empty() or column not in table.columns:
        return []
    return (
        table.group_by(pl.col(column).fill_null("unknown").alias("name"))
        .agg(
            pl.len().alias("documents"),
            pl.col("bytes").sum(),
            (pl.col("repeats") > 0).sum().alias("used"),
            pl.col("drawn").sum(),
        )
        .sort(["drawn", "bytes", "name"], descending=[True, True, False])
        .to_dicts()
    )


def stage_title(subject: Subject, name: str) -> str:
    """A training stage of the chain in words, by its record."""
    return next((one.title for one in subject.history if one.name == name), name)
