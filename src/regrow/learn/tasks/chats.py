"""The chats step: a data set of one's own conversations, alone or beside other examples.

A line of the file is an object with `messages` (role and content; an assistant's may have `reasoning_content` and
`tool_calls`), and if there are any `url`, `source` and `licence`. A conversation becomes an example of both branches:
with its thinking, and without.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import polars as pl

from regrow.data.tables import jsonl
from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import balanced
from regrow.data.tokens import bpe
from regrow.learn.tasks.mid.leaks import Leaks
from regrow.learn.tasks.sft import conversations, given
from regrow.learn.tasks.sft_data import BRANCHES, SCHEMA
from regrow.params.posttrain import SftData


def run(
    inputs: dict[str, Path],
    params: Any,
    output: Path,
    *,
    name: str,
    share: float,
    max_repeats: int,
    max_tokens: int,
    licence: str,
) -> dict[str, Any]:
    """Fill `output` with think.parquet, instruct.parquet (as sft_data's), contributions.parquet (what became of each) and
    drops.parquet.

    Args:
        inputs: `chats` (JSON Lines), `tokenizer`, `tasks`, `evals`; `beside`, a data set of examples, where the
            conversations join one.
        params: carries `sft_data` (the thresholds for what overlaps with items).
        output: the folder to fill.
        name: of the data set.
        share: of the examples that are the own ones, where they join others.
        max_repeats: times that a conversation comes at most, where they join others.
        max_tokens: longer conversations are dropped.
        licence: of conversations that name none.

    Returns, per branch, the examples, and the drops by reason.

    Raises:
        ValueError: a line is no conversation, or none may enter.
    """
    p: SftData = params.sft_data
    tokenizer, _ = bpe.load(inputs["tokenizer"])
    leaks = Leaks(inputs["evals"], inputs["tasks"], p.leak_ngram, p.leak_overlap)
    rows, repeats = _read(inputs["chats"], name, licence)
    maker = conversations.Conversations(name, tokenizer, leaks, max_tokens)
    counts: dict[str, Any] = {}
    kept = 0
    used: dict[str, dict[str, int]] = {
        row["id"]: dict.fromkeys(("tokens", *BRANCHES), 0) for row in rows
    }
    for branch in BRANCHES:
        found = maker.examples(rows, branch)
        if not found:
            raise ValueError(
                f"{inputs['chats']}: no conversation may enter ({len(maker.drops)} were dropped as repeats, leaks or "
                f"longer than {max_tokens} tokens). Fix: other conversations, or raise datasets.{name}.max_tokens."
            )
        kept += len(found)
        mine, theirs = _chosen(found, branch, inputs.get("beside"), name, share, max_repeats)
        table = pl.concat([theirs, pl.DataFrame(mine, schema=SCHEMA)]).sort("id")
        tables.write(table, output / f"{branch}.parquet")
        # Not all conversations of the table: the others may have some too, of a fork or of another data set.
        for row in mine:
            used[row["task"]][branch] += 1
            used[row["task"]]["tokens"] += len(row["tokens"])
        kinds = table["kind"].value_counts(sort=True).sort("kind").iter_rows()
        counts[branch] = {
            "examples": table.height,
            "tokens": int(table["tokens"].list.len().cast(pl.Int64).sum()),
            "kinds": dict(kinds),
        }
    drops = [*repeats, *maker.drops]
    tables.write(tables.drops(drops), output / "drops.parquet")
    tables.write(_own(rows, used), output / "contributions.parquet")
    reasons = [str(drop["reason"]) for drop in drops]
    came = len(rows) * len(BRANCHES) + len(repeats)
    balanced(name, "conversations", came, kept=kept, dropped=len(drops))
    return {
        **counts,
        "in": came,
        "kept": kept,
        "dropped": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
    }


def _read(
    path: Path, name: str, licence: str
) -> tuple[list[dict[str, Any]], list[dict[str, object]]]:
    """The conversations by id, and drop rows of those that come twice."""
    found: dict[str, dict[str, Any]] = {}
    drops: list[dict[str, object]] = []
    for number, row in jsonl.rows(path):
        place = f"{path.name}, line {number}"
        if isinstance(row, str):
            raise ValueError(f"{place}: {row}; write one object with `messages` per line.")
        messages = given.messages(place, row.get("messages"))
        about = {key: row.get(key) for key in ("url", "source", "licence")}
        for key, value in about.items():
            if not isinstance(value, str | None):
                raise ValueError(f"{place}: `{key}` must be a string, got {type(value).__name__}.")
        identity = hashlib.sha256(f"{about['url'] or ''}\0{messages}".encode()).hexdigest()[:32]
        if identity in found:
            drops.append(
                {"id": identity, "step": name, "reason": "duplicate", "detail": f"line {number}"}
            )
            continue
        found[identity] = {
            "id": identity,
            "messages": messages,
            "url": about["url"],
            "source": about["source"] or name,
            "licence": about["licence"] or licence,
        }
    if not found:
        raise ValueError(f"{path}: no conversation: write one object with `messages` per line.")
    return [found[identity] for identity in sorted(found)], drops


def _own(rows: list[dict[str, Any]], used: dict[str, dict[str, int]]) -> pl.DataFrame:
    """A row per conversation: who made it, and how often it is in the examples."""
    found = []
    for row in rows:
        numbers = used[row["id"]]
        about = {name: row[name] for name in ("id", "url", "source", "licence")}
        outcome = "kept" if any(numbers[branch] for branch in BRANCHES) else "dropped"
        found.append({**about, "outcome": outcome, **numbers})
    return pl.DataFrame(found, schema=conversations.OWN)


def _chosen(
    found: list[dict[str, Any]],
    branch: str,
    beside: Path | None,
    name: str,
    share: float,
    max_repeats: int,
) -> tuple[list[dict[str, Any]], pl.DataFrame]:
    """Of a branch the own examples, once or in their share, and the others that they are beside."""
    if beside is None:
        mine = conversations.repeated(found, len(found), branch, key=name, most=1)
        return mine, pl.DataFrame(schema=SCHEMA)
    others = tables.read(beside / f"{branch}.parquet")
    wanted = int(others.height * share)
    mine = conversations.repeated(found, wanted, branch, key=name, most=max_repeats)
    rest = others.height - len(mine)
    # A conversation that both sides have has one id.
    others = others.filter(~pl.col("id").is_in([row["id"] for row in mine]))
    return mine, conversations.first(others, rest, key=f"{name} beside", columns=list(SCHEMA))
