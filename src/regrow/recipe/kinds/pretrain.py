"""Pretraining."""

from __future__ import annotations

from typing import Any

from regrow.recipe.kind import Entry, Gain, Kind, after, base_probes, first


def _probes(entry: Entry, every: list[Entry]) -> dict[str, Any]:
    found = base_probes(entry, every)
    # Nobody expects answers before a stage has seen questions, unless the next one is about them.
    asked = {"sft", "rl"} & {other["kind"] for other in after(entry, every)}
    return found if asked else found | {"answers": "few"}


KIND = Kind(
    name="pretrain",
    function="regrow.learn.train.kinds.pretrain:run",
    doc="One segment of pretraining, up to the checkpoint {instance}.",
    title="Pretraining",
    method=first(
        {
            "text": "Next-token prediction, from the weights named as its base.",
            "when": {"inputs.base": True},
        },
        "Next-token prediction from random weights.",
    ),
    part="base",
    data="pack",
    length=lambda params, stage: params.pack.sequence_length,
    run="regrow.evidence.runs.packs:Packs",
    gains=(Gain("bits_per_byte", "first"),),
    probes=_probes,
    short=lambda options: "Pretrained",
)
