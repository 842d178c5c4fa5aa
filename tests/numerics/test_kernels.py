"""The native kernels against the definition, and against each other, bit for bit."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

import exact_reference as reference

F32 = np.float32


def numbers(rng, *shape):
    return rng.standard_normal(shape).astype(F32)


def address(x):
    return x.ctypes.data


def gemm(kernels, a, b, start=None, cuts=1):
    batch, m, k = a.shape
    n = b.shape[2]
    c = np.full((batch, m, n), np.nan, F32) if start is None else start.copy()
    (ab, ar, ac), (bb, br, bc) = ([s // 4 for s in x.strides] for x in (a, b))
    kernels.gemm(
        *(batch, m, n, k, address(a), ab, ar, ac, address(b), bb, br, bc),
        *(address(c), m * n, n, start is not None, cuts),
    )
    return c


def laid_out(rng, batch, rows, columns, turned):
    if turned:
        return numbers(rng, batch, columns, rows).transpose(0, 2, 1)
    return numbers(rng, batch, rows, columns)


SHAPES = [(1, 1, 1), (1, 5, 0), (7, 17, 3), (8, 33, 40), (12, 32, 16), (13, 31, 257), (49, 70, 300)]
SHAPES += [(2, 100, 513), (100, 3, 64), (5, 48, 47), (3, 1, 600)]


@pytest.mark.parametrize("turned", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("m,n,k", SHAPES)
def test_a_product_is_one_chain_per_element(variants, m, n, k, turned):
    rng = np.random.default_rng(m * 1000 + n * 10 + k)
    a, b = laid_out(rng, 2, m, k, turned[0]), laid_out(rng, 2, k, n, turned[1])
    want = np.stack([reference.product(x, y) for x, y in zip(a, b, strict=True)])
    start = numbers(rng, 2, m, n)
    onward = np.stack([reference.product(x, y, s) for x, y, s in zip(a, b, start, strict=True)])
    for name, kernels in variants.items():
        assert np.array_equal(gemm(kernels, a, b), want), name
        assert np.array_equal(gemm(kernels, a, b, start), onward), name


def test_random_shapes_variants_threads_and_rows_agree(variants):
    rng = np.random.default_rng(0)
    for _ in range(200):
        m, n, k = (int(rng.integers(1, top)) for top in (70, 120, 700))
        a = laid_out(rng, 1, m, k, rng.integers(2))
        b = laid_out(rng, 1, k, n, rng.integers(2))
        want = gemm(variants["avx2"], a, b)
        row = int(rng.integers(m))
        for name, kernels in variants.items():
            assert np.array_equal(gemm(kernels, a, b), want), (name, m, n, k)
            assert np.array_equal(gemm(kernels, a[:, row : row + 1], b)[0, 0], want[0, row]), name
            kernels.threads(2)
            assert np.array_equal(gemm(kernels, a, b, cuts=3), want), (name, "threads", m, n, k)
            kernels.threads(1)


@pytest.mark.parametrize("count", [1, 15, 16, 100, 5000])
def test_exp_is_the_defined_one_and_near_the_true_one(variants, count):
    x = (np.random.default_rng(count).uniform(-86.6, 88, count)).astype(F32)
    for name, kernels in variants.items():
        y = np.empty_like(x)
        kernels.exp(count, address(x), address(y))
        assert np.array_equal(y, reference.exp(x)), name
        assert np.allclose(y, np.exp(x.astype(float)), rtol=2.5e-7, atol=0), name


def test_special_values(variants):
    inf, nan = np.inf, np.nan
    cases = {
        "exp": ([-inf, -87.4, 0, 89, inf, nan], [0, 0, 1, inf, inf, nan]),
        "log": ([-1, 0, 1, inf, nan, 1e-41], [nan, -inf, 0, inf, nan, np.log(F32(1e-41))]),
        "sigmoid": ([-inf, 0, inf, nan], [0, 0.5, 1, nan]),
        "tanh": ([-inf, 0, inf, nan], [-1, 0, 1, nan]),
        "cos": ([0, inf, nan], [1, nan, nan]),
    }
    for kernels in variants.values():
        for name, (given, want) in cases.items():
            x, y = np.array(given, F32), np.empty(len(given), F32)
            getattr(kernels, name)(len(x), address(x), address(y))
            assert np.allclose(y, np.array(want, F32), rtol=1e-6, equal_nan=True), name


@pytest.mark.parametrize("name", ["log", "sqrt", "rsqrt", "sigmoid", "tanh", "silu", "sin", "cos"])
def test_elementary_functions_are_accurate_and_alike(variants, name):
    x = np.random.default_rng(1).uniform(-30, 30, 3001)
    x = (np.abs(x) if name in ("log", "sqrt", "rsqrt") else x).astype(F32)
    d = x.astype(float)
    true = {
        "log": np.log,
        "sqrt": np.sqrt,
        "rsqrt": lambda v: 1 / np.sqrt(v),
        "sigmoid": lambda v: 1 / (1 + np.exp(-v)),
        "tanh": np.tanh,
        "silu": lambda v: v / (1 + np.exp(-v)),
        "sin": np.sin,
        "cos": np.cos,
    }[name](d)
    results = []
    for kernels in variants.values():
        y = np.empty_like(x)
        getattr(kernels, name)(len(x), address(x), address(y))
        results.append(y)
    assert np.allclose(results[0], true, rtol=6e-7, atol=1e-7)
    assert all(np.array_equal(results[0], y) for y in results)


def test_power(variants):
    x, y = np.array([5e5] * 50, F32), np.linspace(-3, 3, 50, dtype=F32)
    out = np.empty_like(x)
    variants["avx2"].pow(50, address(x), 1, address(y), 1, address(out))
    assert np.array_equal(out, (x.astype(float) ** y.astype(float)).astype(F32))


@pytest.mark.parametrize("n", [1, 16, 100, 333])
def test_row_sums_and_norms_are_the_defined_ones(variants, n):
    rng = np.random.default_rng(n)
    x, weight = numbers(rng, 5, n), numbers(rng, n)
    for name, kernels in variants.items():
        sums, y, r = np.empty(5, F32), np.empty_like(x), np.empty(5, F32)
        kernels.sum(5, n, address(x), address(sums))
        assert np.array_equal(sums, reference.sums(x)), name
        kernels.norm(5, n, address(x), address(weight), None, 1e-6, address(y), address(r))
        assert np.array_equal(y, reference.rms_norm(x, weight, 1e-6)), name


def attention(kernels, q, k, v, start, stop, scale):
    batch, heads, tq, dim = q.shape
    strides = [(ctypes.c_int64 * 3)(*(s // 4 for s in x.strides[:3])) for x in (q, k, v)]
    out = np.empty((batch, tq, heads, dim), F32)
    top, inverse = np.empty((batch, heads, tq), F32), np.empty((batch, heads, tq), F32)
    kernels.attention(
        *(batch, heads, heads // k.shape[1], tq, k.shape[2], dim),
        *(address(q), strides[0], address(k), strides[1], address(v), strides[2]),
        *(address(start), address(stop), 0 if len(start) == 1 else tq, scale),
        *(address(out), address(top), address(inverse)),
    )
    return out


@pytest.mark.parametrize(
    "tq,tk,window,dim", [(70, 70, 70, 32), (70, 70, 20, 8), (33, 90, 40, 24), (3, 50, 17, 16)]
)
def test_attention_is_the_defined_one(variants, tq, tk, window, dim):
    rng = np.random.default_rng(tq + dim)
    q, k, v = numbers(rng, 2, 4, tq, dim), numbers(rng, 2, 2, tk, dim), numbers(rng, 2, 2, tk, dim)
    stop = np.arange(tk - tq + 1, tk + 1, dtype=np.int32)[None]
    start = np.maximum(stop - window, 0).astype(np.int32)
    for name, kernels in variants.items():
        out = attention(kernels, q, k, v, start, stop, 0.25)
        for b in range(2):
            for h in range(4):
                want = reference.attention(
                    q[b, h], k[b, h // 2], v[b, h // 2], start[0], stop[0], 0.25
                )
                assert np.array_equal(out[b, :, h], want), (name, b, h)


def test_sums_of_squares_do_not_depend_on_the_cut(variants):
    x = numbers(np.random.default_rng(3), 30011) * F32(0.01)
    exact = sum(round(float(v) ** 2 * 2**50) for v in x)

    def squares(part, kernels):
        high, low = ctypes.c_int64(), ctypes.c_uint64()
        kernels.squares(len(part), address(part), 1.0, ctypes.byref(high), ctypes.byref(low))
        return (high.value << 64) + low.value

    for kernels in variants.values():
        assert squares(x, kernels) == exact
        assert sum(squares(p.copy(), kernels) for p in np.array_split(x, 7)) == exact


def test_the_variable_chooses_the_kernels_and_nonsense_is_refused(monkeypatch):
    from regrow.numerics import library

    monkeypatch.setenv("REGROW_ISA", "avx2")
    assert library.available_class() == ("fma32", "avx2")
    monkeypatch.setenv("REGROW_ISA", "sse")
    name, why = library.available_class()
    assert name is None and "REGROW_ISA=sse" in why


def test_a_missing_compiler_is_named(monkeypatch):
    import importlib.metadata

    from regrow.numerics import build

    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    with pytest.raises(build.BuildError, match="ziglang"):
        build.build()
