"""The pack step: documents to token sequences by concatenation and cutting (as in Olmo 3).

Every instance ends with the end-of-document token; instances follow each other in a keyed
order; the stream is cut into sequences of one length, and what is left over at its end is
dropped and counted.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np
import polars as pl
from tokenizers import Tokenizer

from regrow.data.tables import groups
from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import balanced
from regrow.data.tokens import bpe, stream
from regrow.data.tokens.instances import arranged
from regrow.data.tokens.stored import Stored, encoded
from regrow.params.data import Pack

_REPORT_EVERY = 500


def run(inputs: dict[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Fill `output` with tokens.bin, index.parquet and meta.json.

    Texts are read a row group at a time. Their tokens wait in a file without a name in `output`, which takes two
    bytes a token, until they are written in the order of the pack. What is held of a document and of each of its
    repeats is its id and numbers, about 200 bytes.

    Raises:
        ValueError: the mix does not fill one sequence.
    """
    p: Pack = params.pack
    tokenizer, config = bpe.load(inputs["tokenizer"])
    eos = bpe.control(tokenizer, config, "eos_token")
    mix = tables.read(inputs["mix"] / "mix.parquet", ["id", "repeats"])
    mix = mix.filter(pl.col("repeats") > 0).sort("id")
    ids, repeats = mix["id"], mix["repeats"].to_numpy()
    output.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=output) as file:
        documents = _tokenised(inputs["decontaminate"] / "train.parquet", ids, tokenizer, eos, file)
        order = arranged(ids, repeats, f"pack {p.seed}")
        try:
            meta = stream.assemble(output, order, documents, p.sequence_length, tokenizer, config)
        except stream.TooShort as error:
            raise ValueError(
                f"the mix holds {error.tokens} tokens, less than one sequence of {p.sequence_length}: "
                "raise mix.tokens (or lower pack.sequence_length), and see drops.parquet of the "
                "steps before for documents that were lost."
            ) from None
    parts = {name: int(meta[name]) for name in ("instances", "dropped_tail_instances")}
    balanced("pack", "instances of the mix", int(repeats.sum()), **parts)
    told = ("instances", "sequences", "tokens", "dropped_tail_tokens", "dropped_tail_instances")
    return {"documents": ids.len(), **{k: meta[k] for k in told}}


def _tokenised(
    table: Path, ids: pl.Series, tokenizer: Tokenizer, eos: int, file: IO[bytes]
) -> Stored:
    """The documents `ids` of the table, tokenised in its order, each with the end-of-document token."""
    stored = Stored(file, ids)
    times = np.zeros(ids.len(), dtype=np.int32)
    for i, (row, tokens) in enumerate(encoded(tokenizer, _texts(table, ids))):
        stored.add(row, np.append(tokens, np.uint16(eos)))
        times[row] += 1
        if i % _REPORT_EVERY == 0:
            print(f"  tokenised {i}/{ids.len()} documents", file=sys.stderr)
    groups.each_once("pack", "documents of the mix", ids, times)
    return stored


def _texts(table: Path, ids: pl.Series) -> Iterator[tuple[int, str]]:
    for frame in groups.frames_of(table, ["text"], ids):
        yield from zip(frame["row"], frame["text"], strict=True)
