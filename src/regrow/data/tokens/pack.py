"""The pack step: documents to token sequences by concatenation and cutting (as in Olmo 3).

Every instance ends with the end-of-document token; instances follow each other in a keyed
order; the stream is cut into sequences of one length, and what is left over at its end is
dropped and counted.

A recipe may cut the tokenisation: `part` tokenises a range of the documents, and `run` packs what all parts hold. Uncut,
`run` makes both, by the same functions.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from regrow.data.tables import groups, ranges
from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import balanced
from regrow.data.tables.stream import Rows
from regrow.data.tokens import bpe, stream, tokenised
from regrow.data.tokens.instances import arranged
from regrow.data.tokens.stored import encoded
from regrow.params.data import Pack

_REPORT_EVERY = 500


def run(inputs: Mapping[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Fill `output` with tokens.bin, index.parquet and meta.json.

    Texts are read a row group at a time. Their tokens wait in a file, which takes two bytes a token, until they are
    written in the order of the pack. What is held of a document and of each of its repeats is its id and numbers, about
    200 bytes.

    Args:
        inputs: `decontaminate`, `mix`, `tokenizer`; where the step is cut also `part.<part>`, which `part` filled.

    Raises:
        ValueError: the mix does not fill one sequence, or parts are of another mix.
        regrow.data.tables.conservation.Lost: a document of the mix has no text, or two.
    """
    output.mkdir(parents=True, exist_ok=True)
    parts = ranges.made(inputs)
    if parts:
        return _gathered(inputs, parts, params.pack, output)
    with TemporaryDirectory(dir=output) as name:
        part(inputs, params, Path(name), instance=ranges.WHOLE)
        return _gathered(inputs, [Path(name)], params.pack, output)


def part(inputs: Mapping[str, Path], params: Any, output: Path, *, instance: str) -> dict[str, Any]:
    """Tokenise the documents of the mix that are in a part of the table (`regrow.data.tokens.tokenised`).

    Held are a row group of the table and the ids of the part.

    Args:
        inputs: `decontaminate`, `mix`, `tokenizer`.
        instance: which part: `003of016`.
    """
    tokenizer, config = bpe.load(inputs["tokenizer"])
    eos = np.uint16(bpe.control(tokenizer, config, "eos_token"))
    table = inputs["decontaminate"] / "train.parquet"
    within = ranges.of(table, instance)
    ids = _mixed(inputs["mix"] / "mix.parquet", table, within)
    output.mkdir(parents=True, exist_ok=True)

    def documents() -> Iterator[tuple[str, NDArray[np.uint16]]]:
        for i, (own, tokens) in enumerate(encoded(tokenizer, _texts(table, ids, within))):
            if i % _REPORT_EVERY == 0:
                print(f"  tokenised {i}/{ids.len()} documents", file=sys.stderr)
            yield own, np.append(tokens, eos)

    came, kept = within[1] - within[0], tokenised.write(output, documents())
    there = sum(frame.height for frame in groups.frames_of(table, [], ids, within))
    balanced("pack", f"documents of the mix in part {instance}", there, tokenised=kept)
    aside = {"not_in_mix": came - kept} if came > kept else {}
    return {"in": came, "kept": kept, "dropped": aside}


def _mixed(mix: Path, table: Path, within: Rows) -> pl.Series:
    """The ids of the documents of a range that are in the mix, ascending."""
    empty = pl.Series(dtype=pl.String)
    own = pl.concat([empty, *(frame["id"] for frame in groups.frames(table, ["id"], within))])
    near = pl.col("id").is_between(pl.lit(own.min(), pl.String), pl.lit(own.max(), pl.String))
    drawn = (
        frame.filter(pl.col("repeats") > 0, near)["id"]
        for frame in groups.frames(mix, ["id", "repeats"])
    )
    found = pl.concat([empty, *drawn])
    return found.filter(found.is_in(own.implode())).sort()


def _texts(table: Path, ids: pl.Series, within: Rows) -> Iterator[tuple[str, str]]:
    for frame in groups.frames_of(table, ["text"], ids, within):
        yield from zip(frame["id"], frame["text"], strict=True)


def _gathered(
    inputs: Mapping[str, Path], parts: list[Path], p: Pack, output: Path
) -> dict[str, Any]:
    """Pack what the jobs of all parts tokenised."""
    tokenizer, config = bpe.load(inputs["tokenizer"])
    mix = tables.read(inputs["mix"] / "mix.parquet", ["id", "repeats"])
    mix = mix.filter(pl.col("repeats") > 0).sort("id")
    ids, repeats = mix["id"], mix["repeats"].to_numpy()
    with tokenised.Tokenised(ids, parts) as documents:
        order = arranged(ids, repeats, f"pack {p.seed}")
        try:
            meta = stream.assemble(output, order, documents, p.sequence_length, tokenizer, config)
        except stream.TooShort as error:
            raise ValueError(
                f"the mix holds {error.tokens} tokens, less than one sequence of {p.sequence_length}: "
                "raise mix.tokens (or lower pack.sequence_length), and see drops.parquet of the "
                "steps before for documents that were lost."
            ) from None
    packed = {name: int(meta[name]) for name in ("instances", "dropped_tail_instances")}
    balanced("pack", "instances of the mix", int(repeats.sum()), **packed)
    told = ("instances", "sequences", "tokens", "dropped_tail_tokens", "dropped_tail_instances")
    return {"documents": ids.len(), **{k: meta[k] for k in told}}
