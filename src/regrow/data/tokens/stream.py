"""A pack folder from document instances: one stream of tokens, cut into sequences of one length."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from numpy.typing import NDArray
from tokenizers import Tokenizer

from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import balanced, conserved
from regrow.data.tokens import bpe
from regrow.data.tokens.instances import Instance

INDEX: dict[str, type[pl.DataType]] = {
    "instance": pl.Int64,
    "id": pl.String,
    "repeat": pl.Int32,
    "start": pl.Int64,
    "end": pl.Int64,
}


class TooShort(ValueError):
    """The stream does not fill one sequence."""

    def __init__(self, tokens: int) -> None:
        super().__init__(f"{tokens} tokens do not fill one sequence")
        self.tokens = tokens


def write(
    folder: Path,
    order: Sequence[Instance],
    encoded: Mapping[str, NDArray[Any]],
    sequence_length: int,
    tokenizer: Tokenizer,
    config: dict[str, str],
) -> dict[str, Any]:
    """Fill `folder` with tokens.bin, index.parquet and meta.json; returns what meta.json says.

    Args:
        folder: made if it does not exist.
        order: the instances as they follow each other.
        encoded: document id -> its tokens, the end-of-document token included.
        sequence_length: of a sequence; the tokens left over at the end are dropped and counted.
        tokenizer: what `encoded` was made with.
        config: its tokenizer_config.json.

    Raises:
        TooShort: there is not one full sequence.
    """
    stream = sum(len(encoded[instance.id]) for instance in order)
    sequences = stream // sequence_length
    if not sequences:
        raise TooShort(stream)
    length = sequences * sequence_length
    folder.mkdir(parents=True, exist_ok=True)
    index = _tokens(folder / "tokens.bin", order, encoded, length)
    tables.write(index, folder / "index.parquet")
    packed = [Instance(*row) for row in index.select("id", "repeat").iter_rows()]
    behind = order[index.height :]
    conserved("pack", f"instances of {folder.name}", *map(_names, (order, packed, behind)))
    size = (folder / "tokens.bin").stat().st_size // 2
    balanced("pack", "tokens", stream, packed=size, dropped_tail=stream - length)
    meta = {
        "sequences": sequences,
        "sequence_length": sequence_length,
        "tokens": length,
        "vocabulary": tokenizer.get_vocab_size(),
        "eos": bpe.control(tokenizer, config, "eos_token"),
        "pad": bpe.control(tokenizer, config, "pad_token"),
        "instances": index.height,
        "dropped_tail_tokens": stream - length,
        "dropped_tail_instances": len(order) - index.height,
    }
    text = json.dumps(meta, indent=2, sort_keys=True) + "\n"
    (folder / "meta.json").write_text(text, encoding="utf-8")
    return meta


def _names(instances: Sequence[Instance]) -> list[str]:
    return [f"{instance.id} {instance.repeat}" for instance in instances]


def _tokens(
    path: Path, order: Sequence[Instance], encoded: Mapping[str, NDArray[Any]], length: int
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
    return pl.DataFrame(rows, schema=INDEX, orient="row")
