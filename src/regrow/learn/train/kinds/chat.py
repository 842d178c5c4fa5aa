"""What kinds share that train on conversations: the name under a seed, the tokens that end an answer."""

from __future__ import annotations

from transformers import Olmo3Config


def seeded(name: str, seed: int) -> str:
    """The stage's name under a seed: seed 0 has the plain one."""
    return f"{name}_seed{seed}" if seed else name


def ends(config: Olmo3Config) -> tuple[int, int]:
    """End-of-text and padding token. Raises ValueError where the configuration names none."""
    eos, pad = config.eos_token_id, config.pad_token_id
    if not isinstance(eos, int) or not isinstance(pad, int):
        raise ValueError("config.json of the base must name one eos_token_id and one pad_token_id")
    return eos, pad
