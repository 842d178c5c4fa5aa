"""Conversations that are brought: checked, tokenised, repeated, and joined to other examples.

They are not judged: what is too long, repeats another, or shares n-grams with eval items or held-out tasks is
dropped, with a reason.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from tokenizers import Tokenizer

from regrow.data.tables.conservation import conserved
from regrow.data.tokens import chat
from regrow.learn.tasks.mid.leaks import Leaks, everything
from regrow.learn.tasks.mid.text import rank
from regrow.learn.tasks.sft.example import identity
from regrow.learn.tasks.sft.style import NO_STEPS

KIND = "own"
BRANCHES = ("think", "instruct")
OWN: dict[str, Any] = {
    "id": pl.String,
    "url": pl.String,
    "source": pl.String,
    "licence": pl.String,
    "outcome": pl.String,  # kept, or dropped
    "tokens": pl.Int64,  # of all its examples, repeats counted
    **{branch: pl.Int64 for branch in BRANCHES},  # examples, repeats counted
}
"""contributions.parquet: one row per conversation that somebody brings"""


@dataclass
class Conversations:
    """How conversations become examples; `step` names the step in drops and in keyed orders."""

    step: str
    tokenizer: Tokenizer
    leaks: Leaks
    limit: int
    """tokens of an example at most"""
    drops: list[dict[str, object]] = field(default_factory=list)

    def examples(self, chats: Sequence[dict[str, Any]], branch: str) -> list[dict[str, Any]]:
        """Rows of the conversations that may enter, one each."""
        seen: dict[str, str] = {}
        rows = []
        before = len(self.drops)
        for row in chats:
            messages = messages_of(row, branch)
            said = "\n\n".join(
                m["content"]
                for m in messages
                if m["role"] in ("user", "assistant") and m.get("content")
            )
            tokens, mask = chat.example(self.tokenizer, messages)
            drop: dict[str, object] | None = None
            if len(tokens) > self.limit:
                drop = {
                    "reason": "too_long",
                    "value": float(len(tokens)),
                    "threshold": float(self.limit),
                }
            elif said in seen:
                drop = {"reason": "duplicate", "detail": seen[said]}
            else:
                drop = self.leaks.find(everything(messages))
            if drop:
                self.drops.append(
                    {"id": row["id"], "step": self.step, **drop, "detail": _at(drop, branch)}
                )
                continue
            seen[said] = row["id"]
            rows.append(
                {
                    "kind": KIND,
                    "task": row["id"],
                    "family": KIND,
                    "teacher": row["source"],
                    "licence": row["licence"],
                    "messages": json.dumps(messages, sort_keys=True, ensure_ascii=False),
                    "tokens": tokens,
                    "mask": mask,
                }
            )
        conserved(
            self.step,
            f"conversations ({branch})",
            [row["id"] for row in chats],
            [row["task"] for row in rows],
            [str(drop["id"]) for drop in self.drops[before:]],
        )
        return rows


def messages_of(row: dict[str, Any], branch: str) -> list[dict[str, Any]]:
    """The messages of a conversation for a branch: with a think part, or without any."""
    found = []
    for message in json.loads(row["messages"]):
        said = {k: v for k, v in message.items() if k != "reasoning_content" and v is not None}
        if message["role"] == "assistant" and branch == "think":
            said["reasoning_content"] = message.get("reasoning_content") or NO_STEPS
        found.append(said)
    return found


def _at(drop: dict[str, object], branch: str) -> str:
    detail = drop.get("detail")
    return f"{branch}: {detail}" if detail else branch


def repeated(
    found: Sequence[dict[str, Any]], wanted: int, branch: str, *, key: str, most: int
) -> list[dict[str, Any]]:
    """The examples in a keyed order, again and again up to `most` times, at most `wanted`, at least one."""
    order = sorted(found, key=lambda row: (rank(key, row["task"]), row["task"]))
    rows = [
        {**row, "id": identity(KIND, branch, row["task"], str(repeat)), "seed": repeat}
        for repeat in range(most)
        for row in order
    ]
    return rows[: max(1, wanted)]


def first(others: pl.DataFrame, count: int, *, key: str, columns: Sequence[str]) -> pl.DataFrame:
    """So many of other examples, by a keyed hash of their id."""
    ids = sorted(others["id"], key=lambda id: (rank(key, id), id))
    return others.filter(pl.col("id").is_in(ids[:count])).select(list(columns))
