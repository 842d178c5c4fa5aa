"""Preference optimisation."""

from __future__ import annotations

from regrow.recipe.kind import Gain, Kind, preferences, when

KIND = Kind(
    name="dpo",
    function="regrow.learn.train.kinds.dpo:run",
    doc="DPO on the judged on-policy pairs.",
    title=["Preference tuning", when(" on delta pairs", source="delta")],
    method=[
        "Length-normalised direct preference optimisation",
        ", β = {params.beta:g}",
        ".",
    ],
    part="post",
    data="pairs",
    options=lambda entry: {"source": entry["pairs"]},
    control=("source", "delta"),
    control_doc="DPO on the delta-learning pairs: reported as its own row.",
    unit="pairs",
    length=lambda params, stage: params.pairs.max_new_tokens,
    trained=2.0,
    # The reference scores each pair once, when it is first met.
    forwards=lambda block: 1.0,
    run="regrow.evidence.runs.examples:Pairs",
    gains=(
        Gain("win_share", note="against the SFT model; judge: right less length"),
        Gain("win_share_drawn", note="the same at T = 1"),
        Gain("preference", family="judged", note="judged pairs"),
        Gain("exact_match", note="never a win share without it"),
        Gain("tokens", better="lower", note="never a win share without it"),
        Gain("preference", family="delta", note="delta pairs", of_control=True),
        Gain("exact_match", of_control=True),
    ),
    chart="regrow.publish.report.pictures:dpo",
    loss="The loss of a pair is 0.69 while the model has no opinion beyond its starting point; lower means "
    "that it prefers the chosen answer.",
    probes=lambda entry, every: {"form": entry["form"]} | preferences(entry, every),
    short=lambda options: "Preference-tuned",
    priority=lambda entry: 0 if entry["pairs"] == "delta" else 10,
)
