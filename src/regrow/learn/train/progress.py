"""Live progress on standard error. Rates are printed, never stored: they differ between runs."""

from __future__ import annotations

import sys
import time

from regrow.learn.train.metrics import Row

EVERY_SECONDS = 5.0


def say(label: str, text: str) -> None:
    """Print one line."""
    print(f"{label}: {text}", file=sys.stderr, flush=True)


class Progress:
    """Prints a line about every five seconds: step, loss, rate, norm, tokens/s, time left."""

    def __init__(self, label: str, last: int, tokens: int) -> None:
        self.label = label
        self.last = last
        self._tokens = tokens
        self._began = self._printed = time.monotonic()
        self._steps = 0

    def say(self, text: str) -> None:
        """Print one line."""
        say(self.label, text)

    def step(self, row: Row) -> None:
        """Count a step, and print if it is time or if it is the last."""
        self._steps += 1
        now = time.monotonic()
        if row.skipped:
            self.say(
                f"step {row.step} skipped: loss {row.loss:.3f}, gradient norm {row.grad_norm:.2f}"
            )
        if now - self._printed < EVERY_SECONDS and row.step != self.last:
            return
        self._printed = now
        pace = (now - self._began) / self._steps
        left = int((self.last - row.step) * pace)
        speed = (row.tokens - self._tokens) / (now - self._began)
        extra = "".join(f"  {name} {value:.3g}" for name, value in sorted(row.extra.items()))
        self.say(
            f"step {row.step}/{self.last}  loss {row.loss:.3f}  lr {row.lr:.2e}  "
            f"grad norm {row.grad_norm:.2f}  {speed:,.0f} tokens/s{extra}  "
            f"{left // 60}:{left % 60:02d} left"
        )
