"""Byte-level BPE: the tokenizer's rules, training, and encoding text as text.

Pre-tokenisation follows cl100k, which Olmo 3's tokenizer is built on (OLMo-core,
data/tokenizer.py), but splits digits singly, which small models need for arithmetic. All 256
bytes are in the vocabulary, so every text comes back as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
    r"|[^\r\n\p{L}\p{N}]?\p{L}+"
    r"|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+"
    r"|\s+(?!\S)"
    r"|\s+"
)
"""what a token may span at most (the regular expressions of the `tokenizers` library)"""
LONGEST_RUN = 1_000
"""characters without a break that training looks at together; encoding knows no such limit"""
_RUN = re.compile(rf"\S{{{LONGEST_RUN + 1},}}|\s{{{LONGEST_RUN + 1},}}")
_BATCH_BYTES = 1 << 20


def train(texts: Iterable[str], vocabulary: int, special_tokens: list[str]) -> Tokenizer:
    """Train a tokenizer of at most `vocabulary` tokens, special ones (ids 0, 1, ...) included.

    The result is a function of the multiset of texts: merges are chosen by count, ties by the
    ids of the pair, whatever the number of threads. Too little text gives a smaller vocabulary.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        show_progress=False,
        special_tokens=[AddedToken(t, special=True, normalized=False) for t in special_tokens],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    # Merging costs the square of a piece's length (github.com/huggingface/tokenizers, issues 86, 1206).
    pieces = (piece for text in texts for piece in cut_runs(text))
    tokenizer.train_from_iterator(pieces, trainer=trainer)
    return tokenizer


def cut_runs(text: str) -> Iterator[str]:
    """The text in parts in which no run without a break has over `LONGEST_RUN` characters.

    A run is of white space, or of anything else: no token spans both but by a space before a word
    or line ends behind it. Texts without such a run are one part.
    """
    done = 0
    for run in _RUN.finditer(text):
        for start in range(run.start(), run.end(), LONGEST_RUN):
            if start > done:
                yield text[done:start]
                done = start
    if done < len(text):
        yield text[done:]


def load(folder: Path) -> tuple[Tokenizer, dict[str, str]]:
    """The tokenizer of a folder, and its tokenizer_config.json.

    Every control token counts as special here, also those that a released tokenizer shows
    (`regrow.data.tokens.chat.SPOKEN`): so no text that spells one is read as one.
    """
    raw = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    for token in raw.get("added_tokens") or []:
        token["special"] = True
    tokenizer = Tokenizer.from_str(json.dumps(raw, ensure_ascii=False))
    config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    return tokenizer, config


def control(tokenizer: Tokenizer, config: dict[str, str], name: str) -> int:
    """The id of the control token that the config calls `name` (`eos_token`, `pad_token`).

    Raises:
        ValueError: the config does not name one, or the vocabulary lacks it.
    """
    token = config.get(name)
    number = None if token is None else tokenizer.token_to_id(token)
    if number is None:
        raise ValueError(
            f"tokenizer_config.json: {name} is {token!r}, which tokenizer.json does not know; "
            "rebuild the tokenizer"
        )
    return int(number)


def encode(tokenizer: Tokenizer, texts: Iterable[str]) -> Iterator[NDArray[np.uint16]]:
    """Token ids of each text, in order.

    A text that spells a special token, such as `<|endoftext|>`, gets the tokens of those
    characters: only the flow itself places control tokens.

    Raises:
        ValueError: the vocabulary does not fit uint16.
    """
    if tokenizer.get_vocab_size() > 1 << 16:
        raise ValueError(
            f"a vocabulary of {tokenizer.get_vocab_size()} does not fit 16-bit tokens; "
            "lower tokenizer.vocabulary to 65536 at most"
        )
    before, tokenizer.encode_special_tokens = tokenizer.encode_special_tokens, True
    try:
        for batch in _batches(texts):
            for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
                yield np.array(encoding.ids, dtype=np.uint16)
    finally:
        tokenizer.encode_special_tokens = before


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text)
        if size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
