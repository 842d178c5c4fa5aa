"""Where a flow can be forked, and what a fork at a checkpoint reads."""

from __future__ import annotations

from typing import Any

from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger, Record
from regrow.evidence.naming import resolve

READS = {
    "pretrain": "midtraining",
    "midtrain": "the rest of midtraining",
    "soup": "the long-context stage",
    "longcontext": "fine-tuning",
}
"""stage of the checkpoint -> the first stage that reads what the fork brings"""


def point(ledger: Ledger, name: str, kinds: set[str]) -> Record:
    """The checkpoint `name`, if a fork can begin from it with `documents`, `chats` or both.

    Raises:
        Unanswerable: it cannot; the message says why, and which checkpoints can be forked.
    """
    record = resolve(ledger, name).record
    if record.trained and not record.makes_checkpoint:  # a release or an evaluation of a checkpoint
        record = resolve(ledger, f"{record.trained[0]}-{record.trained[1]:06d}").record
    why = _against(ledger, record, kinds)
    if why:
        raise Unanswerable(
            f"{record.name} cannot be forked with {_and(kinds)}: {why}{_have(ledger)}"
        )
    return record


def _against(ledger: Ledger, record: Record, kinds: set[str]) -> str:
    if record.step not in READS:
        if record.step in ("sft", "sft_instruct", "dpo", "dpo_delta", "rlvr"):
            return "conversations enter in fine-tuning, which begins from the long-context base. "
        return "documents enter in midtraining or the long-context stage. "
    last = ledger.checkpoints(record.step)[-1]
    if record.step == "midtrain" and record is last:
        return "midtraining is at its end there; the soup is what the flow goes on from. "
    if record.step == "longcontext" and record is not last:
        return "fine-tuning begins from the last checkpoint of the stage. "
    if record.step == "longcontext" and "documents" in kinds:
        return "no later stage reads documents; conversations (`messages`) would enter in fine-tuning. "
    if record.step != "longcontext" and "documents" not in kinds:
        return (
            "no stage before fine-tuning reads conversations: fork the last checkpoint of longcontext with "
            "them, or give documents (`text`) as well. "
        )
    return ""


def _and(kinds: set[str]) -> str:
    return " and ".join(
        {"documents": "documents", "chats": "conversations"}[k] for k in sorted(kinds)
    )


def _have(ledger: Ledger) -> str:
    """What can be forked here, by what it can be forked with."""
    made = {stage: [r.name for r in ledger.checkpoints(stage)] for stage in READS}
    text = [*made["pretrain"], *made["midtrain"][:-1], *made["soup"][-1:]]
    return (
        f"With documents: {', '.join(text) or 'nothing here'}. "
        f"With conversations alone: {', '.join(made['longcontext'][-1:]) or 'nothing here'}."
    )


def block(name: str, parent: Record, kinds: set[str], params: dict[str, Any]) -> dict[str, Any]:
    """The section `fork` of the params, as far as it differs from the defaults.

    The mix is as large as what the stages after the fork point read of it.
    """
    assert parent.trained is not None
    stage, step = parent.trained
    found: dict[str, Any] = {"name": name, "checkpoint": step}
    if stage != "pretrain":
        found["stage"] = stage
    if stage == "midtrain":
        steps, whole = params["midtrain"]["steps"], params["midmix"]["tokens"]
        found["tokens"] = max(1_000, whole * (steps - step) // steps)
    if stage == "soup":
        long = params["longmix"]
        found["tokens"] = max(1_000, int(long["tokens"] * long["shares"].get("midtraining", 0.0)))
    if "documents" not in kinds:
        found["documents"] = False
    if "chats" in kinds:
        found |= {"chats": True, "chat_tokens": params["longcontext"]["context"]}
    return found
