"""Midtraining."""

from __future__ import annotations

from regrow.recipe.kind import Entry, Gain, Kind, base_probes, first, when
from regrow.release.words import Words

_ORDERS = "abcdefghijklmnopqrstuvwxyz"


def _run(entry: Entry) -> dict[str, str]:
    return {"run": _ORDERS[entry.get("order", 1) - 1]}


def _rate(how: str, last: int) -> Words:
    text = f"; the learning rate {how}"
    return {"text": text, "when": {"params.final_lr": last}}


KIND = Kind(
    name="midtrain",
    function="regrow.learn.train.kinds.midtrain:run",
    doc="One segment of midtraining, up to the checkpoint {instance}.",
    title=[
        "Midtraining",
        first(
            when("", run="a"),
            ", {options.run:ordinal} data order",
            ", data order {options.run:place}",
        ),
    ],
    method=[
        "Next-token prediction",
        first(
            _rate("stays ({params.schedule})", 1),
            _rate("falls to zero ({params.schedule})", 0),
            "; the learning rate falls to {params.final_lr:g} of its peak ({params.schedule})",
        ),
        ".",
    ],
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
