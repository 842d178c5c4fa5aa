"""Where a flow can be forked, and what a fork at a checkpoint reads."""

from __future__ import annotations

from typing import Any

from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.naming import resolve
from regrow.evidence.record import Record
from regrow.params import points
from regrow.params.schema import Params
from regrow.recipe.kinds import METHODS
from regrow.release import methods
from regrow.release.records import artifact

_KINDS = {"documents": "documents", "chats": "conversations"}


def point(ledger: Ledger, name: str, kinds: set[str], params: Params) -> Record:
    """The checkpoint `name`, if a fork can begin from it with `documents`, `chats` or both.

    Raises:
        Unanswerable: it cannot; the message says why, and which checkpoints can be forked.
    """
    record = resolve(ledger, name).record
    if record.trained and not record.makes_checkpoint:  # a release or an evaluation of a checkpoint
        record = resolve(ledger, f"{record.trained[0]}-{record.trained[1]:06d}").record
    why = _against(record, kinds, params)
    if why:
        raise Unanswerable(
            f"{record.name} cannot be forked with {_and(kinds)}: {why} {_have(ledger, params)}"
        )
    return record


def read_by(ledger: Ledger, record: Record, params: Params) -> str:
    """The first stage after a checkpoint that reads what a fork brings, in words."""
    stage = points.stage(params, record.step)
    if stage is None or record.trained is None:
        return "training"
    if points.reads(params, stage) and record.trained[1] < points.checkpoints(params, stage)[-1]:
        return f"the rest of {_title(record)}"
    after = [s for s in points.after(params, stage.name) if s.kind != "soup"]
    made = [found[-1] for s in after if (found := ledger.checkpoints(s.name)) and not s.control]
    return _title(made[0]) if made else ", ".join(s.name for s in after)


def _title(record: Record) -> str:
    words = methods.title(artifact(record.raw), METHODS).partition(",")[0]
    return words[:1].lower() + words[1:]


def _against(record: Record, kinds: set[str], params: Params) -> str:
    """Why it cannot be forked with these, "" where it can."""
    at = points.forkable(params)
    if record.trained is None or record.step not in at or record.trained[1] not in at[record.step]:
        stage = points.stage(params, record.step)
        if stage is None:
            return f"the recipe has no stage {record.step}."
        if stage.form != "plain":
            return "what a fork brings enters in a base model, or in fine-tuning from one."
        if stage.control:
            return "nothing goes on from a control."
        soup = next((s.name for s in points.after(params, stage.name) if s.kind == "soup"), "")
        if soup and record.trained and record.trained[1] == points.checkpoints(params, stage)[-1]:
            return f"{_title(record)} is at its end there; the soup ({soup}) is what the flow goes on from."
        if record.step in at:
            return f"the flow goes on from {_listed(record.step, at[record.step])}."
        return (
            f"no stage after {record.step} reads documents or conversations. Fix: name one in `stages` of the params file "
            f"(`midtrain` for documents, `sft` for conversations) and run it: the weights of {record.step} stay as they are."
        )
    enters = points.entering(params, record.step, record.trained[1])
    for kind in sorted(kinds - enters):
        return f"no later stage reads {_KINDS[kind]}; {_and(enters)} can enter there."
    if "documents" not in kinds and "documents" in enters:
        return (
            "no stage before fine-tuning reads conversations: fork the checkpoint that fine-tuning begins from with them, "
            "or give documents (`text`) as well."
        )
    return ""


def _listed(stage: str, steps: list[int]) -> str:
    return ", ".join(f"{stage}.{step:06d}" for step in steps)


def _and(kinds: set[str]) -> str:
    return " and ".join(_KINDS[kind] for kind in sorted(kinds)) or "nothing"


def _have(ledger: Ledger, params: Params) -> str:
    """What can be forked here, by what it can be forked with."""
    with_text: list[str] = []
    with_chats: list[str] = []
    for stage, steps in points.forkable(params).items():
        for step in steps:
            name = f"{stage}.{step:06d}"
            if name in ledger.by_name:
                text = "documents" in points.entering(params, stage, step)
                (with_text if text else with_chats).append(name)
    return (
        f"With documents: {', '.join(with_text) or 'nothing here'}. "
        f"With conversations alone: {', '.join(with_chats) or 'nothing here'}."
    )


def block(name: str, parent: Record, kinds: set[str], params: Params) -> dict[str, Any]:
    """The section `fork` of the params, as far as it differs from the defaults.

    The mix is as large as what the stages after the fork point read of it.
    """
    assert parent.trained is not None
    stage, step = parent.trained
    found: dict[str, Any] = {"name": name, "checkpoint": step}
    if stage != "pretrain":
        found["stage"] = stage
    if "documents" in kinds and (tokens := _tokens(params, stage, step)):
        found["tokens"] = max(1_000, tokens)
    if "documents" not in kinds:
        found["documents"] = False
    if "chats" in kinds:
        found |= {"chats": True, "chat_tokens": _context(params)}
    return found


def _tokens(params: Params, name: str, step: int) -> int:
    """Tokens of the mix that training after the fork point reads; 0: all of it."""
    stage = points.stage(params, name)
    assert stage is not None
    if any(data.kind == "joined" for data in params.datasets):
        return (
            0  # a mix that is smaller than the parent's would make what is joined with it smaller
        )
    whole = params.midtrain_data.tokens
    if points.data_kind(params, stage.data) == "midtrain_data":
        steps = getattr(params, stage.settings).steps
        if step < steps:
            return int(whole * (steps - step) // steps)
    after = points.after(params, name)
    if any(points.data_kind(params, s.data) == "midtrain_data" for s in after):
        return 0
    long = params.longcontext_data
    return int(long.tokens * long.shares.get("midtraining", 0.0))


def _context(params: Params) -> int:
    """Positions of the longest context that the recipe trains."""
    long = [
        getattr(params, s.settings).context
        for s in params.stages
        if s.kind == "longcontext" and not s.control
    ]
    return int(max(long, default=params.model.context))
