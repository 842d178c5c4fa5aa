"""Midtraining."""

from __future__ import annotations

from regrow.recipe.kind import Entry, Gain, Kind, base_probes

_ORDERS = "abcdefghijklmnopqrstuvwxyz"


def _run(entry: Entry) -> dict[str, str]:
    return {"run": _ORDERS[entry.get("order", 1) - 1]}


KIND = Kind(
    name="midtrain",
    function="regrow.learn.train.kinds.midtrain:run",
    doc="One segment of midtraining, up to the checkpoint {instance}.",
    part="base",
    data="midtrain_data",
    options=_run,
    control=("run", "!a"),
    control_doc="Midtraining again in another data order, for the soup.",
    length=lambda params, stage: params.midtrain_data.sequence_length,
    run="regrow.evidence.runs.packs:Packs",
    gains=(
        Gain("exact_match", note="in the plain form; the tasks that both were asked"),
        Gain("worked_answers"),
        Gain("bits_per_byte", note="the cost in general text"),
    ),
    chart="regrow.publish.report.pictures:midtrain",
    probes=base_probes,
    short=lambda options: "Midtrained",
)
