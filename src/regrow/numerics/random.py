"""Counter-based random streams: a draw is a function of what it is for, never of earlier draws.

Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011),
in numpy integers. A stream is named by the things it is for, e.g.
`Stream("init", seed, "model.layers.0.mlp.up_proj.weight")`; element i of a stream can be
drawn without the i - 1 before it, so one more document or layer leaves the others alone.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from regrow.numerics import exact

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


def philox(
    counter: NDArray[np.uint64], key: tuple[int, int], high: tuple[int, int] = (0, 0)
) -> NDArray[np.uint32]:
    """Philox4x32-10 of 64-bit counters: (n,) -> (n, 4) words.

    `high` fills the upper 64 bits of the counter, so key and high give 128 bits of stream name.
    """
    c0, c1 = counter & _LOW, counter >> _32
    c2 = np.full_like(counter, high[0])
    c3 = np.full_like(counter, high[1])
    k0, k1 = np.uint64(key[0]), np.uint64(key[1])
    for _ in range(10):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (p1 >> _32) ^ c1 ^ k0, p1 & _LOW, (p0 >> _32) ^ c3 ^ k1, p0 & _LOW
        k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    return np.stack([c0, c1, c2, c3], axis=1).astype(np.uint32)


class Stream:
    """An endless, addressable sequence of random numbers named by `parts` (strings and integers)."""

    def __init__(self, *parts: str | int) -> None:
        if not parts:
            raise ValueError("a stream needs a name: what are the draws for?")
        # Length-prefixed, so that ("ab", "c") and ("a", "bc") differ.
        text = b"".join(
            b"%c%d:%b"
            % (ord("i" if isinstance(p, int) else "s"), len(str(p).encode()), str(p).encode())
            for p in parts
        )
        words = np.frombuffer(hashlib.sha256(text).digest()[:16], dtype="<u4")
        self._key = (int(words[0]), int(words[1]))
        self._high = (int(words[2]), int(words[3]))

    @property
    def words(self) -> tuple[int, int, int, int]:
        """Key and upper counter words: the stream's name as numbers, for native code."""
        return (*self._key, *self._high)

    def bits64(self, n: int, start: int = 0) -> NDArray[np.uint64]:
        """Elements start .. start + n - 1 of the stream, 64 random bits each."""
        first, last = start // 2, (start + n + 1) // 2
        blocks = philox(np.arange(first, last, dtype=np.uint64), self._key, self._high)
        words = blocks.reshape(-1, 2).astype(np.uint64)
        values = (words[:, 1] << _32) | words[:, 0]
        offset = start - 2 * first
        return values[offset : offset + n]

    def uniform(self, n: int, start: int = 0) -> NDArray[np.float64]:
        """Elements start .. start + n - 1, uniform in [0, 1) with 53 bits."""
        return (self.bits64(n, start) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def integers(self, n: int, high: int, start: int = 0) -> NDArray[np.int64]:
        """Elements uniform in 0 .. high - 1, high at most 2**32 (multiply-shift, bias under 2**-32)."""
        if not 0 < high <= 1 << 32:
            raise ValueError(f"high must be in 1 .. 2**32, got {high}")
        return (((self.bits64(n, start) >> _32) * np.uint64(high)) >> _32).astype(np.int64)

    def normal(self, n: int, start: int = 0) -> NDArray[np.float64]:
        """Elements of a standard normal, by the inverse of its distribution function."""
        u = (self.bits64(n, start) >> np.uint64(11)).astype(np.float64)
        return inverse_normal((u + 0.5) * 2.0**-53)

    def truncated_normal(self, n: int, bound: float, start: int = 0) -> NDArray[np.float64]:
        """Elements of a standard normal cut at +-bound (standard deviations)."""
        low = normal_tail(bound)
        u = (self.bits64(n, start) >> np.uint64(11)).astype(np.float64)
        p = low + ((u + 0.5) * 2.0**-53) * (1.0 - 2.0 * low)
        return np.clip(inverse_normal(p), -bound, bound)


def normal_tail(x: float) -> float:
    """P(Z > x) of a standard normal for x >= 0, by bisection of `inverse_normal`."""
    low, high = 2.0**-60, 0.5
    for _ in range(80):
        middle = 0.5 * (low + high)
        if float(-inverse_normal(np.array([middle]))[0]) > x:
            low = middle
        else:
            high = middle
    return low


# Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988): relative error about 1e-16.
_A = [
    3.3871328727963666080e0,
    1.3314166789178437745e2,
    1.9715909503065514427e3,
    1.3731693765509461125e4,
    4.5921953931549871457e4,
    6.7265770927008700853e4,
    3.3430575583588128105e4,
    2.5090809287301226727e3,
]
_B = [
    1.0,
    4.2313330701600911252e1,
    6.8718700749205790830e2,
    5.3941960214247511077e3,
    2.1213794301586595867e4,
    3.9307895800092710610e4,
    2.8729085735721942674e4,
    5.2264952788528545610e3,
]
_C = [
    1.42343711074968357734e0,
    4.63033784615654529590e0,
    5.76949722146069140550e0,
    3.64784832476320460504e0,
    1.27045825245236838258e0,
    2.41780725177450611770e-1,
    2.27238449892691845833e-2,
    7.74545014278341407640e-4,
]
_D = [
    1.0,
    2.05319162663775882187e0,
    1.67638483018380384940e0,
    6.89767334985100004550e-1,
    1.48103976427480074590e-1,
    1.51986665636164571966e-2,
    5.47593808499534494600e-4,
    1.05075007164441684324e-9,
]
_E = [
    6.65790464350110377720e0,
    5.46378491116411436990e0,
    1.78482653991729133580e0,
    2.96560571828504891230e-1,
    2.65321895265761230930e-2,
    1.24266094738807843860e-3,
    2.71155556874348757815e-5,
    2.01033439929228813265e-7,
]
_F = [
    1.0,
    5.99832206555887937690e-1,
    1.36929880922735805310e-1,
    1.48753612908506148525e-2,
    7.86869131145613259100e-4,
    1.84631831751005468180e-5,
    1.42151175831644588870e-7,
    2.04426310338993978564e-15,
]


def _ratio(top: list[float], bottom: list[float], x: NDArray[np.float64]) -> NDArray[np.float64]:
    value_top, value_bottom = np.full_like(x, top[-1]), np.full_like(x, bottom[-1])
    for t, b in zip(reversed(top[:-1]), reversed(bottom[:-1]), strict=True):
        value_top = value_top * x + t
        value_bottom = value_bottom * x + b
    return value_top / value_bottom


def inverse_normal(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """The quantile of a standard normal at probabilities p in (0, 1)."""
    q = p - 0.5
    central = q * _ratio(_A, _B, 0.180625 - q * q)
    tail = np.where(q < 0, p, 1.0 - p)
    r = np.sqrt(-exact.log(np.clip(tail, 1e-300, 0.5)))
    outer = np.where(r <= 5.0, _ratio(_C, _D, r - 1.6), _ratio(_E, _F, r - 5.0))
    return np.where(np.abs(q) <= 0.425, central, np.where(q < 0, -outer, outer))
