"""The pack step: documents to token sequences by concatenation and cutting (as in Olmo 3).

Every instance ends with the end-of-document token; instances follow each other in a keyed
order; the stream is cut into sequences of one length, and what is left over at its end is
dropped and counted.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import conserved
from regrow.data.tokens import bpe, stream
from regrow.data.tokens.instances import ordered
from regrow.params.data import Pack

_REPORT_EVERY = 500


def run(inputs: dict[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Fill `output` with tokens.bin, index.parquet and meta.json.

    Raises:
        ValueError: the mix does not fill one sequence.
    """
    p: Pack = params.pack
    tokenizer, config = bpe.load(inputs["tokenizer"])
    eos = bpe.control(tokenizer, config, "eos_token")
    mix = tables.read(inputs["mix"] / "mix.parquet", ["id", "repeats"]).filter(
        pl.col("repeats") > 0
    )
    documents = tables.read(inputs["decontaminate"] / "train.parquet", ["id", "text"])
    documents = documents.join(mix, on="id", how="semi").sort("id")
    encoded: dict[str, NDArray[np.uint16]] = {}
    tokens_of = bpe.encode(tokenizer, documents["text"].to_list())
    for i, (identity, tokens) in enumerate(zip(documents["id"].to_list(), tokens_of, strict=True)):
        encoded[identity] = np.append(tokens, np.uint16(eos))
        if i % _REPORT_EVERY == 0:
            print(f"  tokenised {i}/{documents.height} documents", file=sys.stderr)

    conserved("pack", "documents of the mix", mix["id"], encoded, ())
    pairs = zip(mix["id"].to_list(), mix["repeats"].to_list(), strict=True)
    order = ordered(pairs, f"pack {p.seed}")
    try:
        meta = stream.write(output, order, encoded, p.sequence_length, tokenizer, config)
    except stream.TooShort as error:
        raise ValueError(
            f"the mix holds {error.tokens} tokens, less than one sequence of {p.sequence_length}: "
            "raise mix.tokens (or lower pack.sequence_length), and see drops.parquet of the "
            "steps before for documents that were lost."
        ) from None
    told = ("instances", "sequences", "tokens", "dropped_tail_tokens", "dropped_tail_instances")
    return {"documents": len(encoded), **{k: meta[k] for k in told}}
