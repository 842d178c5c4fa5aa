"""The mean of several runs."""

from __future__ import annotations

from regrow.recipe.kind import Kind, base_probes

KIND = Kind(
    name="soup",
    function="regrow.learn.train.soup:run",
    doc="The mean of several runs, kept only if it wins on held-out data.",
    part="base",
    probes=base_probes,
    short=lambda options: "Midtrained",
)
