"""Tokens, arithmetic, memory and checkpoints of each training stage of a params file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from regrow.ask.scale import flops, shapes
from regrow.params.schema import Params


@dataclass(frozen=True)
class Plan:
    """One run of one stage."""

    name: str
    steps: int
    batch: int
    """rows per step"""
    row: str
    """what a row of the batch is: sequences, examples, pairs, answers"""
    length: int
    """tokens of a row; the most that one can have where rows have unequal lengths"""
    at_most: bool
    checkpoints: int
    micro: int
    """rows that a rank holds at once"""
    optimizer: str
    trained: float = 1.0
    """sequences per row that are trained on (a pair has two)"""
    forwards: float = 0.0
    """further forward passes per trained token: a reference model, sampled answers"""

    @property
    def tokens(self) -> int:
        """That gradients are computed on."""
        return int(self.steps * self.batch * self.length * self.trained)

    def operations(self, params: Params, vocabulary: int) -> float:
        """Floating-point operations of the whole stage."""
        cost = flops.training(params.model, vocabulary, self.length).total
        return self.tokens * cost * (1 + self.forwards / 3)


def plans(params: Params) -> Iterator[Plan]:
    """Every training run of the flow (without other seeds), in its order."""
    p = params

    def of(name: str, block: Any, row: str, length: int, **more: Any) -> Plan:
        made = block.checkpoints()
        return Plan(
            name=name,
            steps=more.pop("steps", block.steps),
            batch=more.pop("batch", block.batch_sequences),
            row=row,
            length=length,
            at_most=row != "sequences",
            checkpoints=more.pop("checkpoints", len(made)),
            micro=more.pop("micro", block.micro_batch_sequences),
            optimizer=block.optimizer.name,
            **more,
        )

    short = p.longmix.sequence_length // p.longmix.short_length
    yield of("pretrain", p.pretrain, "sequences", p.pack.sequence_length)
    candidates = len(p.anneal.candidates) + 1  # and the control
    yield of(
        "anneal", p.anneal, "sequences", p.midmix.sequence_length, checkpoints=0,
        steps=p.anneal.steps * candidates,
    )  # fmt: skip
    yield of("midtrain", p.midtrain, "sequences", p.midmix.sequence_length)
    yield of("midtrain_b", p.midtrain, "sequences", p.midmix.sequence_length, checkpoints=1)
    yield of(
        "longcontext_control", p.longcontext, "sequences", p.longmix.short_length, checkpoints=1,
        batch=p.longcontext.batch_sequences * short, micro=p.longcontext.micro_batch_sequences * short,
    )  # fmt: skip
    yield of("longcontext", p.longcontext, "sequences", p.longmix.sequence_length)
    yield of("sft", p.sft, "examples", p.sftdata.max_tokens)
    yield of("sft_instruct", p.sft_instruct, "examples", p.sftdata.max_tokens)
    # The reference scores each pair once, when it is first met.
    pair = {"trained": 2.0, "forwards": 1.0}
    yield of("dpo_delta", p.dpo, "pairs", p.pairs.max_new_tokens, checkpoints=1, **pair)
    yield of("dpo", p.dpo, "pairs", p.pairs.max_new_tokens, **pair)
    for name, block, steps in (
        ("rlvr", p.rlvr, p.rlvr.steps),
        ("rlzero", p.rlzero, p.rlzero.steps),
        ("rlzero_random", p.rlzero, p.rlzero.control_steps),
    ):
        # Every answer is drawn (one forward pass per token), refills as well.
        made = 1 if name == "rlzero_random" else len(block.checkpoints())
        yield of(
            name, block, "answers", block.max_new_tokens, steps=steps, checkpoints=made,
            forwards=1.0 + block.max_refills,
        )  # fmt: skip


def checkpoint_bytes(params: Params, vocabulary: int, optimizer: str) -> int:
    """Of one checkpoint: weights and optimizer states in 32 bits (the rest is small)."""
    weights = shapes.parameters(params.model, vocabulary)
    return 4 * (weights + shapes.moments(params.model, vocabulary, optimizer))
