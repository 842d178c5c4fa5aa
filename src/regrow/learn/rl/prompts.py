"""Prompts made from tasks: which ones, and in which order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from regrow.data.tables import parquet
from regrow.data.tokens import chat
from regrow.numerics.permutation import Permutation

COLUMNS = ("id", "family", "domain", "question", "verifier", "arguments")
TOOLS = "tool"
"""the verifier of tasks that take several turns, which are not asked here"""

Drop = dict[str, object]


@dataclass(frozen=True)
class Prompt:
    """A task as the model is asked."""

    task: str
    family: str
    domain: str
    question: str
    tokens: list[int]
    verifier: str
    arguments: str
    """JSON"""

    def needs(self) -> dict[str, Any]:
        """What the verifier needs."""
        found: dict[str, Any] = json.loads(self.arguments)
        return found


def load_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer in a folder. Raises FileNotFoundError if there is none."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: missing; a tokenizer folder holds tokenizer.json")
    return Tokenizer.from_file(str(path))


def choose(
    path: Path, tokenizer: Tokenizer, form: str, *, count: int, room: int, key: str, step: str
) -> tuple[list[Prompt], list[Drop]]:
    """At most `count` prompts from a table of tasks, and drop rows of those passed over.

    Families come in turn, each in the order of a permutation named `key`, so that small families
    are all there and large ones share what is left. `room`: most tokens of a prompt. `step`
    names the step in the drops.

    Raises:
        ValueError: no task can be asked.
    """
    chosen: list[Prompt] = []
    drops: list[Drop] = []
    for row in _in_turn(path, key):
        if len(chosen) == count:
            break
        tokens = chat.prompt(tokenizer, row["question"], form)
        if len(tokens) > room:
            drops.append(
                {
                    "id": row["id"],
                    "step": step,
                    "reason": "prompt_too_long",
                    "value": float(len(tokens)),
                    "threshold": float(room),
                    "detail": row["family"],
                }
            )
            continue
        chosen.append(Prompt(task=row.pop("id"), tokens=tokens, **row))
    if not chosen:
        raise ValueError(
            f"{path}: no task that can be asked in the {form} form ({len(drops)} long)"
        )
    return chosen, drops


def _in_turn(path: Path, key: str) -> Iterator[dict[str, Any]]:
    families: dict[str, list[dict[str, Any]]] = {}
    for row in parquet.read(path, list(COLUMNS)).sort("id").to_dicts():
        if row["verifier"] != TOOLS:
            families.setdefault(row["family"], []).append(row)
    names = sorted(families)
    orders = {
        name: Permutation(len(families[name]), f"{key} {name}").forward(range(len(families[name])))
        for name in names
    }
    for turn in range(max((len(rows) for rows in families.values()), default=0)):
        for name in names:
            if turn < len(families[name]):
                yield families[name][int(orders[name][turn])]
