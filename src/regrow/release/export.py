"""A checkpoint as Hugging Face's libraries expect it: weights, configurations, tokenizer."""

from __future__ import annotations

import json
import math
import shutil
import struct
from pathlib import Path
from typing import Any

from regrow.data.tokens.chat import SPOKEN

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
TURN_END = "<|end|>"
"""of a turn in the chat template"""
LICENCES = Path(__file__).parent / "licences"
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


def token_id(tokenizer: Path, token: str) -> int | None:
    """The id of a special token in a tokenizer's folder, None where it has none of that name."""
    raw = json.loads((tokenizer / "tokenizer.json").read_text(encoding="utf-8"))
    for entry in raw.get("added_tokens") or []:
        if entry.get("content") == token:
            return int(entry["id"])
    return None


def generation_config(
    config: dict[str, Any], max_tokens: int, end: int | None = None
) -> dict[str, Any]:
    """What `model.generate` does when nothing is asked.

    A base model samples until the document ends. A model that chats also stops at the end of
    its turn (token `end`).
    """
    tokens = {
        name: config[name]
        for name in ("bos_token_id", "eos_token_id", "pad_token_id")
        if config.get(name) is not None
    }
    if end is not None:
        eos = tokens.get("eos_token_id")
        known = eos if isinstance(eos, list) else [] if eos is None else [eos]
        tokens["eos_token_id"] = [end, *(token for token in known if token != end)]
    return {
        **tokens,
        "do_sample": True,
        "temperature": 0.8 if end is None else 0.6,
        "max_new_tokens": max_tokens,
        "transformers_version": config.get("transformers_version", ""),
    }


def write_json(value: Any, path: Path) -> None:
    """JSON with sorted keys, two spaces, a final newline."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def export(checkpoint: Path, tokenizer: Path, output: Path, *, chats: bool) -> dict[str, Any]:
    """Copy weights, configuration and tokenizer to `output`; write `generation_config.json`.

    The tokenizer says how much the model reads (`model_max_length`) and shows the tags of thinking and
    calls. That of a model that does not chat (`chats` false) loses its chat template: programs take a
    template for a promise.

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
    end = token_id(tokenizer, TURN_END) if chats else None
    if chats and end is None:
        raise ValueError(
            f"{tokenizer.name}/tokenizer.json: has no token {TURN_END}, which ends an answer; "
            "add it to tokenizer.special_tokens"
        )
    output.mkdir(parents=True, exist_ok=True)
    for name in ("model.safetensors", "config.json"):
        shutil.copyfile(checkpoint / name, output / name)
    length = int(config.get("max_position_embeddings") or 256)
    for name in TOKENIZER_FILES:
        if (tokenizer / name).is_file():
            shutil.copyfile(tokenizer / name, output / name)
    _show_spoken(output / "tokenizer.json")
    _configure(output / "tokenizer_config.json", length, chats=chats)
    write_json(
        generation_config(config, max(1, length // 2), end), output / "generation_config.json"
    )
    return dict(config)


def _show_spoken(path: Path) -> None:
    """Mark the tags of thinking and of calls as not special: whoever skips special tokens sees them.

    So `pipeline` and servers, which skip them by default, do not run trace and answer together.
    """
    raw = json.loads(path.read_text(encoding="utf-8"))
    for token in raw.get("added_tokens") or []:
        if token.get("content") in SPOKEN:
            token["special"] = False
    path.write_text(json.dumps(raw, indent=2, ensure_ascii=False), encoding="utf-8")


def _configure(path: Path, length: int, *, chats: bool) -> None:
    """The tokenizer's configuration of a release: its longest input, the shown tags, the chat template."""
    if not path.is_file():
        return
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["model_max_length"] = length
    special = raw.get("additional_special_tokens")
    if isinstance(special, list):
        raw["additional_special_tokens"] = [name for name in special if name not in SPOKEN]
    if not chats:
        raw.pop("chat_template", None)
    write_json(raw, path)


def licence(identifier: str) -> str:
    """The text of the file `LICENSE` for weights under an SPDX licence.

    The whole text where the package has it, else a notice that names the licence.
    """
    path = LICENCES / f"{identifier}.txt"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    return (
        f"SPDX-License-Identifier: {identifier}\n\nThe weights are licensed under {identifier}.\n"
    )
