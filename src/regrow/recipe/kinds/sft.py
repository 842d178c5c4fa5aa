"""Supervised fine-tuning."""

from __future__ import annotations

from typing import Any

from regrow.recipe.kind import Entry, Gain, Kind, after, first, preferences, untrained, when


def _probes(entry: Entry, every: list[Entry]) -> dict[str, Any]:
    if entry["branch"] == "instruct":
        return {"form": "instruct", "tools": 1}
    found = {"form": "think"} | preferences(entry, every)
    return found | untrained(entry, after(entry, every))


KIND = Kind(
    name="sft",
    function="regrow.learn.train.kinds.sft:run",
    doc="Supervised fine-tuning on conversations.",
    title=first("Supervised fine-tuning, {options.branch:Word}", "Supervised fine-tuning, Think"),
    method=first(
        when("Next-token prediction on the answers of chat examples.", branch="instruct"),
        when(
            "Next-token prediction on the answers (thinking included) of chat examples.",
            branch="think",
        ),
        "Next-token prediction on the answers of chat examples.",
    ),
    part="post",
    data="sft_data",
    options=lambda entry: {"branch": entry["branch"]},
    unit="examples",
    length=lambda params, stage: params.sft_data.max_tokens,
    run="regrow.evidence.runs.examples:Examples",
    gains=(
        Gain(
            "exact_match",
            only=("branch", "think"),
            note="before: in the base model's own plain form",
        ),
        Gain(
            "format",
            only=("branch", "think"),
            before_probe="format_think",
            note="by construction: the base model has never seen the form",
        ),
        Gain("tool_calls", before_probe="tool_calls_instruct", only=("branch", "instruct")),
    ),
    chart="regrow.publish.report.pictures:sft",
    probes=_probes,
    short=lambda options: f"Fine-tuned, {str(options.get('branch', 'think')).capitalize()}",
    priority=lambda entry: 0 if entry["branch"] == "instruct" else 10,
)
