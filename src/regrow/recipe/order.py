"""The order in which people read a flow: by what a step does, whatever the recipe calls it.

Records are sorted by it without a params file. A test holds it against the table.
"""

from __future__ import annotations

from regrow.recipe import kinds

_FUNCTIONS = (
    "regrow.crawl.step:crawl",
    "regrow.text.step:extract",
    "regrow.takedown.withdraw:run",
    "regrow.filters.step:run",
    "regrow.tasks.step:run",
    "regrow.dedup.step:run",
    "regrow.dedup.decontaminate:run",
    "regrow.mix.classify:run",
    "regrow.mix.step:run",
    "regrow.tokens.train:run",
    "regrow.tokens.given:run",
    "regrow.tokens.pack:run",
    "regrow.train.kinds.pretrain:run",
    "regrow.tasks.midmix:run",
    "regrow.tasks.forkmix:run",
    "regrow.train.anneal:run",
    "regrow.train.kinds.midtrain:run",
    "regrow.train.soup:run",
    "regrow.tasks.longmix:run",
    "regrow.train.kinds.longcontext:run",
    "regrow.tasks.sftdata:run",
    "regrow.tasks.chats:run",
    "regrow.tasks.forksft:run",
    "regrow.train.kinds.sft:run",
    "regrow.reinforce.pairs:run",
    "regrow.train.kinds.dpo:run",
    "regrow.reinforce.difficulty:run",
    "regrow.reinforce.rlvr:run",
    "regrow.takedown.mask:run",
    "regrow.index.step:run",
    "regrow.evaluate.step:run",
    "regrow.release.step:run",
)
_RANK = {function: rank for rank, function in enumerate(_FUNCTIONS)}
LAST = len(_FUNCTIONS)
_TRAINED = _RANK["regrow.reinforce.rlvr:run"]
"""a further kind of training comes with the last one of the recipe after Olmo 3"""


def rank(function: str) -> int:
    """The place of a step by its function; functions that are not the flow's come last."""
    known = _RANK.get(function)
    if known is not None:
        return known
    return _TRAINED if kinds.of(function) else LAST
