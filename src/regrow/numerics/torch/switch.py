"""Switching fma32 on for a process."""

from __future__ import annotations

import os
import sys

from regrow.numerics.library import NumericsError

_done = False


def activate(threads: int = 1) -> None:
    """Put fma32 in force in this process: overrides, threads, then a check against known hashes.

    Best called before torch is imported (torch's own vector width is then fixed as well, which
    only operators outside fma32 can notice) and before a model is built. May be called again, to
    change the number of threads, which is no part of the arithmetic.

    Raises:
        NumericsError: the processor lacks AVX2 or FMA, or the check finds other bits.
        BuildError: the kernels are not built and cannot be.
    """
    global _done
    if "torch" not in sys.modules:
        os.environ.setdefault("ATEN_CPU_CAPABILITY", "avx2")
        os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
    import torch

    from regrow.numerics.torch import aten, kernels, selfcheck

    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)
    kernels.set_threads(threads)
    aten.override()
    if not _done:
        selfcheck.check()
    _done = True


def active() -> bool:
    """Whether `activate` has succeeded in this process."""
    return _done


def require() -> None:
    """Raise NumericsError unless fma32 is in force."""
    if not _done:
        raise NumericsError("fma32 is not in force: call regrow.numerics.torch.activate() first")
