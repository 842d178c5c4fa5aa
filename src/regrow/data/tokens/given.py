"""The tokenizer step where one is given: its vocabulary as it is, with the control tokens that the flow needs."""

from __future__ import annotations

import heapq
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer

from regrow.data.tables import groups
from regrow.data.tokens.train import by_domain, config, write
from regrow.params.data import Tokenizer as Params

MOST = 65_536
"""tokens: they are stored in two bytes"""
TRIED = 50
"""documents that must come back as they were; those that do not are counted"""


def run(inputs: dict[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Fill `output` with tokenizer.json, tokenizer_config.json and stats.json.

    A control token of `tokenizer.special_tokens` that the vocabulary lacks is added behind it; ids that are there
    stay as they are.

    Raises:
        ValueError: no tokenizer of the `tokenizers` library, one that adds tokens of its own to a text, does not give
            a text back, or is too large to be stored in two bytes a token.
    """
    p: Params = params.tokenizer
    path = inputs["given"]
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises Exception itself
        raise ValueError(f"{path}: no tokenizer.json of the tokenizers library: {error}") from None
    tokenizer.no_padding()
    tokenizer.no_truncation()
    before = tokenizer.get_vocab_size()
    added = [token for token in p.special_tokens if tokenizer.token_to_id(token) is None]
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in added])
    size = tokenizer.get_vocab_size()
    if size > MOST:
        raise ValueError(
            f"{path}: {size:,} tokens with the {len(added)} control tokens that it lacks; {MOST:,} fit into two bytes."
        )
    train, heldout = (inputs["decontaminate"] / f"{name}.parquet" for name in ("train", "heldout"))
    lossy = _lossy(tokenizer, _first(train), path)
    output.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(output / "tokenizer.json"), pretty=True)
    write(output / "tokenizer_config.json", config(p))
    columns = ["domain", "text"]
    stats = {
        "vocabulary": size,
        "given": before,
        "added": added,
        "mix": by_domain(tokenizer, groups.frames(train, columns)),
        "heldout": by_domain(tokenizer, groups.frames(heldout, columns)),
    }
    write(output / "stats.json", stats)
    return {"vocabulary": size, "given": before, "added": len(added), "lossy": lossy}


def _first(table: Path) -> list[str]:
    """The texts of the documents with the lowest ids."""
    rows = (row for frame in groups.frames(table, ["id", "text"]) for row in frame.iter_rows())
    return [text for _, text in heapq.nsmallest(TRIED, rows)]


def _lossy(tokenizer: Tokenizer, texts: list[str], path: Path) -> int:
    """How many texts do not come back as they were.

    Raises:
        ValueError: ids of special tokens are put around a text.
    """
    plain = tokenizer.encode("a", add_special_tokens=False).ids
    if tokenizer.encode("a").ids != plain:
        raise ValueError(
            f"{path}: its post-processor adds tokens around every text; the flow places control tokens itself. Fix: "
            'set "post_processor" to null in the file.'
        )
    encoded = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    back = tokenizer.decode_batch(encoded, skip_special_tokens=False)
    return sum(a != b for a, b in zip(texts, back, strict=True))
