"""The learning rate of a step: linear warm-up, then down to a share of the peak."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from regrow.numerics import exact
from regrow.params.train import Training


@dataclass(frozen=True)
class Schedule:
    """Linear from 0 over `warmup` steps, then by `kind` towards `final * peak`.

    * cosine: half a cosine, at the floor in step `steps` (OLMo 3 report, table 35: stage 1).
    * linear: a straight line that would reach the floor in the step after the last, so that with
      a floor of 0 no step is spent at rate 0 (stages 2 and 3, SFT, DPO).
    * constant: the peak (RLVR).
    """

    peak: float
    steps: int
    warmup: int
    final: float
    kind: Literal["cosine", "linear", "constant"] = "cosine"

    @classmethod
    def of(cls, stage: Training) -> Schedule:
        """The schedule that a stage's parameters describe."""
        return cls(
            peak=stage.optimizer.learning_rate,
            steps=stage.steps,
            warmup=round(stage.warmup * stage.steps),
            final=stage.final_lr,
            kind=stage.schedule,
        )

    def __call__(self, step: int) -> float:
        """The rate of step 1 .. steps (steps are counted from 1). Raises ValueError outside."""
        if not 1 <= step <= self.steps:
            raise ValueError(f"step {step} is outside 1 .. {self.steps}")
        if step <= self.warmup:
            return self.peak * step / self.warmup
        if self.kind == "constant":
            return self.peak
        if self.kind == "linear":
            left = (self.steps + 1 - step) / (self.steps + 1 - self.warmup)
            return self.peak * (self.final + (1.0 - self.final) * left)
        share = (step - self.warmup) / (self.steps - self.warmup)
        fall = 0.5 * (1.0 + float(exact.cos(math.pi * share)))
        return self.peak * (self.final + (1.0 - self.final) * fall)
