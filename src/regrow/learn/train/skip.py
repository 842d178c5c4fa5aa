"""Skipping steps that look wrong: a loss or gradient norm far above the recent ones.

Source: OLMo-core, `optim/skip_step_optimizer.py` (OLMo 3 report, section 3.2): a step is
dropped when either value lies more than `sigmas` standard deviations above the mean of the
last `window` steps. As there, half a window must have been seen before anything is judged,
and the values of skipped steps enter the window too, so that a lasting change is accepted.

Unlike there, a deviation has a least size: where the recent values are all equal, or differ by
rounding alone (the loss of a policy gradient is 0 but for rounding), the next rounding is no outlier.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from regrow.numerics import exact

RESOLUTION = 2.0**-20
"""the least standard deviation, as a share of the mean, or of 1 where the mean is smaller"""


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
        deviation = max(math.sqrt(variance), RESOLUTION * max(1.0, abs(mean)))
        return value - mean > self.sigmas * deviation

    def state(self) -> dict[str, list[float]]:
        """What must be saved for the judgement to go on as it would have."""
        return {"losses": list(self._losses), "norms": list(self._norms)}

    def restore(self, state: dict[str, list[float]]) -> None:
        """Take over a saved state."""
        self._losses = deque(state["losses"], maxlen=self.window)
        self._norms = deque(state["norms"], maxlen=self.window)
