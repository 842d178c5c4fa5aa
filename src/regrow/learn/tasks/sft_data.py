"""The sft_data step: examples of the Think and the Instruct branch, each verified and named.

Traces come from programmatic teachers (the families of the tasks) and, for a manner of speaking,
from a small real model whose answers are a source. Think: worked steps in the think part.
Instruct: short answers, and calls of tools that the system message describes.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
from tokenizers import Tokenizer

from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import balanced, conserved
from regrow.data.tokens import bpe, chat
from regrow.learn.tasks.mid.leaks import Leaks, everything
from regrow.learn.tasks.sft import example as examples
from regrow.learn.tasks.sft import filters, style
from regrow.learn.tasks.sft.conversations import BRANCHES
from regrow.learn.tasks.sft.example import Example
from regrow.learn.verifiers.judge import judge
from regrow.params.posttrain import SftData

SCHEMA: dict[str, Any] = {
    "id": pl.String,
    "kind": pl.String,  # task, tool or style
    "task": pl.String,  # null for style
    "family": pl.String,
    "teacher": pl.String,
    "seed": pl.Int64,
    "licence": pl.String,
    "messages": pl.String,  # JSON
    "tokens": pl.List(pl.UInt16),
    "mask": pl.List(pl.Boolean),  # learned
}
_REPORT_EVERY = 4_000


def run(
    inputs: dict[str, Path], params: Any, output: Path, *, settings: str = "sft_data"
) -> dict[str, Any]:
    """Fill `output` with think.parquet, instruct.parquet and drops.parquet.

    Returns, per branch, the examples by kind and family, and the drops by reason.
    """
    p: SftData = getattr(params, settings)
    tokenizer, _ = bpe.load(inputs["tokenizer"])
    leaks = Leaks(inputs["evals"], inputs["tasks"], p.leak_ngram, p.leak_overlap)
    tasks = tables.read(inputs["tasks"] / "train.parquet").to_dicts()
    answers, drops = style.read(inputs["teacher"])
    unread = len(drops)
    print(f"  {len(tasks)} train tasks, {len(answers)} answers of teachers", file=sys.stderr)
    builder = MixBuilder(tokenizer, leaks, p.max_tokens, drops)
    styled = {
        branch: builder.kept((style.example(row, branch) for row in answers), branch, p.think)
        for branch in BRANCHES
    }
    counts: dict[str, Any] = {}
    for branch, made, wanted in (
        ("think", _think(tasks, p), p.think),
        ("instruct", _instruct(tasks, p), p.instruct),
    ):
        own = styled[branch][:wanted]
        rows = own + builder.kept(made, branch, wanted - len(own))
        tables.write(pl.DataFrame(rows, schema=SCHEMA).sort("id"), output / f"{branch}.parquet")
        counts[branch] = {
            "examples": len(rows),
            "unused": len(styled[branch])
            - len(own),  # good answers of teachers beyond what is wanted
            "tokens": sum(len(row["tokens"]) for row in rows),
            "learned": sum(sum(row["mask"]) for row in rows),
            "kinds": _counted(row["kind"] for row in rows),
            "families": _counted(row["family"] for row in rows),
        }
        print(f"  {branch}: {counts[branch]['kinds']}", file=sys.stderr)
    tables.write(tables.drops(builder.drops), output / "drops.parquet")
    kept = sum(counts[branch]["examples"] + counts[branch]["unused"] for branch in BRANCHES)
    came = unread + builder.looked
    balanced("sft_data", "lines and examples", came, kept=kept, dropped=len(builder.drops))
    return {
        **counts,
        "in": came,
        "kept": kept,
        "dropped": _counted(str(drop["reason"]) for drop in builder.drops),
    }


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _think(tasks: list[dict[str, Any]], p: SftData) -> Iterator[Example]:
    for task in examples.in_turn(tasks, f"think {p.seed}"):
        yield examples.think(task, json.loads(task["arguments"]), p.seed)


def _instruct(tasks: list[dict[str, Any]], p: SftData) -> Iterator[Example]:
    """Calls up to their share, then short answers; no task is used for both."""
    order = list(examples.in_turn(tasks, f"instruct {p.seed}"))
    callable_ = [task for task in order if task["tool_call"]]
    called = callable_[: math.floor(p.instruct * p.tool_share)]
    used = {task["id"] for task in called}
    rest = (task for task in order if task["id"] not in used)
    yield from chain(
        (examples.tool(task, p.seed) for task in called),
        (examples.short(task, json.loads(task["arguments"]), p.seed) for task in rest),
    )


class MixBuilder:
    """Where examples are checked and tokenised."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        leaks: Leaks,
        max_tokens: int,
        drops: list[dict[str, object]],
    ) -> None:
        self._tokenizer, self._leaks, self._max_tokens = tokenizer, leaks, max_tokens
        self.drops = drops
        self.looked = 0

    def kept(self, made: Iterator[Example], branch: str, wanted: int) -> list[dict[str, Any]]:
        """Rows of the first examples that pass, as many as wanted."""
        rows: list[dict[str, Any]] = []
        seen: set[str] = set()
        looked: list[str] = []
        before = len(self.drops)
        while len(rows) < wanted and (example := next(made, None)):
            looked.append(example.id)
            tokens, mask = chat.example(self._tokenizer, example.messages)
            problem = self._problem(example, branch, tokens, mask, seen)
            if problem:
                self.drops.append({"id": example.id, "step": "sft_data", **problem})
                continue
            seen.add(example.said)
            rows.append(_row(example, tokens, mask))
            if len(rows) % _REPORT_EVERY == 0:
                print(f"  {branch}: {len(rows)} examples", file=sys.stderr)
        dropped = [str(drop["id"]) for drop in self.drops[before:]]
        conserved("sft_data", f"examples ({branch})", looked, [row["id"] for row in rows], dropped)
        self.looked += len(looked)
        return rows

    def _problem(
        self,
        example: Example,
        branch: str,
        tokens: list[int],
        mask: list[bool],
        seen: set[str],
    ) -> dict[str, object] | None:
        """Why an example is dropped (fields of a drop), or None."""
        if len(tokens) > self._max_tokens:
            limit = float(self._max_tokens)
            return {"reason": "too_long", "value": float(len(tokens)), "threshold": limit}
        if example.said in seen:
            return {"reason": "duplicate"}
        if leak := self._leaks.find(everything(example.messages), example.contents):
            return leak
        if example.check:
            completion = chat.completion(self._tokenizer, tokens[mask.index(True) :])
            check = example.check
            verdict = judge(check.verifier, check.arguments, completion, branch)
            return None if verdict.passed else {"reason": "wrong", "detail": verdict.reason}
        found = filters.problem(example.messages[-1]["content"])
        return dict(zip(_FIELDS, found, strict=True)) if found else None


_FIELDS = ("reason", "value", "threshold", "detail")


def _row(example: Example, tokens: list[int], mask: list[bool]) -> dict[str, Any]:
    names = ("id", "kind", "task", "family", "teacher", "seed", "licence")
    messages = json.dumps(example.messages, sort_keys=True, ensure_ascii=False)
    return {name: getattr(example, name) for name in names} | {
        "messages": messages,
        "tokens": tokens,
        "mask": mask,
    }
