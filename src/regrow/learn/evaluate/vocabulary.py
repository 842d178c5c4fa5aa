"""Text to token ids and back, as evaluation needs it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer
from transformers import Olmo3ForCausalLM


def end_token(model: Olmo3ForCausalLM) -> int:
    """The token that ends a document in this model's training, and so stands before the first.

    Raises:
        ValueError: the configuration names none.
    """
    eos = model.config.eos_token_id
    if isinstance(eos, list):
        eos = eos[0] if eos else None
    if eos is None:
        raise ValueError("config.json: eos_token_id is missing; name the end-of-document token")
    return int(eos)


class Vocabulary:
    """The tokenizer in a folder with `tokenizer.json`.

    Special tokens that are spelt out in a text are plain text: a held-out document
    must not be able to end itself.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / "tokenizer.json"
        if not path.is_file():
            raise FileNotFoundError(f"{path}: missing; a tokenizer folder holds tokenizer.json")
        self.tokenizer = Tokenizer.from_file(str(path))
        self.tokenizer.encode_special_tokens = True
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`, nothing added."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def encode_with_ends(self, text: str) -> tuple[list[int], list[int]]:
        """Token ids of `text`, and the character behind each token's last."""
        found = self.tokenizer.encode(text, add_special_tokens=False)
        return list(found.ids), [end for _, end in found.offsets]

    def decode(self, ids: Sequence[int]) -> str:
        """Text of `ids` without special tokens; broken UTF-8 becomes U+FFFD."""
        text: str = self.tokenizer.decode(list(ids), skip_special_tokens=True)
        return text
