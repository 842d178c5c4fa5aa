"""Seeds of another run are not averaged with those of this one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from regrow.lineage.evals.repeats import repeats
from regrow.lineage.ledger import Ledger, Record


def ledger(**changes: dict[str, Any]) -> Ledger:
    """SFT and DPO under seeds 0 and 1; `changes` to the parts of a step under seed 1."""
    records = []
    for step in ("sft", "dpo", "sft_seed1", "dpo_seed1"):
        end = "_seed1" if step.endswith("1") else ""
        data = "sftdata" if step.startswith("sft") else f"pairs{end}"
        parts = {"params": {"steps": 4}, "inputs": {"data": data, "base": "longcontext"}}
        raw = {"step": step, "instance": "000004", "parts": parts | changes.get(step, {})}
        records.append(Record(f"records/{step}.000004.json", raw))
    return Ledger(Path(), records)


def test_what_differs_by_the_seed_alone_is_a_repetition() -> None:
    assert repeats(ledger(), 1)
    assert repeats(ledger(), 2), "nothing is recorded of it"


@pytest.mark.parametrize(
    ("step", "parts"),
    [
        ("sft_seed1", {"inputs": {"data": "forksft", "base": "longcontext"}}),
        ("sft_seed1", {"inputs": {"data": "sftdata", "base": "another"}}),
        ("dpo_seed1", {"params": {"steps": 8}}),
    ],
)
def test_another_base_table_or_recipe_is_none(step: str, parts: dict[str, Any]) -> None:
    assert not repeats(ledger(**{step: parts}), 1)
