"""Which runs under further seeds repeat the run that is recorded here, and which are another's."""

from __future__ import annotations

from regrow.lineage.ledger import Ledger

_SHARED = ("data", "base")
"""inputs of SFT that all seeds have in common"""


def repeats(ledger: Ledger, seed: int) -> bool:
    """Whether the stages under `seed` differ from those under seed 0 by nothing but the seed.

    They begin in SFT, from one base on one table of examples. A fork, or an edit after which the repetitions
    were not made again, leaves records under other seeds behind that are of the parent's run; averaging
    over them would mix two models. Where either side has no record nothing speaks against it.
    """
    for stage in ("sft", "dpo", "rlvr"):
        plain, other = ledger.checkpoints(stage), ledger.checkpoints(f"{stage}_seed{seed}")
        if not plain or not other:
            continue
        one, two = plain[-1].parts, other[-1].parts
        if one["params"] != two["params"]:
            return False
        if stage == "sft" and any(one["inputs"].get(n) != two["inputs"].get(n) for n in _SHARED):
            return False
    return True
