"""Keeps lm-eval and its libraries from the network and from drawing progress bars."""

from __future__ import annotations

import os


def prepare() -> None:
    """Set what lm-eval, datasets and tqdm read when they are first imported; call it before that."""
    os.environ.update(
        HF_HUB_OFFLINE="1",
        HF_DATASETS_OFFLINE="1",
        HF_HUB_DISABLE_TELEMETRY="1",
        HF_DATASETS_DISABLE_PROGRESS_BARS="1",
        TQDM_DISABLE="1",
    )
