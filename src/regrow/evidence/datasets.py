"""The data sets of training by what made them, whatever the recipe calls them."""

from __future__ import annotations

from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record

MIDTRAIN_DATA = "regrow.learn.tasks.midtrain_data:run"
LONGCONTEXT_DATA = "regrow.learn.tasks.longcontext_data:run"
FORKMIX = "regrow.learn.tasks.forkmix:run"
FORKSFT = "regrow.learn.tasks.forksft:run"
CHATS = "regrow.learn.tasks.chats:run"
JOINED = "regrow.data.tokens.joined:run"
JOINED_EXAMPLES = "regrow.learn.tasks.joined:run"
MIXES = (MIDTRAIN_DATA, FORKMIX, JOINED, LONGCONTEXT_DATA)
"""their documents are passages of crawled ones, worked tasks, and texts made of both"""
PACKED = ("regrow.data.tokens.pack:run", MIDTRAIN_DATA, LONGCONTEXT_DATA, JOINED)
"""data sets that are packed text, as they were before a fork or a takedown"""
EXAMPLES = ("regrow.learn.tasks.sft_data:run", CHATS, FORKSFT, JOINED_EXAMPLES)
PAIRS = ("regrow.learn.rl.pairs:run",)
PROMPTS = ("regrow.learn.rl.difficulty:run",)
INDEXED = {**dict.fromkeys(EXAMPLES, "sft_data"), **dict.fromkeys(PAIRS, "pairs")}
"""function -> the kind of its rows in an index (`regrow.data.index.step`); all others are packs"""


def made(ledger: Ledger, functions: tuple[str, ...], *, seeds: bool = False) -> list[Record]:
    """The records of steps with one of these functions, in flow order; repetitions under other seeds if asked."""
    return [
        record
        for record in ledger.records
        if record.function in functions and (seeds or record.step == record.stage)
    ]


def jobs(ledger: Ledger, functions: tuple[str, ...]) -> list[str]:
    """The names of the same."""
    return [record.name for record in made(ledger, functions)]
