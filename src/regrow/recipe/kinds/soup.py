"""The mean of several runs."""

from __future__ import annotations

from regrow.recipe.kind import Kind, base_probes, first

_COMPARED = "{runs:Number} runs and the mean of their weights compared on held-out text; kept:"

KIND = Kind(
    name="soup",
    function="regrow.learn.train.soup:run",
    doc="The mean of several runs, kept only if it wins on held-out data.",
    title="Soup of {runs:number} runs",
    method=first(
        {"text": f"{_COMPARED} the mean of their weights.", "when": {"counts.kept": "mean"}},
        f"{_COMPARED} the {{counts.kept:ordinal}} run.",
        "The mean of the weights of {runs:number} runs, or the best of them.",
    ),
    part="base",
    probes=base_probes,
    short=lambda options: "Midtrained",
)
