"""How the process is set before anything is computed."""

from __future__ import annotations

import os

from regrow.numerics.torch import activate


def prepare() -> None:
    """Put fma32 in force, with one thread per process unless REGROW_THREADS says otherwise.

    More threads than free cores wait for each other, which costs more than a second thread
    can give; independent jobs side by side use the cores better.

    Raises:
        NumericsError: this machine cannot compute in fma32 (`regrow doctor` says why).
        ValueError: REGROW_THREADS is not a positive number.
    """
    text = os.environ.get("REGROW_THREADS", "1")
    if not text.isdigit() or int(text) < 1:
        raise ValueError(f"REGROW_THREADS is {text!r}: it must be a positive number, e.g. 1")
    activate(threads=int(text))
