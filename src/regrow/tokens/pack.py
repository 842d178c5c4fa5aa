"""The pack step: documents to token sequences by concatenation and cutting (as in Olmo 3).

Every instance ends with the end-of-document token; instances follow each other in a keyed
order; the stream is cut into sequences of one length, and what is left over at its end is
dropped and counted.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from regrow.params.data import Pack
from regrow.tables import parquet as tables
from regrow.tokens import bpe
from regrow.tokens.instances import Instance, ordered

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

    pairs = zip(mix["id"].to_list(), mix["repeats"].to_list(), strict=True)
    order = ordered(pairs, f"pack {p.seed}")
    stream = sum(len(encoded[instance.id]) for instance in order)
    sequences = stream // p.sequence_length
    if not sequences:
        raise ValueError(
            f"the mix holds {stream} tokens, less than one sequence of {p.sequence_length}: "
            "raise mix.tokens (or lower pack.sequence_length), and see drops.parquet of the "
            "steps before for documents that were lost."
        )
    length = sequences * p.sequence_length
    output.mkdir(parents=True, exist_ok=True)
    frame = _write(output / "tokens.bin", order, encoded, length)
    tables.write(frame, output / "index.parquet")
    meta = {
        "sequences": sequences,
        "sequence_length": p.sequence_length,
        "tokens": length,
        "vocabulary": tokenizer.get_vocab_size(),
        "eos": eos,
        "pad": bpe.control(tokenizer, config, "pad_token"),
        "instances": frame.height,
        "dropped_tail_tokens": stream - length,
        "dropped_tail_instances": len(order) - frame.height,
    }
    text = json.dumps(meta, indent=2, sort_keys=True) + "\n"
    (output / "meta.json").write_text(text, encoding="utf-8")
    return {
        "documents": len(encoded),
        **{k: meta[k] for k in ("instances", "sequences", "tokens", "dropped_tail_tokens")},
    }


def _write(
    path: Path, order: list[Instance], encoded: dict[str, NDArray[np.uint16]], length: int
) -> pl.DataFrame:
    """Write the first `length` tokens of the stream; the index of the instances in them.

    An instance that the cut runs through ends at the cut, without its end-of-document token;
    instances behind the cut have no row.
    """
    rows: list[tuple[int, str, int, int, int]] = []
    start = 0
    with path.open("wb") as file:
        for number, instance in enumerate(order):
            if start >= length:
                break
            tokens = encoded[instance.id][: length - start]
            file.write(tokens.astype("<u2").tobytes())
            rows.append((number, instance.id, instance.repeat, start, start + len(tokens)))
            start += len(tokens)
    schema: dict[str, type[pl.DataType]] = {
        "instance": pl.Int64,
        "id": pl.String,
        "repeat": pl.Int32,
        "start": pl.Int64,
        "end": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")
