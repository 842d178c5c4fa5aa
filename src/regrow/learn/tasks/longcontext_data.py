"""The longcontext_data step: what the long-context stage reads, its control's data, and its probes.

After Olmo 3's Longmino (report, section 3.6): long real documents without the most and the
least compressible, synthetic aggregation and retrieval documents made from real ones, and
midtraining data, packed by best fit. Every random choice is keyed by what it is for.
"""

from __future__ import annotations

import hashlib
import math
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from tokenizers import Tokenizer

from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import balanced, conserved
from regrow.data.tokens import bpe
from regrow.learn.tasks.long import aggregation, needles, retrieval
from regrow.learn.tasks.long.facts import Words, vocabulary
from regrow.learn.tasks.long.packing import best_fit, fullest
from regrow.learn.tasks.long.pieces import Piece, Tokens, draw, keyed
from regrow.learn.tasks.long.pool import Pool, load
from regrow.learn.tasks.long.segments import Made, Source, lines
from regrow.learn.tasks.long.writing import Vocabulary, recut, write
from regrow.learn.tasks.mid.leaks import Leaks
from regrow.numerics.random import Stream
from regrow.params.posttrain import LongContextData

COMPONENTS = ("long", "aggregation", "retrieval", "midtraining")
ATTEMPTS = 40
"""places tried, one after the other, before a document or a probe is given up"""
ENOUGH_BYTES = 12
"""bytes of midtraining documents looked at per token wanted"""
DOCUMENTS: dict[str, type[pl.DataType]] = {
    "id": pl.String,
    "component": pl.String,
    "source": pl.String,
    "generator": pl.String,  # what made the text; null for real documents
    "licence": pl.String,
    "parent": pl.String,  # the real document or the task that it was made from
    "text": pl.String,  # null where it is another step's: decontaminate's or midtrain_data's
}
"""documents.parquet"""
NEEDLES: dict[str, pl.DataType | type[pl.DataType]] = {
    "id": pl.String,
    "kind": pl.String,
    "distance": pl.Int32,  # tokens from the value in the text to the value in the answer
    "prompt": pl.List(pl.UInt16),
    "answer": pl.List(pl.UInt16),
    "arguments": pl.String,
}
"""needles.parquet"""


@dataclass
class MixBuilder:
    """What every component is made with."""

    p: LongContextData
    tokenizer: Tokenizer
    vocabulary: Vocabulary
    pool: Pool
    leaks: Leaks
    rows: list[dict[str, Any]]
    """of documents.parquet"""
    drops: list[dict[str, object]]
    """of drops.parquet"""

    @property
    def budget(self) -> int:
        """Tokens of a made document, its end-of-document token left out."""
        return self.p.sequence_length - 1

    def closed(self, tokens: Iterable[int]) -> Tokens:
        """Tokens with the end-of-document token behind them."""
        return np.append(np.array(list(tokens), dtype=np.uint16), np.uint16(self.vocabulary.eos))


def run(
    inputs: dict[str, Path], params: Any, output: Path, *, settings: str = "longcontext_data"
) -> dict[str, Any]:
    """Fill `output` with the pack, short/, heldout/, needles.parquet, documents.parquet, drops.parquet.

    Raises:
        ValueError: shares that cannot be used, or too little long text.
    """
    p: LongContextData = getattr(params, settings)
    check(p)
    tokenizer, config = bpe.load(inputs["tokenizer"])
    control = Vocabulary(
        size=tokenizer.get_vocab_size(),
        eos=bpe.control(tokenizer, config, "eos_token"),
        pad=bpe.control(tokenizer, config, "pad_token"),
    )
    leaks = Leaks(inputs["evals"], inputs["tasks"])
    pool = load(inputs, tokenizer, p, leaks)
    print(
        f"  {len(pool.documents)} long documents, {len(pool.drops)} others left out",
        file=sys.stderr,
    )
    builder = MixBuilder(p, tokenizer, control, pool, leaks, [], list(pool.drops))
    known = vocabulary(tokenizer, (document.text for document in pool.documents.values()))
    sequences = p.tokens // p.sequence_length
    makers = {
        "long": _long(builder),
        "aggregation": _aggregation(builder),
        "retrieval": _retrieval(builder, known),
        "midtraining": _midtraining(builder, inputs["midtrain_data"]),
    }
    pieces: list[Piece] = []
    short_of: dict[str, int] = {}
    for component in COMPONENTS:
        wanted = math.floor(p.shares.get(component, 0.0) * sequences * p.sequence_length)
        taken, lacking = take(makers[component], wanted)
        pieces += taken
        if lacking:
            short_of[component] = lacking
        print(
            f"  {component}: {len(taken)} pieces, {wanted - lacking} of {wanted} tokens",
            file=sys.stderr,
        )
    sizes = [len(piece.tokens) for piece in pieces]
    all_bins = best_fit(sizes, p.sequence_length)
    bins = fullest(all_bins, sizes, sequences)
    used = {i for members in bins for i in members}
    dropped = [piece for i, piece in enumerate(pieces) if i not in used]
    packed = [[pieces[i] for i in members] for members in bins]
    inside = sum(map(len, bins))
    balanced("longcontext_data", "pieces", len(pieces), packed=inside, left_over=len(dropped))
    filler = [close(members, makers["midtraining"], p.sequence_length) for members in packed]
    meta = write(output, packed, p.sequence_length, control, dropped)
    recut(output, output / "short", p.short_length)
    heldout = _heldout(inputs, tokenizer, p, output, control)
    probes = _needles(heldout, tokenizer, known, p)
    tables.write(probes, output / "needles.parquet")
    kept = {piece.id for members in packed for piece in members}
    documents = pl.DataFrame([r for r in builder.rows if r["id"] in kept], schema=DOCUMENTS)
    tables.write(documents.unique("id", keep="first").sort("id"), output / "documents.parquet")
    tables.write(tables.drops(builder.drops), output / "drops.parquet")
    reasons = [str(drop["reason"]) for drop in builder.drops]
    return {
        "in": pool.read,
        "long": len(pool.documents),
        "dropped": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
        "sequences": meta["sequences"],
        "filler": sum(filler),
        "padding": meta["padding"],
        "components": meta["components"],
        "lacking": short_of,
        "needles": probes.height,
    }


def check(p: LongContextData) -> None:
    """Refuse shares that cannot be used.

    Raises:
        ValueError: unknown components, negative shares, or a sum other than 1.
    """
    unknown = sorted(set(p.shares) - set(COMPONENTS))
    if unknown or any(share < 0 for share in p.shares.values()):
        raise ValueError(
            f"longcontext_data.shares: wants shares of {list(COMPONENTS)}, none negative, got {p.shares}"
        )
    if abs(math.fsum(p.shares.values()) - 1.0) > 1e-9:
        raise ValueError(f"longcontext_data.shares: must sum to 1, got {p.shares}")
    if p.min_facts > p.max_facts:
        raise ValueError(
            f"longcontext_data.min_facts ({p.min_facts}) must not exceed longcontext_data.max_facts ({p.max_facts})"
        )
    if p.tokens < p.sequence_length:
        raise ValueError(
            f"longcontext_data.tokens ({p.tokens}) must be one sequence ({p.sequence_length}) at least"
        )


def take(pieces: Iterator[Piece], wanted: int) -> tuple[list[Piece], int]:
    """Pieces until they hold `wanted` tokens, and how many tokens are lacking if they run out."""
    taken: list[Piece] = []
    total = 0
    while total < wanted:
        piece = next(pieces, None)
        if piece is None:
            return taken, wanted - total
        taken.append(piece)
        total += len(piece.tokens)
    return taken, 0


def close(members: list[Piece], more: Iterator[Piece], length: int) -> int:
    """Close the gap of a sequence with the beginning of one more document; returns its tokens.

    So a sequence holds text to its end, and the loss needs no mask for padding. Where no document
    is left, the gap stays.
    """
    gap = length - sum(len(piece.tokens) for piece in members)
    closed = 0
    while gap > closed and (piece := next(more, None)):
        part = replace(piece, tokens=piece.tokens[: gap - closed])
        members.append(part)
        closed += len(part.tokens)
    return closed


def _long(builder: MixBuilder) -> Iterator[Piece]:
    pool, p = builder.pool, builder.p
    for identity, document in pool.documents.items():
        builder.rows.append(
            {
                "id": identity,
                "component": "long",
                "source": document.source,
                "licence": document.licence,
            }
        )
    tokens = {i: builder.closed(document.tokens) for i, document in pool.documents.items()}
    return draw(tokens, "long", length=p.sequence_length, at_once=p.windows, seed=p.seed)


def _made(builder: MixBuilder, component: str, made: Made, number: int) -> Piece | None:
    """What was made as a piece; None, and a row of the drops, if it holds what it must not."""
    parent = builder.pool.documents[made.parent]
    name = f"longmix {component} {builder.p.seed} {number} {made.parent}"
    identity = hashlib.sha256(name.encode()).hexdigest()[:32]
    if leak := builder.leaks.find(made.text):
        builder.drops.append({"id": identity, "step": "longcontext_data", **leak})
        return None
    builder.rows.append(
        {
            "id": identity,
            "component": component,
            "source": parent.source,
            "generator": f"regrow.learn.tasks.long.{component}",
            "licence": parent.licence,
            "parent": made.parent,
            "text": made.text,
        }
    )
    return Piece(identity, component, 0, builder.closed(made.tokens))


def _sources(builder: MixBuilder, component: str) -> Iterator[tuple[str, Source]]:
    """The long documents, over and over in a keyed order, as lines."""
    order = keyed(list(builder.pool.documents), f"longmix {component} {builder.p.seed}")
    cache: dict[str, Source] = {}
    while order:
        for identity in order:
            if identity not in cache:
                text = builder.pool.documents[identity].text
                cache[identity] = Source(builder.tokenizer, lines(text))
            yield identity, cache[identity]


def _aggregation(builder: MixBuilder) -> Iterator[Piece]:
    p = builder.p
    frequencies, n = aggregation.frequencies(d.text for d in builder.pool.documents.values())
    failures = number = 0
    for attempt, (parent, source) in enumerate(_sources(builder, "aggregation")):
        name = ("longmix aggregation", p.seed, attempt)
        made = aggregation.make(
            builder.tokenizer,
            source,
            parent,
            frequencies,
            n,
            budget=builder.budget,
            sections=1 + int(Stream(*name).integers(1, p.max_sections)[0]),
            words_asked=p.words,
            name=name,
        )
        failures = 0 if made else failures + 1
        if failures > ATTEMPTS + len(builder.pool.documents):
            return
        if made and (piece := _made(builder, "aggregation", made, number)):
            yield piece
            number += 1


def _retrieval(builder: MixBuilder, known: Words) -> Iterator[Piece]:
    p = builder.p
    failures = number = 0
    for attempt, (parent, source) in enumerate(_sources(builder, "retrieval")):
        name = ("longmix retrieval", p.seed, attempt)
        more = int(Stream(*name).integers(1, p.max_facts - p.min_facts + 1)[0])
        made = retrieval.make(
            builder.tokenizer,
            source,
            parent,
            known,
            budget=builder.budget,
            facts=p.min_facts + more,
            name=name,
        )
        failures = 0 if made else failures + 1
        if failures > ATTEMPTS + len(builder.pool.documents):
            return
        if made and (piece := _made(builder, "retrieval", made, number)):
            yield piece
            number += 1


def _midtraining(builder: MixBuilder, folder: Path) -> Iterator[Piece]:
    """Documents of midtrain_data in a keyed order; of a long one, one piece before a second is taken."""
    p = builder.p
    columns = ["id", "source", "generator", "licence", "parent", "text"]
    frame = tables.read(folder / "documents.parquet", columns).unique("id")
    # No more are tokenised than could be wanted: a token is a byte at least, here about three.
    rows = {row["id"]: row for row in frame.to_dicts()}
    left = ENOUGH_BYTES * p.tokens * p.shares.get("midtraining", 0.0)
    chosen: list[dict[str, Any]] = []
    for identity in keyed(list(rows), f"longmix midtraining {p.seed}"):
        if left <= 0:
            break
        chosen.append(rows[identity])
        left -= len(rows[identity]["text"].encode())
    tokens: dict[str, Tokens] = {}
    before = len(builder.drops)
    encoded = bpe.encode(builder.tokenizer, [row["text"] for row in chosen])
    for row, found in zip(chosen, encoded, strict=True):
        if len(found):
            tokens[row["id"]] = builder.closed(found.tolist())
            builder.rows.append(row | {"component": "midtraining", "text": None})
        else:
            builder.drops.append({"id": row["id"], "step": "longcontext_data", "reason": "empty"})
    dropped = [str(drop["id"]) for drop in builder.drops[before:]]
    ids = [row["id"] for row in chosen]
    conserved("longcontext_data", "midtraining texts", ids, tokens, dropped)
    return draw(tokens, "midtraining", length=p.sequence_length, at_once=1, seed=p.seed)


def _heldout(
    inputs: dict[str, Path],
    tokenizer: Tokenizer,
    p: LongContextData,
    output: Path,
    control: Vocabulary,
) -> dict[str, Source]:
    """Write heldout/: full windows of held-out documents, one per sequence.

    Returns the lines of the documents that are long enough, for the needles.
    """
    frame = tables.read(inputs["decontaminate"] / "heldout.parquet", ["id", "text"]).sort("id")
    encoded = bpe.encode(tokenizer, frame["text"].to_list())
    tokens = {
        identity: found
        for identity, found in zip(frame["id"].to_list(), encoded, strict=True)
        if len(found) >= p.sequence_length
    }
    windows = draw(tokens, "heldout", length=p.sequence_length, at_once=1, seed=p.seed)
    full = (piece for piece in windows if len(piece.tokens) == p.sequence_length)
    chosen, _ = take(full, p.heldout_windows * p.sequence_length)
    if not chosen:
        raise ValueError(
            f"no held-out document has {p.sequence_length} tokens: lower longcontext_data.sequence_length "
            "or raise decontaminate.heldout_share"
        )
    write(output / "heldout", [[piece] for piece in chosen], p.sequence_length, control, [])
    texts = frame.filter(pl.col("id").is_in(sorted(tokens)))
    return {
        identity: Source(tokenizer, lines(text))
        for identity, text in zip(texts["id"].to_list(), texts["text"].to_list(), strict=True)
    }


def _needles(
    documents: dict[str, Source], tokenizer: Tokenizer, known: Words, p: LongContextData
) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for kind in sorted(needles.KINDS):
        for number in range(p.needles):
            for attempt in range(ATTEMPTS):
                found = needles.make(
                    tokenizer,
                    documents,
                    known,
                    kind=kind,
                    length=p.sequence_length,
                    name=("longmix", kind, p.seed, number, attempt),
                )
                if found:
                    rows.append({"id": f"{kind}-{number:04d}", **vars(found)})
                    break
    return pl.DataFrame(rows, schema=NEEDLES).sort("id")
