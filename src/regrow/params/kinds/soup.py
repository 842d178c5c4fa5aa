"""A soup, the mean of several runs: what an entry of `stages` may say; it has no settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from regrow.params.stages import Stage


class Entry(Stage):
    """The mean of several runs, kept only if it wins on held-out data."""

    names = {"soup": {}}
    kind: Literal["soup"] = "soup"
    form: Literal["plain"] = "plain"
    seeds: tuple[()] = ()

    @classmethod
    def section(cls, said: Mapping[str, Any]) -> str:
        """See Stage: nothing is trained, so there are no settings."""
        return ""
