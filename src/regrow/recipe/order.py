"""The order in which people read a flow: by what a step does, whatever the recipe calls it.

Records are sorted by it without a params file. A test holds it against the table.
"""

from __future__ import annotations

from regrow.recipe import kinds
from regrow.release.corpora import reads

_READERS = "regrow.data.sources.kinds"
_FUNCTIONS = (
    "regrow.data.crawl.step:crawl",
    "regrow.data.text.step:extract",
    _READERS,
    "regrow.data.sources.gather:text",
    "regrow.data.takedown.withdraw:run",
    "regrow.data.filters.step:run",
    "regrow.data.sources.gather:filtered",
    "regrow.data.dedup.signatures:run",
    "regrow.learn.tasks.step:run",
    "regrow.data.dedup.step:run",
    "regrow.data.dedup.decontaminate:hold_out",
    "regrow.data.dedup.decontaminate:part",
    "regrow.data.dedup.decontaminate:run",
    "regrow.data.mix.classify:models",
    "regrow.data.mix.given:models",
    "regrow.data.mix.classify:part",
    "regrow.data.mix.given:part",
    "regrow.data.mix.classify:run",
    "regrow.data.mix.given:run",
    "regrow.data.mix.step:run",
    "regrow.data.tokens.train:run",
    "regrow.data.tokens.given:run",
    "regrow.learn.search.supply:run",
    "regrow.learn.search.swarm:run",
    "regrow.learn.search.proxy:run",
    "regrow.learn.search.scores:run",
    "regrow.learn.search.mixture:run",
    "regrow.learn.search.confirm:run",
    "regrow.data.tokens.pack:part",
    "regrow.data.tokens.pack:run",
    "regrow.learn.train.kinds.pretrain:run",
    "regrow.learn.tasks.midtrain_data:run",
    "regrow.learn.tasks.forkmix:run",
    "regrow.data.tokens.joined:run",
    "regrow.learn.train.anneal:run",
    "regrow.learn.train.kinds.midtrain:run",
    "regrow.learn.train.soup:run",
    "regrow.learn.tasks.longcontext_data:run",
    "regrow.learn.train.kinds.longcontext:run",
    "regrow.learn.tasks.sft_data:run",
    "regrow.learn.tasks.chats:run",
    "regrow.learn.tasks.forksft:run",
    "regrow.learn.tasks.joined:run",
    "regrow.learn.train.kinds.sft:run",
    "regrow.learn.rl.pairs:run",
    "regrow.learn.train.kinds.dpo:run",
    "regrow.learn.rl.difficulty:run",
    "regrow.learn.rl.rlvr:run",
    "regrow.data.takedown.mask:run",
    "regrow.data.index.step:run",
    "regrow.learn.evaluate.step:run",
    "regrow.release.step:run",
)
_RANK = {function: rank for rank, function in enumerate(_FUNCTIONS)}
LAST = len(_FUNCTIONS)
_TRAINED = _RANK["regrow.learn.rl.rlvr:run"]
"""a further kind of training comes with the last one of the recipe after Olmo 3"""


def rank(function: str) -> int:
    """The place of a step by its function; functions that are not the flow's come last."""
    known = _RANK.get(_READERS if reads(function) else function)
    if known is not None:
        return known
    return _TRAINED if kinds.of(function) else LAST
