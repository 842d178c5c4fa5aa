"""Skipping steps that look wrong: a loss or gradient norm far above the recent ones.

Source: OLMo-core, `optim/skip_step_optimizer.py` (OLMo 3 report, section 3.2): a step is
dropped when either value lies more than `sigmas` standard deviations above the mean of the
last `window` steps. As there, half a window must have been seen before anything is judged,
and the values of skipped steps enter the window too, so that a lasting change is accepted.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from regrow.numerics import exact


class Skip:
    """The recent losses and gradient norms, and the judgement of the next ones."""

    def __init__(self, window: int, sigmas: float) -> None:
        self.window = window
        self.sigmas = sigmas
        self._losses: deque[float] = deque(maxlen=window)
        self._norms: deque[float] = deque(maxlen=window)

    def judge(self, loss: float, norm: float) -> bool:
        """True if the step is to be skipped; the values are remembered either way.

        A value that is not finite is always skipped, and not remembered.
        """
        if not (math.isfinite(loss) and math.isfinite(norm)):
            return True
        outlier = self._above(loss, self._losses) or self._above(norm, self._norms)
        self._losses.append(loss)
        self._norms.append(norm)
        return outlier

    def _above(self, value: float, history: Sequence[float]) -> bool:
        if len(history) < max(2, self.window // 2):
            return False
        mean = exact.mean(history)
        variance = exact.total((x - mean) * (x - mean) for x in history) / (len(history) - 1)
        return value - mean > self.sigmas * math.sqrt(variance)

    def state(self) -> dict[str, list[float]]:
        """What must be saved for the judgement to go on as it would have."""
        return {"losses": list(self._losses), "norms": list(self._norms)}

    def restore(self, state: dict[str, list[float]]) -> None:
        """Take over a saved state."""
        self._losses = deque(state["losses"], maxlen=self.window)
        self._norms = deque(state["norms"], maxlen=self.window)
