"""The definition of fma32 in numpy, slow and without any of the kernels' code."""

from __future__ import annotations

import numpy as np

F32, F64 = np.float32, np.float64


def fma(a, b, c):
    """round32(a * b + c): the product is exact in float64, the sum is rounded to odd there,
    so that the second rounding, to float32, is the only one that counts (Boldo and Melquiond, 2008)."""
    p = np.asarray(a, F64) * np.asarray(b, F64)
    c = np.broadcast_to(np.asarray(c, F64), p.shape)
    s = p + c
    t = s - p
    error = (p - (s - t)) + (c - t)
    bits = s.view(np.int64).copy()
    bits += np.where((error != 0) & (bits & 1 == 0), np.where((error > 0) == (s > 0), 1, -1), 0)
    return bits.view(F64).astype(F32)


def product(a, b, start=None):
    """a (m, k) times b (k, n), one chain per element."""
    c = np.zeros((a.shape[0], b.shape[1]), F32) if start is None else start
    for k in range(a.shape[1]):
        c = fma(a[:, k : k + 1], b[k : k + 1], c)
    return c


def tree(lanes):
    """The sum of 16 lanes: i + (i + 8), then 4, 2, 1."""
    for half in (8, 4, 2, 1):
        lanes = lanes[..., :half] + lanes[..., half:]
    return lanes[..., 0]


def padded(x):
    """Rows filled up with zeros to whole vectors: (..., vectors, 16)."""
    rest = -x.shape[-1] % 16
    x = np.concatenate([x, np.zeros((*x.shape[:-1], rest), F32)], axis=-1)
    return x.reshape(*x.shape[:-1], -1, 16)


def sums(x):
    lanes = np.zeros((*x.shape[:-1], 16), F32)
    for i in range(padded(x).shape[-2]):
        lanes = lanes + padded(x)[..., i, :]
    return tree(lanes)


def rms_norm(x, weight, eps):
    lanes = np.zeros((*x.shape[:-1], 16), F32)
    for i in range(padded(x).shape[-2]):
        v = padded(x)[..., i, :]
        lanes = fma(v, v, lanes)
    r = F32(1) / np.sqrt(tree(lanes) / F32(x.shape[-1]) + F32(eps))
    return weight * (x * r[..., None])


def exp(x):
    x = np.clip(x, F32(-88), F32(89))
    n = fma(x, F32(float.fromhex("0x1.715476p+0")), F32(12582912)) - F32(12582912)
    r = fma(n, F32(float.fromhex("-0x1.62e400p-1")), x)
    r = fma(n, F32(float.fromhex("-0x1.7f7d1cp-20")), r)
    p = np.full_like(r, 1.9875691500e-4)
    for c in (1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1):
        p = fma(p, r, F32(c))
    p = fma(p, r * r, r) + F32(1)
    return p * np.exp2(n.astype(F64) - 1).astype(F32) * F32(2)


def attention(q, k, v, start, stop, scale):
    """One head: q (queries, dim), k and v (keys, dim)."""
    s = product(q, k.T) * F32(scale)
    j = np.arange(k.shape[0])
    seen = (j >= start[:, None]) & (j < stop[:, None])
    top = np.where(seen, s, -np.inf).max(axis=1).astype(F32)
    e = np.where(seen, exp(np.where(seen, s - top[:, None], 0).astype(F32)), 0).astype(F32)
    total = np.zeros(len(q), F32)
    for i in j:
        total = total + e[:, i]
    return product(e, v) * (F32(1) / total)[:, None]
