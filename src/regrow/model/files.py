"""Models on disk, in the format that `transformers.AutoModelForCausalLM` reads."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import Olmo3Config, Olmo3ForCausalLM

from regrow.model.build import empty

WEIGHTS = "model.safetensors"
CONFIG = "config.json"


def weights(model: Olmo3ForCausalLM) -> dict[str, torch.Tensor]:
    """The weights by name, sorted; a tied head is left out, as `transformers` does."""
    return {name: p.detach() for name, p in sorted(model.named_parameters())}


def save(model: Olmo3ForCausalLM, folder: Path) -> None:
    """Write `model.safetensors` and `config.json`: bytes that depend on the model alone."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.contiguous() for name, value in weights(model).items()}
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    (folder / WEIGHTS).chmod(0o644)
    text = model.config.to_json_string(use_diff=True).rstrip("\n") + "\n"
    (folder / CONFIG).write_text(text, encoding="utf-8")


def load_config(folder: Path) -> Olmo3Config:
    """The configuration of a saved model."""
    return Olmo3Config.from_json_file(folder / CONFIG)


@torch.no_grad()
def load_weights(model: Olmo3ForCausalLM, folder: Path) -> None:
    """Overwrite the weights of `model` by those in `folder`.

    Raises:
        ValueError: the file has other tensors or shapes than the model.
    """
    path = folder / WEIGHTS
    stored = load_file(path)
    own = weights(model)
    if stored.keys() != own.keys():
        odd = sorted(stored.keys() ^ own.keys())
        raise ValueError(f"{path}: tensors do not fit the model's configuration, e.g. {odd[0]}")
    for name, weight in own.items():
        if stored[name].shape != weight.shape:
            raise ValueError(
                f"{path}: {name} has shape {tuple(stored[name].shape)}, "
                f"the configuration asks for {tuple(weight.shape)}"
            )
        weight.copy_(stored[name])


def load(folder: Path) -> Olmo3ForCausalLM:
    """The model in `folder`, in float32, in evaluation mode, with eager attention."""
    model = empty(load_config(folder))
    load_weights(model, folder)
    return model.eval()
