"""A checkpoint as Hugging Face's libraries expect it: weights, configurations, tokenizer."""

from __future__ import annotations

import json
import math
import shutil
import struct
from pathlib import Path
from typing import Any

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
MAX_HEADER = 100_000_000
"""bytes, the limit of the safetensors format"""


def header(path: Path) -> dict[str, Any]:
    """The header of a safetensors file: tensor name -> dtype, shape, data_offsets.

    Raises:
        ValueError: the file is cut short or not in that format.
    """
    with path.open("rb") as handle:
        start = handle.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else MAX_HEADER + 1
        data = handle.read(length) if length <= MAX_HEADER else b""
    try:
        found = json.loads(data)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ValueError(f"{path.name}: not a safetensors file; rebuild the checkpoint")
    ends = [entry["data_offsets"][1] for name, entry in found.items() if name != "__metadata__"]
    if path.stat().st_size != 8 + length + max(ends, default=0):
        raise ValueError(f"{path.name}: cut short or too long; rebuild the checkpoint")
    return found


def parameters(path: Path) -> int:
    """Number of weights in a safetensors file."""
    tensors = (entry for name, entry in header(path).items() if name != "__metadata__")
    return sum(math.prod(entry["shape"]) for entry in tensors)


def generation_config(config: dict[str, Any], max_tokens: int) -> dict[str, Any]:
    """What `model.generate` does when nothing is asked: sample until the document ends."""
    tokens = {
        name: config[name]
        for name in ("bos_token_id", "eos_token_id", "pad_token_id")
        if config.get(name) is not None
    }
    return {
        **tokens,
        "do_sample": True,
        "temperature": 0.8,
        "max_new_tokens": max_tokens,
        "transformers_version": config.get("transformers_version", ""),
    }


def write_json(value: Any, path: Path) -> None:
    """JSON with sorted keys, two spaces, a final newline."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def export(checkpoint: Path, tokenizer: Path, output: Path) -> dict[str, Any]:
    """Copy weights, configuration and tokenizer to `output`; write `generation_config.json`.

    Returns the configuration.

    Raises:
        ValueError: a file is missing or damaged.
    """
    for folder, name in (
        (checkpoint, "config.json"),
        (checkpoint, "model.safetensors"),
        (tokenizer, "tokenizer.json"),
    ):
        if not (folder / name).is_file():
            raise ValueError(f"{folder.name}/{name}: missing; rebuild the step that writes it")
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    found = header(checkpoint / "model.safetensors")
    if found.get("__metadata__", {}).get("format") != "pt":
        raise ValueError(
            "model.safetensors: its metadata lack format=pt, without which transformers does not "
            "load it; rebuild the checkpoint"
        )
    output.mkdir(parents=True, exist_ok=True)
    for name in ("model.safetensors", "config.json"):
        shutil.copyfile(checkpoint / name, output / name)
    for name in TOKENIZER_FILES:
        if (tokenizer / name).is_file():
            shutil.copyfile(tokenizer / name, output / name)
    length = int(config.get("max_position_embeddings") or 256)
    write_json(generation_config(config, max(1, length // 2)), output / "generation_config.json")
    return dict(config)
