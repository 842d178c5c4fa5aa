"""The forksft step: the examples of a fork's fine-tuning: its own conversations beside the parent's.

The parent's examples (sft_data) are taken as they are, verified; of each branch as many stay as the own
share leaves room for. Own conversations are not judged, only checked: what is too long, repeats another,
or shares n-grams with eval items or held-out tasks is dropped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from regrow.data.tables import parquet as tables
from regrow.data.tokens import bpe
from regrow.learn.tasks.mid.leaks import Leaks
from regrow.learn.tasks.sft import conversations
from regrow.learn.tasks.sft_data import BRANCHES, SCHEMA
from regrow.params.fork import Fork
from regrow.params.posttrain import SftData


def run(
    inputs: dict[str, Path],
    params: Any,
    output: Path,
    *,
    instance: str,
    settings: str = "sft_data",
) -> dict[str, Any]:
    """Fill `output` with think.parquet and instruct.parquet (as sft_data's), contributions.parquet, drops.parquet.

    Args:
        inputs: `chats` (the table of conversations: id, url, source, licence, messages as JSON),
            `sft_data`, `tokenizer`, `tasks`, `evals`.
        params: carries `fork` and `sft_data` (thresholds).
        output: the folder to fill.
        instance: the name of the fork.

    Raises:
        ValueError: no conversation may enter.
    """
    fork: Fork = params.fork
    p: SftData = getattr(params, settings)
    tokenizer, _ = bpe.load(inputs["tokenizer"])
    leaks = Leaks(inputs["evals"], inputs["tasks"], p.leak_ngram, p.leak_overlap)
    chats = tables.read(inputs["chats"]).sort("id").to_dicts()
    limit = fork.chat_tokens or p.max_tokens
    builder = conversations.Conversations("forksft", tokenizer, leaks, limit)
    drops = builder.drops
    counts: dict[str, Any] = {}
    used: dict[str, dict[str, int]] = {
        row["id"]: dict.fromkeys(conversations.OWN, 0) for row in chats
    }
    for branch in BRANCHES:
        parent = tables.read(inputs["sft_data"] / f"{branch}.parquet")
        found = builder.examples(chats, branch)
        if not found:
            raise ValueError(
                f"forksft {instance}: no conversation of forks/{instance} may enter: give other ones, or "
                f"raise fork.chat_tokens ({limit}); {len(drops)} were dropped as repeats, leaks or too long"
            )
        mine = conversations.repeated(
            found,
            int(parent.height * fork.chat_share),
            branch,
            key=f"forksft {fork.seed}",
            most=fork.max_repeats,
        )
        theirs = conversations.first(
            parent,
            parent.height - len(mine),
            key=f"forksft parent {fork.seed}",
            columns=list(SCHEMA),
        )
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
    tables.write(_own(chats, used), output / "contributions.parquet")
    tables.write(tables.drops(drops), output / "drops.parquet")
    reasons = [str(drop["reason"]) for drop in drops]
    return {
        **counts,
        "conversations": len(chats),
        "in": len(chats) * len(BRANCHES),  # a conversation may enter one branch and not the other
        "kept": sum(counts[branch]["own_there"] for branch in BRANCHES),
        "dropped": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
    }


def _own(chats: list[dict[str, Any]], used: dict[str, dict[str, int]]) -> pl.DataFrame:
    rows = []
    for row in chats:
        mine = used[row["id"]]
        numbers = {name: mine[name] for name in ("tokens", *BRANCHES)}
        there = any(numbers.values())
        about = {name: row[name] for name in ("id", "url", "source", "licence")}
        rows.append({**about, "outcome": "kept" if there else "dropped", **numbers})
    return pl.DataFrame(rows, schema=conversations.OWN)
