"""How torch is set before anything is computed."""

from __future__ import annotations

import os

import torch


def prepare() -> None:
    """Deterministic kernels, and one thread per process unless REGROW_THREADS says otherwise.

    More threads than free cores make OpenMP spin at its barriers, which costs far more than
    a second thread can give; independent jobs side by side use the cores better.
    """
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.set_num_threads(int(os.environ.get("REGROW_THREADS", "1")))
