"""The flow of the recipe after Olmo 3, or of another one, for tests that look at its steps."""

from __future__ import annotations

from typing import Any

from regrow.engine import jobs
from regrow.engine.jobs import Flow
from regrow.engine.step import Step
from regrow.params.schema import Params
from regrow.recipe import table
from regrow.recipe.lines import Recipe

STEPS: tuple[Step, ...] = table.default()
BY_NAME: dict[str, Step] = {step.name: step for step in STEPS}
RECIPE = Recipe(Params().model_dump(mode="json"))


def flow(params: Any = None) -> Flow:
    """The flow under params; default: those of the default recipe."""
    return jobs.flow().under((params or Params()).model_dump(mode="json"))


def checkpoints() -> dict[str, dict[str, Any]]:
    """Stage -> its entry in the default recipe."""
    return {entry["name"]: dict(entry) for entry in RECIPE.stages}
