"""The native kernels as functions: built on first use, chosen by what the processor offers."""

from __future__ import annotations

import ctypes
import functools
import os
from pathlib import Path

from regrow.numerics.build import BuildError, build

FMA32 = "fma32"

_I, _P, _D = ctypes.c_int64, ctypes.c_void_p, ctypes.c_double
_SHORT = {"i": _I, "p": _P, "d": _D, "c": ctypes.c_int}
_SIGNATURES = {
    "threads": "c",
    "gemm": "iiii piii piii pii ci",
    "exp": "ipp",
    "log": "ipp",
    "sqrt": "ipp",
    "rsqrt": "ipp",
    "sigmoid": "ipp",
    "tanh": "ipp",
    "silu": "ipp",
    "sin": "ipp",
    "cos": "ipp",
    "pow": "ipipip",
    "silu_backward": "ippp",
    "swiglu": "ippp",
    "swiglu_backward": "ipppp p",
    "adamw": "ipppp ddddd i",
    "rope": "iiii piii piii ppi d",
    "sum": "iipp",
    "softmax": "iippc",
    "softmax_backward": "iipppc",
    "norm": "iippp d pp",
    "norm_backward": "iipppppp",
    "entropy": "iippi dd ppp",
    "total": "ippp",
    "picked_backward": "iippppip",
    "embedding_backward": "iiippip",
    "attention": "iiiiii pp pp pp ppi d ppp",
    "attention_backward": "iiiiii pp pp pp ppi d pp pp ppp",
    "orthogonalise": "iippi",
    "muon": "iippp ddd i",
    "squares": "ipdpp",
    "largest": "ip",
    "decode": "pippp ipp",
    "uniform": "ippp",
    "draw": "iipdpp",
}
_RESULTS: dict[str, type[ctypes.c_float] | type[ctypes.c_int64]] = {
    "largest": ctypes.c_float,
    "decode": ctypes.c_int64,
}


class NumericsError(RuntimeError):
    """The arithmetic of a numerics class is not to be had, or not in force."""


@functools.cache
def _cpu_level() -> int:
    library = ctypes.CDLL(str(build() / "cpu.so"))
    return int(library.regrow_cpu())


def supported() -> tuple[str, ...]:
    """Instruction sets with kernels that this processor can run, slowest first.

    Raises:
        BuildError: the kernels are not built and cannot be.
    """
    return ("avx2", "avx512")[: _cpu_level()]


def chosen() -> str:
    """The instruction set in use: the best one, or that of the variable REGROW_ISA.

    Raises:
        NumericsError: the processor lacks AVX2 or FMA, or the one asked for.
    """
    able = supported()
    if not able:
        raise NumericsError(
            "this processor has no AVX2 and FMA, which the numerics class fma32 needs "
            "(Intel from 2013, AMD from 2015; in a virtual machine they may be hidden: start it "
            "with the host's CPU)"
        )
    wanted = os.environ.get("REGROW_ISA") or able[-1]
    if wanted not in able:
        raise NumericsError(f"REGROW_ISA={wanted}: this processor runs {' and '.join(able)}")
    return wanted


class Kernels:
    """The functions of one built library, as attributes without their `regrow_` prefix.

    Pointers are passed as integers; the caller keeps the memory alive and of the right shape.
    """

    def __init__(self, path: Path) -> None:
        library = ctypes.CDLL(str(path))
        for name, letters in _SIGNATURES.items():
            function = getattr(library, f"regrow_{name}")
            function.argtypes = [_SHORT[letter] for letter in letters.replace(" ", "")]
            function.restype = _RESULTS.get(name)
            setattr(self, name, function)

    def __getattr__(self, name: str) -> ctypes._NamedFuncPointer:
        raise AttributeError(f"no native kernel named {name}")


@functools.cache
def kernels(isa: str | None = None) -> Kernels:
    """The kernels for `isa` ("avx2" or "avx512"; default: see `chosen`).

    Raises:
        NumericsError: see `chosen`.
        BuildError: see `regrow.numerics.build.build`.
    """
    return Kernels(build() / f"{isa or chosen()}.so")


def available_class() -> tuple[str | None, str]:
    """The numerics class that this machine can certify, and the instruction set or the reason.

    ("fma32", "avx512"), ("fma32", "avx2"), or (None, why not). Imports no torch.
    """
    try:
        return FMA32, chosen()
    except (BuildError, NumericsError, OSError) as error:
        return None, str(error)
