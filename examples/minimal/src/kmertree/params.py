"""The params file: one section per step that has any."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Count(Section):
    """Words of k letters."""

    k: int = Field(default=5, ge=1, le=31)


class Compare(Section):
    """Distance of two sets of words."""

    distance: Literal["jaccard", "mash"] = "mash"


class Params(Section):
    """The whole file."""

    count: Count = Count()
    compare: Compare = Compare()
