"""The entries of `stages` and `datasets` in a params file: what a stage of any kind may say, and a data set.

A short entry says its name alone; `regrow.params.recipe` fills in the rest and checks the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
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

    names: ClassVar[Mapping[str, Mapping[str, object]]] = {}
    """built-in names of stages of the kind -> what each says beside it"""
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

    @classmethod
    def section(cls, said: Mapping[str, Any]) -> str:
        """The section with the settings of a stage whose entry says this; "" for a kind without settings."""
        return str(cls.model_fields["kind"].default)


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
