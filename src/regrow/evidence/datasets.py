"""The data sets of training by what made them, whatever the recipe calls them."""

from __future__ import annotations

from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record

MIDMIX = "regrow.tasks.midmix:run"
LONGMIX = "regrow.tasks.longmix:run"
FORKMIX = "regrow.tasks.forkmix:run"
FORKSFT = "regrow.tasks.forksft:run"
CHATS = "regrow.tasks.chats:run"
MIXES = (MIDMIX, FORKMIX, LONGMIX)
"""their documents are passages of crawled ones, worked tasks, and texts made of both"""
PACKED = ("regrow.tokens.pack:run", MIDMIX, LONGMIX)
"""data sets that are packed text, as they were before a fork or a takedown"""
EXAMPLES = ("regrow.tasks.sftdata:run", CHATS, FORKSFT)
PAIRS = ("regrow.reinforce.pairs:run",)
PROMPTS = ("regrow.reinforce.difficulty:run",)
INDEXED = {**dict.fromkeys(EXAMPLES, "sftdata"), **dict.fromkeys(PAIRS, "pairs")}
"""function -> the kind of its rows in an index (`regrow.index.step`); all others are packs"""


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
