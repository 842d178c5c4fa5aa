"""The learning rate of a step: linear warm-up, then a cosine down to a share of the peak."""

from __future__ import annotations

import math
from dataclasses import dataclass

from regrow.numerics import exact


@dataclass(frozen=True)
class Cosine:
    """Linear from 0 over `warmup` steps, half a cosine to `final * peak` at step `steps`.

    Olmo 3 pretrains with it (OLMo 3 report, table 35: 2,000 steps of warm-up, cosine to 10 %).
    """

    peak: float
    steps: int
    warmup: int
    final: float

    def __call__(self, step: int) -> float:
        """The rate of step 1 .. steps (steps are counted from 1). Raises ValueError outside."""
        if not 1 <= step <= self.steps:
            raise ValueError(f"step {step} is outside 1 .. {self.steps}")
        if step <= self.warmup:
            return self.peak * step / self.warmup
        share = (step - self.warmup) / (self.steps - self.warmup)
        fall = 0.5 * (1.0 + float(exact.cos(math.pi * share)))
        return self.peak * (self.final + (1.0 - self.final) * fall)
