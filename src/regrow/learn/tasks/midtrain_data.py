"""The midtrain_data step: what midtraining reads, after Olmo 3's Dolmino mix (report, section 3.5).

Components by share of the tokens: the best documents, a carry-over of pretraining text, questions
with worked answers, instruction-like text and retrieval texts. Every text is checked against the
evals and the held-out tasks before it may enter. Each component is also packed on its own for
the micro-anneals, and held-out documents and dev tasks for measuring.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from tokenizers import Tokenizer

from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import conserved
from regrow.data.tokens import bpe, stream
from regrow.data.tokens.instances import Instance
from regrow.learn.tasks.mid import facts, instructions, passages, questions
from regrow.learn.tasks.mid.leaks import Leaks
from regrow.learn.tasks.mid.text import Text, rank
from regrow.numerics import exact
from regrow.params.posttrain import MidtrainData

COMPONENTS = ("quality", "pretraining", "questions", "instructions", "retrieval")
DOCUMENTS: dict[str, type[pl.DataType]] = {
    "id": pl.String,
    "component": pl.String,
    "source": pl.String,
    "generator": pl.String,  # what made the text; null for real documents
    "licence": pl.String,
    "parent": pl.String,  # the real document or the task that it was made from
    "text": pl.String,
}
_BATCH = 64
"""texts that are tokenised at once"""
_REPORT_EVERY = 100
"""batches"""


@dataclass
class Component:
    """Checked texts of one kind, tokenised, in their order."""

    name: str
    texts: list[Text] = field(default_factory=list)
    encoded: dict[str, NDArray[np.uint16]] = field(default_factory=dict)
    """by id, the end-of-document token included"""
    spare: list[str] = field(default_factory=list)
    """ids of texts that were looked at when there were enough"""

    @property
    def tokens(self) -> int:
        """Of all texts."""
        return sum(map(len, self.encoded.values()))

    def take(self, tokens: int) -> list[Instance]:
        """Instances from the first text on that hold at least so many tokens.

        Where the texts hold fewer they come again; where there are none there is nothing.
        """
        taken: list[Instance] = []
        repeat = 0
        while self.texts and tokens > 0:
            for text in self.texts:
                if tokens <= 0:
                    break
                taken.append(Instance(text.id, repeat))
                tokens -= len(self.encoded[text.id])
            repeat += 1
        return taken


class MixBuilder:
    """Where texts are checked and tokenised, for the step of that name."""

    def __init__(self, tokenizer: Tokenizer, eos: int, leaks: Leaks, step: str) -> None:
        self._tokenizer, self._eos, self._leaks = tokenizer, np.uint16(eos), leaks
        self._step = step
        self.drops: list[dict[str, object]] = []

    def fill(self, name: str, texts: Iterable[Text], tokens: int) -> Component:
        """The first texts that may enter, until they hold so many tokens."""
        looked: list[str] = []
        before = len(self.drops)
        component = self.fill_unchecked(name, self._checked(texts, looked), tokens)
        kept = [*(text.id for text in component.texts), *component.spare]
        dropped = [str(drop["id"]) for drop in self.drops[before:]]
        conserved(self._step, f"texts of {name}", looked, kept, dropped)
        lacking = ", all there are" if component.tokens < tokens else ""
        print(
            f"  {name}: {len(component.texts)} texts, {component.tokens} tokens{lacking}",
            file=sys.stderr,
        )
        return component

    def fill_unchecked(self, name: str, texts: Iterable[Text], tokens: int) -> Component:
        """The first texts, until they hold so many tokens."""
        component = Component(name)
        wanted, batches = tokens, 0
        source = iter(texts)
        while wanted > 0 and (batch := list(islice(source, _BATCH))):
            for text, found in zip(
                batch, bpe.encode(self._tokenizer, [text.text for text in batch]), strict=True
            ):
                if wanted <= 0:
                    component.spare.append(text.id)
                    continue
                component.texts.append(text)
                component.encoded[text.id] = np.append(found, self._eos)
                wanted -= len(found) + 1
            batches += 1
            if batches % _REPORT_EVERY == 0:
                print(f"  {name}: {tokens - wanted} tokens so far", file=sys.stderr, flush=True)
        return component

    def _checked(self, texts: Iterable[Text], looked: list[str]) -> Iterator[Text]:
        """The texts that may enter; the ids of all that were looked at go to `looked`."""
        seen: set[str] = set()
        for text in texts:
            looked.append(text.id)
            drop: dict[str, Any] | None = {"reason": "repeated"}
            if text.id not in seen:
                seen.add(text.id)
                drop = self._leaks.find(text.text, text.contents)
            if drop is None:
                yield text
            else:
                self.drops.append({"id": text.id, "step": self._step} | drop)


def run(
    inputs: dict[str, Path], params: Any, output: Path, *, settings: str = "midtrain_data"
) -> dict[str, Any]:
    """Fill `output` with the pack, documents.parquet, drops.parquet, components/ and heldout/.

    Returns tokens and texts per component, and the leaks by reason.

    Raises:
        ValueError: shares that cannot be used, a component without any text, or texts too few
            for one sequence.
    """
    p: MidtrainData = getattr(params, settings)
    check(p)
    tokenizer, config = bpe.load(inputs["tokenizer"])
    leaks = Leaks(inputs["evals"], inputs["tasks"], p.leak_ngram, p.leak_overlap)
    builder = MixBuilder(
        tokenizer, bpe.control(tokenizer, config, "eos_token"), leaks, "midtrain_data"
    )
    budgets = {name: math.floor(p.tokens * p.shares.get(name, 0.0)) for name in COMPONENTS}
    components = _components(inputs, p, tokenizer, builder, budgets)

    def pack(folder: Path, order: list[Instance], encoded: dict[str, NDArray[np.uint16]]) -> int:
        try:
            meta = stream.write(folder, order, encoded, p.sequence_length, tokenizer, config)
        except stream.TooShort as error:
            raise ValueError(
                f"midtrain_data: {folder.name} has {error.tokens} tokens, less than one sequence of "
                f"{p.sequence_length}: raise mix.tokens or tasks.train, or lower "
                "midtrain_data.sequence_length; drops.parquet says what was dropped"
            ) from None
        return int(meta["tokens"])

    for part in components:
        if part.texts:
            order = part.take(p.component_tokens)
            pack(output / "components" / part.name, _shuffled(order, part.name, p), part.encoded)
    taken = {part.name: part.take(budgets[part.name]) for part in components}
    order = [instance for instances in taken.values() for instance in instances]
    encoded = {i: tokens for part in components for i, tokens in part.encoded.items()}
    tokens = pack(output, _shuffled(order, "order", p), encoded)
    held = _heldout(inputs, p, builder)
    for part in held:
        if part.texts:
            pack(output / "heldout" / part.name, part.take(part.tokens), part.encoded)

    texts = [text for part in components for text in part.texts]
    given = passages.documents(inputs)["id"].to_list()
    read = {text.parent for text in texts} & set(given)
    rows = [{name: getattr(text, name) for name in DOCUMENTS} for text in texts]
    tables.write(pl.DataFrame(rows, schema=DOCUMENTS).sort("id"), output / "documents.parquet")
    tables.write(tables.drops(builder.drops), output / "drops.parquet")
    reasons = [str(drop["reason"]) for drop in builder.drops]
    return {
        "tokens": tokens,
        "components": {
            part.name: {
                "texts": len({instance.id for instance in taken[part.name]}),
                "tokens": sum(len(part.encoded[instance.id]) for instance in taken[part.name]),
                "repeats": max((i.repeat + 1 for i in taken[part.name]), default=0),
            }
            for part in components
        },
        "documents": {"in": len(given), "read": len(read), "unused": len(set(given) - read)},
        "heldout": {part.name: part.tokens for part in held},
        "checked_against": len(leaks),
        "dropped": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
    }


def check(p: MidtrainData) -> None:
    """Refuse shares that cannot be used.

    Raises:
        ValueError: an unknown component, a negative share, or more than the whole.
    """
    if unknown := sorted(set(p.shares) - set(COMPONENTS)):
        raise ValueError(f"midtrain_data.shares: unknown {unknown}; there are {list(COMPONENTS)}")
    if any(share < 0 for share in p.shares.values()):
        raise ValueError(f"midtrain_data.shares: must not be negative, got {p.shares}")
    if (whole := exact.total(p.shares.values())) > 1 + 1e-9:
        raise ValueError(f"midtrain_data.shares: they sum to {whole:.6g}; they must not exceed 1")
    if not 1 <= p.facts[0] <= p.facts[1]:
        raise ValueError(f"midtrain_data.facts: least and most, at least 1, got {list(p.facts)}")


def _components(
    inputs: dict[str, Path],
    p: MidtrainData,
    tokenizer: Tokenizer,
    builder: MixBuilder,
    budgets: dict[str, int],
) -> list[Component]:
    frame = passages.documents(inputs)
    tasks = tables.read(inputs["tasks"] / "train.parquet").to_dicts()
    print(f"  {frame.height} documents, {len(tasks)} train tasks", file=sys.stderr)

    def fill(name: str, texts: Iterable[Text]) -> Component:
        wanted = max(budgets[name], p.component_tokens) if budgets[name] else 0
        component = builder.fill(name, texts, wanted)
        if wanted and not component.texts:
            raise ValueError(
                f"midtrain_data: there is no text for the component {name}: set midtrain_data.shares.{name} to "
                "0, raise mix.tokens, or (retrieval) lower midtrain_data.facts or raise "
                "midtrain_data.sequence_length"
            )
        return component

    real = [
        fill("quality", passages.quality(frame, p.top_buckets, p.seed)),
        fill("pretraining", passages.pretraining(frame, p.top_buckets, p.seed)),
    ]
    filler = [text for part in real for text in part.texts]
    filler.sort(key=lambda text: (rank(f"filler {p.seed}", text.id), text.id))
    return [
        *real,
        fill("questions", questions.questions(tasks, p.seed)),
        fill("instructions", instructions.instructions(frame, tasks, p.seed)),
        fill("retrieval", facts.retrieval(tokenizer, filler, p.sequence_length, p.facts, p.seed)),
    ]


def _shuffled(order: list[Instance], key: str, p: MidtrainData) -> list[Instance]:
    def place(instance: Instance) -> tuple[bytes, Instance]:
        return rank(f"{key} {p.seed}", f"{instance.id} {instance.repeat}"), instance

    return sorted(order, key=place)


def _heldout(inputs: dict[str, Path], p: MidtrainData, builder: MixBuilder) -> list[Component]:
    """Held-out documents and dev tasks: what soups and micro-anneals are measured by.

    They are what the others are checked against, so they are not checked themselves.
    """
    columns = ["id", "source", "licence", "text"]
    frame = tables.read(inputs["decontaminate"] / "heldout.parquet", columns).sort("id")
    dev = tables.read(inputs["tasks"] / "dev.parquet").to_dicts()
    return [
        builder.fill_unchecked("documents", passages.heldout(frame, p.seed), p.heldout_tokens),
        builder.fill_unchecked("tasks", map(questions.heldout, dev), 1 << 62),
    ]
