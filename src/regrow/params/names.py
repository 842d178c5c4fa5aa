"""Names that the checks of a params file and the table of steps share, without the models of either."""

from __future__ import annotations

ANSWERED = ("pairs", "difficulty")
"""kinds of data sets that are made of the answers of a stage's base"""

JOINED = "joined"
"""the kind of a data set that is joined of others"""

CONTENT = {
    "pack": "midtrain_data",
    "midtrain_data": "midtrain_data",
    "longcontext_data": "longcontext_data",
    "sft_data": "sft_data",
    "chats": "sft_data",
}
"""kind of data set that can be joined -> the kind of what it is joined to: only of one kind are joined"""

SEARCH_STEPS = ("domains", "swarm", "proxy", "proxy_scores", "mixture", "confirm")
"""steps of a mix search"""

CUT_STEPS = (
    "decontaminate_heldout", "decontaminate_part", "classify_models", "classify_part", "pack_part",
)  # fmt: skip
"""steps of a recipe that is cut into parts"""

RENAMED = {"midmix": "midtrain_data", "longmix": "longcontext_data", "sftdata": "sft_data"}
"""names that a params file of version 0.1 says -> what they are called now"""

_FLOW = ("pretrain", "midtrain", "soup", "longcontext", "sft", "dpo", "rl")


def place(kind: str) -> tuple[int, str]:
    """Sort key of a kind of training: the order of the recipe after Olmo 3, further kinds behind it by name."""
    return (_FLOW.index(kind) if kind in _FLOW else len(_FLOW), kind)
