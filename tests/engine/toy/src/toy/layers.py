"""Two imports away from the step."""

from toy import nn


def layer(value: int, lr: float) -> int:
    return nn.activate(value * 3 + int(lr * 10)) % 1_000_003
