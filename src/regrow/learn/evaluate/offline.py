"""Keeps lm-eval and its libraries from the network, from progress bars, and from idle imports."""

from __future__ import annotations

import os
import sys

IDLE = ("sklearn", "scipy", "accelerate")
"""imported by transformers wherever they are installed, for assisted generation, object detection
and spreading a model over devices"""


def prepare() -> None:
    """Set what lm-eval, datasets and tqdm read when they are first imported; call it before that."""
    os.environ.update(
        HF_HUB_OFFLINE="1",
        HF_DATASETS_OFFLINE="1",
        HF_HUB_DISABLE_TELEMETRY="1",
        HF_DATASETS_DISABLE_PROGRESS_BARS="1",
        TQDM_DISABLE="1",
    )


def import_model_class() -> None:
    """Import transformers' Olmo3 without the libraries in IDLE: 3 of 6.5 CPU seconds of start-up.

    They stay importable afterwards. Does nothing where transformers is imported already.
    """
    if "transformers" in sys.modules:
        return
    hidden = [name for name in IDLE if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        from transformers import Olmo3ForCausalLM  # noqa: F401
    finally:
        for name in hidden:
            del sys.modules[name]
