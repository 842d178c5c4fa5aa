"""The extension of the context, and its control at the short length."""

from __future__ import annotations

from typing import Any

from regrow.recipe.kind import Entry, Gain, Kind, base_probes, first, when


def _short(stage: Any) -> bool:
    return bool(stage.length == "short")


def _times(params: Any, stage: Any) -> int:
    return (
        params.longcontext_data.sequence_length // params.longcontext_data.short_length
        if _short(stage)
        else 1
    )


def _probes(entry: Entry, every: list[Entry]) -> dict[str, Any]:
    found = {**base_probes(entry, every), "long": 1}
    return found | {"yarn": 1} if entry.get("length") == "short" else found


KIND = Kind(
    name="longcontext",
    function="regrow.learn.train.kinds.longcontext:run",
    doc="A longer context: YaRN on the full-attention layers.",
    title=first(
        when("Control of the long-context extension", length="short"), "Long-context extension"
    ),
    method=first(
        when("Next-token prediction on the same tokens cut short, without YaRN.", length="short"),
        [
            "Next-token prediction",
            " at a context of {params.context:,} tokens",
            ", with YaRN × {params.yarn_factor:g}",
            {
                "text": " and attention within documents only",
                "when": {"params.document_mask": True},
            },
            ".",
        ],
    ),
    part="base",
    data="longcontext_data",
    options=lambda entry: {"length": entry.get("length", "long")},
    control=("length", "short"),
    control_doc="The same tokens at the short length: what is not due to the length.",
    length=lambda params, stage: (
        params.longcontext_data.short_length
        if _short(stage)
        else params.longcontext_data.sequence_length
    ),
    rows=_times,
    run="regrow.evidence.runs.packs:Packs",
    gains=(
        Gain("loss_long", controlled=True),
        Gain(
            "loss_long",
            controlled=True,
            control_probe="loss_long_yarn",
            note="the control with YaRN switched on at evaluation",
        ),
        Gain("needle", controlled=True),
        Gain("loss_long", of_control=True, note="the control itself"),
    ),
    chart="regrow.publish.report.pictures:longcontext",
    probes=_probes,
    short=lambda options: "Long context",
    priority=lambda entry: 0 if entry.get("length") == "short" else 10,
)
