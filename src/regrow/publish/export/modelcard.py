"""The model card of CycloneDX 1.6: how a checkpoint was trained, on what, and how it scored."""

from __future__ import annotations

from typing import Any

from regrow.publish.export.subject import Subject
from regrow.release.sentence import NOT_STATED


def card(subject: Subject) -> dict[str, Any]:
    """The `modelCard` of the subject; figures are those that its evaluation counted."""
    record = subject.record
    stage = subject.history[-1]
    function = subject.artifacts[record.name].function
    read = [
        parent
        for ancestor in subject.chain
        if ancestor.makes_checkpoint
        for parent in subject.ledger.parents(ancestor)
        if not parent.makes_checkpoint
    ]
    datasets = dict.fromkeys(f"record:{parent.name}" for parent in read)
    tasks = subject.about.model.tasks
    found: dict[str, Any] = {
        "modelParameters": {
            **_approach(function),
            "task": "text-generation",
            "architectureFamily": "decoder-only transformer",
            "modelArchitecture": "Olmo3ForCausalLM",
            "datasets": [{"ref": name} for name in datasets],
            "inputs": [{"format": "text"}],
            "outputs": [{"format": "text"}],
        },
        "properties": properties(
            {
                "regrow:stage": stage.title,
                "regrow:method": stage.method.text,
                "regrow:learned-from": stage.reads.text,
                "regrow:licence-of-the-weights": subject.licence or NOT_STATED,
                "regrow:training-tokens": record.counts.get("tokens"),
            }
        ),
    }
    if tasks:
        found["considerations"] = {"useCases": [tasks]}
    evaluation = subject.ledger.about("evaluate", record)
    metrics = [
        {"type": name, "value": f"{value:.6g}", "slice": evaluation.name}
        for name, value in sorted(evaluation.counts.items() if evaluation else ())
        if isinstance(value, float) and evaluation
    ]
    if metrics:
        found["quantitativeAnalysis"] = {"performanceMetrics": metrics}
    return found


_APPROACHES = {
    "regrow.learn.train.kinds.pretrain:run": "self-supervised",
    "regrow.learn.train.kinds.midtrain:run": "self-supervised",
    "regrow.learn.train.kinds.longcontext:run": "self-supervised",
    "regrow.learn.train.kinds.sft:run": "supervised",
    "regrow.learn.train.kinds.dpo:run": "supervised",
    "regrow.learn.rl.rlvr:run": "reinforcement-learning",
}
"""function of the last stage -> CycloneDX's word; a function that is not here, or makes no step, has none"""


def _approach(function: str) -> dict[str, Any]:
    return {"approach": {"type": _APPROACHES[function]}} if function in _APPROACHES else {}


def properties(values: dict[str, Any]) -> list[dict[str, str]]:
    """Names and values as CycloneDX has them, without those that are None."""
    return [{"name": k, "value": str(v)} for k, v in sorted(values.items()) if v is not None]
