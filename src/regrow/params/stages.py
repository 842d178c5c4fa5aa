"""The entries of `stages` and `datasets` in a params file: what a stage of each kind may say.

A short entry says its name alone; `regrow.params.recipe` fills in the rest and checks the whole.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, WithJsonSchema

from regrow.params.base import Block

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
"""of a stage or data set: it names folders, records and rules"""
Form = Literal["plain", "think", "instruct"]
"""of a prompt: plain text, the chat template with thinking, the chat template with short answers"""
Probe = Literal[
    "text", "answers", "untrained", "tools", "long", "yarn", "preferences", "tasks"
]  # fmt: skip
"""what a checkpoint can be asked: `regrow.learn.evaluate.probes.Probes`"""
_SHARES: dict[str, Any] = {
    "type": "object",
    "minProperties": 2,
    "additionalProperties": {"type": "number"},
}
_DATA = WithJsonSchema({"anyOf": [{"type": "string"}, _SHARES]})


class Stage(Block):
    """A training stage of the recipe."""

    reads: ClassVar[tuple[str, ...]] = ()
    """kinds of data sets that it can read; the first is the default"""

    name: Name
    kind: str
    """of training; a built-in name (`sft_instruct`, `rlvr`) says it itself"""
    base: tuple[Name, ...] = ()
    """the stage that it goes on from (a soup: the stages that it averages); default: the nearest above it that
    fits"""
    data: Annotated[Name | Literal[""], _DATA] = ""
    """the data set that it reads, or several with their shares (`{midtrain_data: 0.7, mine: 0.3}`); default: its
    kind's"""
    settings: str = ""
    """the section of this file with its settings; default: the one with its name, else its kind's"""
    checkpoints: Literal["all", "last"] | tuple[Annotated[int, Field(ge=0)], ...] = "all"
    """which are kept: all that `checkpoint_every` names, the last, or these steps"""
    evaluated: bool | tuple[Probe, ...] = True
    """whether its checkpoints are evaluated, or by which probes only; default: by all that its kind has"""
    released: bool = True
    """whether its checkpoints are released, with cards; default: not those of controls"""
    seeds: tuple[Annotated[int, Field(ge=1, le=99)], ...] = ()
    """further seeds that it is repeated under: `snakemake seeds`"""
    form: Form = "plain"
    """of its prompts"""

    @property
    def control(self) -> bool:
        """Whether it is compared with, and no later stage begins from it unless told to."""
        return False


class PretrainStage(Stage):
    """From initial weights: every next token of a pack."""

    reads = ("pack",)

    kind: Literal["pretrain"] = "pretrain"
    form: Literal["plain"] = "plain"
    seeds: tuple[()] = ()


class MidtrainStage(Stage):
    """Every next token of a better mix."""

    reads = ("midtrain_data",)

    kind: Literal["midtrain"] = "midtrain"
    form: Literal["plain"] = "plain"
    seeds: tuple[()] = ()
    order: int = Field(default=1, ge=1, le=26)
    """which order of the data: 1 under `seed`, 2 under `second_seed`, 3 under the one after that; the others are
    for a soup"""

    @property
    def control(self) -> bool:
        """See Stage."""
        return self.order > 1


class SoupStage(Stage):
    """The mean of several runs, kept only if it wins on held-out data."""

    kind: Literal["soup"] = "soup"
    form: Literal["plain"] = "plain"
    seeds: tuple[()] = ()


class LongContextStage(Stage):
    """A longer context."""

    reads = ("longcontext_data",)

    kind: Literal["longcontext"] = "longcontext"
    form: Literal["plain"] = "plain"
    seeds: tuple[()] = ()
    length: Literal["long", "short"] = "long"
    """short: the control, which reads the same tokens at the old length"""

    @property
    def control(self) -> bool:
        """See Stage."""
        return self.length == "short"


class SftStage(Stage):
    """Supervised fine-tuning on conversations."""

    reads = ("sft_data", "chats")

    kind: Literal["sft"] = "sft"
    form: Form = "think"
    branch: Literal["think", "instruct"] = "think"
    """of the data set: with worked steps, or with short answers and tool calls"""


class DpoStage(Stage):
    """Preference optimisation on pairs."""

    reads = ("pairs",)

    kind: Literal["dpo"] = "dpo"
    form: Form = "think"
    pairs: Literal["judged", "delta"] = "judged"
    """delta: the control, on pairs of a strong and a weak model"""

    @property
    def control(self) -> bool:
        """See Stage."""
        return self.pairs == "delta"


class RlStage(Stage):
    """Reinforcement learning on verified rewards."""

    reads = ("difficulty",)

    kind: Literal["rl"] = "rl"
    reward: Literal["verified", "random"] = "verified"
    """random: the control, whose rewards are drawn"""

    @property
    def control(self) -> bool:
        """See Stage."""
        return self.reward == "random"


class Dataset(Block):
    """A data set of training beside the built-in ones."""

    name: Name
    kind: Literal[
        "midtrain_data", "longcontext_data", "sft_data", "chats", "pairs", "difficulty", "joined"
    ]  # fmt: skip
    """of step that makes it"""
    of: dict[Name, Annotated[float, Field(gt=0, lt=1)]] = {}
    """joined: data sets and their shares of the tokens (of conversations: of the examples), which sum to 1"""
    tokens: int = Field(default=0, ge=0)
    """joined packs: tokens at most; 0: as many as there are without repeating them all"""
    examples: int = Field(default=0, ge=0)
    """joined conversations: examples of a branch at most; 0: as many as there are without repeating them all"""
    base: Name | Literal[""] = ""
    """pairs, difficulty: the stage whose model answers"""
    settings: str = ""
    """the section of this file with its settings; default: the one with its name, else its kind's"""
    file: str = ""
    """chats: conversations, JSON Lines with `messages`, below the repository"""
    beside: Name | Literal[""] = ""
    """chats: a data set of conversations that the own ones join; default: the own ones alone"""
    share: float = Field(default=0.2, gt=0, le=1)
    """chats: of the examples that are the own ones, where they join others"""
    max_repeats: int = Field(default=4, ge=1)
    """chats, joined: times that a conversation or sequence comes at most, where they join others; default of
    `joined`: 1"""
    max_tokens: int = Field(default=224, ge=16)
    """chats: longer conversations are dropped"""
    licence: str = "not stated"
    """chats: of the conversations that name none"""


KINDS: dict[str, type[Stage]] = {
    "pretrain": PretrainStage,
    "midtrain": MidtrainStage,
    "soup": SoupStage,
    "longcontext": LongContextStage,
    "sft": SftStage,
    "dpo": DpoStage,
    "rl": RlStage,
}
"""kind -> its entry"""

BUILT_IN: dict[str, dict[str, object]] = {
    **{kind: {"kind": kind} for kind in KINDS if kind != "rl"},
    "midtrain_b": {"kind": "midtrain", "order": 2},
    "longcontext_control": {"kind": "longcontext", "length": "short"},
    "sft_instruct": {"kind": "sft", "branch": "instruct"},
    "dpo_delta": {"kind": "dpo", "pairs": "delta"},
    "rlvr": {"kind": "rl", "form": "think"},
    "rlzero": {"kind": "rl", "form": "plain"},
    "rlzero_random": {"kind": "rl", "form": "plain", "reward": "random"},
}
"""names that say themselves what they are"""
