"""Models on disk, in the format that `transformers.AutoModelForCausalLM` reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import Olmo3Config, Olmo3ForCausalLM

from regrow.learn.model.build import empty

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
    """The configuration of a saved model, of whatever precision, as one of float32.

    Everything here computes in float32, whatever the weights were stored in.

    Raises:
        ValueError: it is not the configuration of an Olmo 3 model.
    """
    path = folder / CONFIG
    try:
        found: Any = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: not JSON: {error}") from None
    kind = found.get("model_type") if isinstance(found, dict) else None
    if kind != Olmo3Config.model_type:
        raise ValueError(
            f"{path}: model_type is {kind!r}; Regrow trains, evaluates and samples "
            f"{Olmo3Config.model_type!r} only. Convert the model, or start from an Olmo 3 checkpoint"
        )
    config = Olmo3Config.from_json_file(path)
    config.dtype = torch.float32
    return config


def read(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file.

    Raises:
        ValueError: it is cut or damaged, or something else.
    """
    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path}: damaged, or not a safetensors file: {error}") from None


@torch.no_grad()
def load_weights(model: Olmo3ForCausalLM, folder: Path) -> None:
    """Overwrite the weights of `model` by those in `folder`, of any floating type.

    Raises:
        ValueError: the file is damaged, has other tensors or shapes than the model, tensors of
            another than a floating type, or values that are not finite.
    """
    path = folder / WEIGHTS
    stored = read(path)
    own = weights(model)
    if stored.keys() != own.keys():
        odd = sorted(stored.keys() ^ own.keys())
        raise ValueError(f"{path}: tensors do not fit the model's configuration, e.g. {odd[0]}")
    for name, weight in own.items():
        _fits(path, name, stored[name], weight)
        weight.copy_(stored[name])


def _fits(path: Path, name: str, found: torch.Tensor, weight: torch.Tensor) -> None:
    if found.shape != weight.shape:
        raise ValueError(
            f"{path}: {name} has shape {tuple(found.shape)}, "
            f"the configuration asks for {tuple(weight.shape)}"
        )
    if not found.is_floating_point():
        raise ValueError(f"{path}: {name} is {found.dtype}: quantised weights cannot be loaded")
    if not bool(torch.isfinite(found.to(torch.float32)).all()):
        raise ValueError(
            f"{path}: {name} holds NaN, infinity or what float32 cannot carry: the checkpoint is of no use"
        )


def load(folder: Path) -> Olmo3ForCausalLM:
    """The model in `folder`, in float32, in evaluation mode, with eager attention.

    Raises:
        ValueError: see `load_config` and `load_weights`.
    """
    model = empty(load_config(folder))
    load_weights(model, folder)
    return model.eval()
