"""The checkpoints that a recipe keeps, and those among them at which a fork can begin."""

from __future__ import annotations

from typing import Any

from regrow.params import joined
from regrow.params.stages import Stage

DOCUMENTS = ("midtrain_data",)
"""kinds of data sets that a fork's documents join (and longcontext_data, through them)"""
CHATS = ("sft_data",)
"""kinds of data sets that a fork's conversations join"""


def stage(params: Any, name: str) -> Stage | None:
    """The stage of that name, None where the recipe has none."""
    return next((s for s in params.stages if s.name == name), None)


def checkpoints(params: Any, one: Stage) -> list[int]:
    """The training steps at which a stage keeps a checkpoint, ascending."""
    if one.kind == "soup":
        runs = [stage(params, name) for name in one.base]
        return checkpoints(params, runs[0])[-1:] if runs[0] else []
    block = getattr(params, one.settings)
    made: list[int] = block.checkpoints()
    if one.control and hasattr(block, "control_steps"):
        made = [block.control_steps]
    if one.checkpoints == "last":
        return made[-1:]
    return made if one.checkpoints == "all" else sorted(set(one.checkpoints))


def problem(params: Any, one: Stage) -> str:
    """What is wrong with the checkpoints that a stage keeps or begins from, "" where nothing is."""
    if one.kind == "soup":
        ends = {
            name: checkpoints(params, run)[-1] for name in one.base if (run := stage(params, name))
        }
        if len(set(ends.values())) > 1:
            said = ", ".join(f"{name} at {step}" for name, step in ends.items())
            return f"stages: {one.name}.base: runs of one length can be averaged; these end at different steps ({said})."
        return ""
    if isinstance(one.checkpoints, str):
        return ""
    steps = getattr(params, one.settings).steps
    late = [step for step in one.checkpoints if step > steps]
    if late:
        return f"stages: {one.name}.checkpoints: step {late[0]} is beyond {one.settings}.steps ({steps})."
    return "" if one.checkpoints else f"stages: {one.name}.checkpoints: name one at least."


def after(params: Any, name: str) -> list[Stage]:
    """The stages that begin from a stage."""
    return [s for s in params.stages if name in s.base]


def reads(params: Any, one: Stage) -> str:
    """What of a fork's a stage reads: "documents", "chats" or nothing. Pretraining ends where a fork begins."""
    if one.kind == "pretrain":
        return ""
    known = {d.name: d for d in params.datasets}
    for part in joined.parts(one.data, known):
        kind = data_kind(params, part)
        if kind in (*DOCUMENTS, "longcontext_data"):
            return "documents"
        beside = known[part].beside if kind == "chats" else ""
        if kind in CHATS or (beside and data_kind(params, beside) in CHATS):
            return "chats"
    return ""


def data_kind(params: Any, data: str) -> str:
    """The kind of step that makes a data set; a built-in one has the name of its kind."""
    return next((d.kind for d in params.datasets if d.name == data), data)


def forkable(params: Any) -> dict[str, list[int]]:
    """Stage -> the checkpoints at which a fork can begin, in the order of the recipe.

    A fork's documents and conversations enter in what is trained from that checkpoint on: in the rest of its own
    stage, where that reads them, or in a stage that begins from it.
    """
    found = {}
    for one in params.stages:
        if one.form != "plain" or one.control or one.kind == "rl":
            continue
        made = checkpoints(params, one)
        goes_on = [s for s in after(params, one.name) if s.kind != "soup" and _enters(params, s)]
        if one.kind == "pretrain":
            at = made if goes_on else []
        elif one.kind == "midtrain" and reads(params, one):
            at = made if goes_on else made[:-1]  # after the last nothing is left to train
        else:
            at = made[-1:] if goes_on else []
        if at:
            found[one.name] = at
    return found


def _enters(params: Any, one: Stage) -> bool:
    """Whether a stage, or one that follows it, reads what a fork brings."""
    return bool(reads(params, one)) or any(_enters(params, s) for s in after(params, one.name))


def entering(params: Any, name: str, checkpoint: int) -> set[str]:
    """What can enter in a fork at a checkpoint: "documents", "chats"."""
    one = stage(params, name)
    if one is None:
        return set()
    found = set()
    if one.kind == "midtrain" and checkpoint < checkpoints(params, one)[-1]:
        found.add(reads(params, one))
    queue = after(params, name)
    while queue:
        item = queue.pop()
        found.add(reads(params, item))
        queue += after(params, item.name)
    return found - {""}
