"""A longer context by YaRN, on the full-attention layers only.

Source: Peng et al., "YaRN", arXiv 2309.00071; OLMo 3 report, section 3.6: the sliding-window
layers never see further than their window, and keep their rotary frequencies.
"""

from __future__ import annotations

import math
from typing import Any, cast

from transformers import Olmo3Config

from regrow.numerics import exact

_MARGIN = 1e-9


def extend(
    config: Olmo3Config, *, context: int, factor: float, beta_fast: float, beta_slow: float
) -> Olmo3Config:
    """A copy of `config` for `context` positions.

    Rotary parameters stay nested by layer type (a flat dictionary loses YaRN without a word), and
    the attention factor 0.1 ln(factor) + 1 is written out, so that no C library's logarithm
    enters the model's arithmetic.

    Raises:
        ValueError: the context is not longer, the factor does not reach it, the model has YaRN
            already, or no layer has full attention.
    """
    before = int(config.max_position_embeddings)
    rope = cast(dict[str, dict[str, Any]], config.rope_parameters)
    full = dict(rope["full_attention"])
    if full["rope_type"] != "default":
        raise ValueError(f"the full-attention layers have rope_type {full['rope_type']} already")
    if "full_attention" not in (config.layer_types or ()):
        raise ValueError("YaRN is for full-attention layers, and the model has none")
    if not before < context <= factor * before:
        raise ValueError(
            f"longcontext.context ({context}) must be longer than the {before} positions of the "
            f"model and at most longcontext.yarn_factor ({factor}) times as many"
        )
    _check_ramp(config, full["rope_theta"], before, beta_fast, beta_slow)
    full |= {
        "rope_type": "yarn",
        "factor": factor,
        "original_max_position_embeddings": before,
        "attention_factor": attention_factor(factor),
        "beta_fast": beta_fast,
        "beta_slow": beta_slow,
    }
    values = config.to_dict()
    values["max_position_embeddings"] = context
    values["rope_parameters"] = {
        "full_attention": full,
        "sliding_attention": dict(rope["sliding_attention"]),
    }
    return Olmo3Config.from_dict(values)


def attention_factor(factor: float) -> float:
    """0.1 ln(factor) + 1: scales queries and keys (YaRN, equation 22)."""
    return 0.1 * float(exact.log(factor)) + 1.0


def _check_ramp(
    config: Olmo3Config, theta: float, positions: int, beta_fast: float, beta_slow: float
) -> None:
    """Refuse a ramp whose ends, rounded to whole dimensions, depend on a logarithm's last bit."""
    dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    for name, turns in (("yarn_beta_fast", beta_fast), ("yarn_beta_slow", beta_slow)):
        at = dim * math.log(positions / (turns * 2 * math.pi)) / (2 * math.log(theta))
        if abs(at - round(at)) < _MARGIN:
            raise ValueError(
                f"longcontext.{name} ({turns}) puts an end of the ramp on a whole dimension, where "
                "its rounding is not the same on every machine: change it a little"
            )
