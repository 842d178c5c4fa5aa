"""The forksft step: the examples of a fork's fine-tuning: its own conversations beside the parent's.

The parent's examples (sftdata) are taken as they are, verified; of each branch as many stay as the own
share leaves room for. Own conversations are not judged, only checked: what is too long, repeats another,
or shares n-grams with eval items or held-out tasks is dropped.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
from tokenizers import Tokenizer

from regrow.params.fork import Fork
from regrow.params.posttrain import SftData
from regrow.tables import parquet as tables
from regrow.tables.conservation import conserved
from regrow.tasks.mid.leaks import Leaks, everything
from regrow.tasks.mid.text import rank
from regrow.tasks.sft.example import identity
from regrow.tasks.sft.style import NO_STEPS
from regrow.tasks.sftdata import BRANCHES, SCHEMA
from regrow.tokens import bpe, chat

KIND = "own"
OWN: dict[str, Any] = {
    "id": pl.String,
    "url": pl.String,
    "source": pl.String,
    "licence": pl.String,
    "outcome": pl.String,  # kept, or dropped
    "tokens": pl.Int64,  # of all its examples, repeats counted
    **{branch: pl.Int64 for branch in BRANCHES},  # examples, repeats counted
}
"""own.parquet: one row per conversation that the fork brings"""


def run(inputs: dict[str, Path], params: Any, output: Path, *, instance: str) -> dict[str, Any]:
    """Fill `output` with think.parquet and instruct.parquet (as sftdata's), own.parquet, drops.parquet.

    Args:
        inputs: `chats` (the table of conversations: id, url, source, licence, messages as JSON),
            `sftdata`, `tokenizer`, `tasks`, `evals`.
        params: carries `fork` and `sftdata` (thresholds).
        output: the folder to fill.
        instance: the name of the fork.

    Raises:
        ValueError: no conversation may enter.
    """
    fork: Fork = params.fork
    p: SftData = params.sftdata
    tokenizer, _ = bpe.load(inputs["tokenizer"])
    leaks = Leaks(inputs["evals"], inputs["tasks"], p.leak_ngram, p.leak_overlap)
    chats = tables.read(inputs["chats"]).sort("id").to_dicts()
    limit = fork.chat_tokens or p.max_tokens
    drops: list[dict[str, object]] = []
    counts: dict[str, Any] = {}
    used: dict[str, dict[str, int]] = {row["id"]: dict.fromkeys(OWN, 0) for row in chats}
    for branch in BRANCHES:
        parent = tables.read(inputs["sftdata"] / f"{branch}.parquet")
        found = _examples(chats, branch, tokenizer, leaks, limit, drops)
        if not found:
            raise ValueError(
                f"forksft {instance}: no conversation of forks/{instance} may enter: give other ones, or "
                f"raise fork.chat_tokens ({limit}); {len(drops)} were dropped as repeats, leaks or too long"
            )
        mine = _repeated(found, int(parent.height * fork.chat_share), fork, branch)
        theirs = _first(parent, parent.height - len(mine), fork)
        rows = pl.concat([theirs, pl.DataFrame(mine, schema=SCHEMA)]).sort("id")
        tables.write(rows, output / f"{branch}.parquet")
        for row in mine:
            used[row["task"]][branch] += 1
            used[row["task"]]["tokens"] += len(row["tokens"])
        counts[branch] = {
            "examples": rows.height,
            "tokens": int(rows["tokens"].list.len().cast(pl.Int64).sum()),
            "own": len(mine),
            "own_there": len(found),
            "repeats": max((row["seed"] for row in mine), default=-1) + 1,
            "parent": {"examples": theirs.height, "of": parent.height},
        }
    tables.write(_own(chats, used), output / "own.parquet")
    tables.write(tables.drops(drops), output / "drops.parquet")
    reasons = [str(drop["reason"]) for drop in drops]
    return {
        **counts,
        "conversations": len(chats),
        "in": len(chats) * len(BRANCHES),  # a conversation may enter one branch and not the other
        "kept": sum(counts[branch]["own_there"] for branch in BRANCHES),
        "dropped": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
    }


def messages_of(row: dict[str, Any], branch: str) -> list[dict[str, Any]]:
    """The messages of a conversation for a branch: with a think part, or without any."""
    found = []
    for message in json.loads(row["messages"]):
        said = {k: v for k, v in message.items() if k != "reasoning_content" and v is not None}
        if message["role"] == "assistant" and branch == "think":
            said["reasoning_content"] = message.get("reasoning_content") or NO_STEPS
        found.append(said)
    return found


def _examples(
    chats: list[dict[str, Any]],
    branch: str,
    tokenizer: Tokenizer,
    leaks: Leaks,
    limit: int,
    drops: list[dict[str, object]],
) -> list[dict[str, Any]]:
    """Rows of the conversations that may enter, one each."""
    seen: dict[str, str] = {}
    rows = []
    before = len(drops)
    for row in chats:
        messages = messages_of(row, branch)
        said = "\n\n".join(
            m["content"]
            for m in messages
            if m["role"] in ("user", "assistant") and m.get("content")
        )
        tokens, mask = chat.example(tokenizer, messages)
        drop: dict[str, object] | None = None
        if len(tokens) > limit:
            drop = {"reason": "too_long", "value": float(len(tokens)), "threshold": float(limit)}
        elif said in seen:
            drop = {"reason": "duplicate", "detail": seen[said]}
        else:
            drop = leaks.find(everything(messages))
        if drop:
            drops.append({"id": row["id"], "step": "forksft", **drop, "detail": _at(drop, branch)})
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
        "forksft",
        f"conversations ({branch})",
        [row["id"] for row in chats],
        [row["task"] for row in rows],
        [str(drop["id"]) for drop in drops[before:]],
    )
    return rows


def _at(drop: dict[str, object], branch: str) -> str:
    detail = drop.get("detail")
    return f"{branch}: {detail}" if detail else branch


def _repeated(
    found: list[dict[str, Any]], wanted: int, fork: Fork, branch: str
) -> list[dict[str, Any]]:
    """The examples in a keyed order, again and again up to `max_repeats`, at most `wanted`, at least one."""
    order = sorted(found, key=lambda row: (rank(f"forksft {fork.seed}", row["task"]), row["task"]))
    rows = [
        {**row, "id": identity(KIND, branch, row["task"], str(repeat)), "seed": repeat}
        for repeat in range(fork.max_repeats)
        for row in order
    ]
    return rows[: max(1, wanted)]


def _first(parent: pl.DataFrame, count: int, fork: Fork) -> pl.DataFrame:
    """So many of the parent's examples, by a keyed hash of their id."""
    ids = sorted(parent["id"], key=lambda id: (rank(f"forksft parent {fork.seed}", id), id))
    return parent.filter(pl.col("id").is_in(ids[:count])).select(list(SCHEMA))


def _own(chats: list[dict[str, Any]], used: dict[str, dict[str, int]]) -> pl.DataFrame:
    rows = []
    for row in chats:
        mine = used[row["id"]]
        numbers = {name: mine[name] for name in ("tokens", *BRANCHES)}
        there = any(numbers.values())
        about = {name: row[name] for name in ("id", "url", "source", "licence")}
        rows.append({**about, "outcome": "kept" if there else "dropped", **numbers})
    return pl.DataFrame(rows, schema=OWN)
