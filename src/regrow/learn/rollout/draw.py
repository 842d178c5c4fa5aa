"""The draw of a token from its logits, by inversion of the distribution function."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from regrow.numerics.torch.functional import IGNORE
from regrow.numerics.torch.kernels import native


def check(temperature: float) -> None:
    """Raise ValueError unless `temperature` is a number from 0 on."""
    if not (math.isfinite(temperature) and temperature >= 0):
        raise ValueError(f"temperature {temperature}: it must be a number, 0 (greedy) or above")


def uniforms(names: NDArray[np.uint32], at: NDArray[np.int64]) -> NDArray[np.float64]:
    """Element `at[i]` of the stream with the words `names[i]` (see `Stream.words`), in [0, 1)."""
    names, out = np.ascontiguousarray(names), np.empty(len(at))
    native().uniform(len(at), names.ctypes.data, at.ctypes.data, out.ctypes.data)
    return out


def choose(
    logits: NDArray[np.float32], temperature: float, uniforms: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """A token per row of logits (rows, vocabulary), and its log-probability at temperature 1.

    Weights exp((logit - max) / temperature) are float64 (`regrow.numerics.exact.exp`) and summed
    from token 0 upwards; the token is the first whose running sum exceeds uniform x total.
    Temperature 0 takes the largest logit, the lowest id among equals. The log-probability is that
    of `regrow.numerics.torch.functional.token_logprobs`, bit for bit.

    Raises:
        ValueError: a temperature below 0, or one that is no number.
        FloatingPointError: a logit that is NaN or infinity, or a row of nothing but -infinity.
    """
    check(temperature)
    rows, vocabulary = logits.shape
    tokens = np.empty(rows, dtype=np.int64)
    surprise, lse = np.empty(rows, dtype=np.float32), np.empty(rows, dtype=np.float32)
    given = (rows, vocabulary, logits.ctypes.data)
    native().draw(*given, temperature, uniforms.ctypes.data, tokens.ctypes.data)
    if (tokens < 0).any():
        raise FloatingPointError(
            "a logit is not a number, or infinite: the model's weights are broken"
        )
    native().entropy(
        *(*given, tokens.ctypes.data, IGNORE, 1.0, 0.0),
        *(surprise.ctypes.data, lse.ctypes.data, None),
    )
    return tokens, -surprise
