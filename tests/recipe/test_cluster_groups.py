"""Steps that a cluster's profile lets travel together: nothing that is made outside comes between two of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import default_flow
from regrow.params.schema import Params

ROOT = Path(__file__).parents[2]
NOTES = {"files": ["notes/*.md"], "licence": "CC0-1.0", "origin": "a test", "shards": 3}
RECIPES: dict[str, dict[str, Any]] = {
    "default": {},
    "cut": {"parts": 4},
    "sources, cut": {"parts": 4, "sources": [{"notes": NOTES}], "stages": ["pretrain"]},
}


def grouped(profile: str) -> dict[str, str]:
    text = (ROOT / f"workflow/profiles/{profile}/config.yaml").read_text(encoding="utf-8")
    pairs = (pair.split("=") for pair in yaml.safe_load(text)["groups"])
    return {step: group for step, group in pairs}


def between(groups: dict[str, str], needs: dict[str, set[str]]) -> list[tuple[str, str]]:
    """(step outside, group) where the step needs one of the group, and one of the group needs it."""

    def before(step: str) -> set[str]:
        found: set[str] = set()
        queue = [step]
        while queue:
            for other in needs[queue.pop()] - found:
                found.add(other)
                queue.append(other)
        return found

    every = {step: before(step) for step in needs}
    return [
        (step, group)
        for group in sorted(set(groups.values()))
        for step in needs
        if groups.get(step) != group
        and any(groups.get(other) == group for other in every[step])
        and any(groups.get(other) == group and step in every[other] for other in needs)
    ]


def needed(raw: dict[str, Any]) -> dict[str, set[str]]:
    steps = default_flow.flow(Params.model_validate(raw)).steps
    names = {step.name for step in steps}
    return {s.name: {i.step for i in s.inputs if i.step in names} for s in steps}


@pytest.mark.parametrize("profile", ["slurm", "kubernetes"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_no_step_comes_between_two_of_a_group(profile: str, recipe: str) -> None:
    groups = {
        k: v for k, v in grouped(profile).items() if v != "report"
    }  # single jobs, side by side
    assert between(groups, needed(RECIPES[recipe])) == []


def test_one_that_does_is_found() -> None:
    groups = {"dedup": "data", "decontaminate": "data"}
    assert between(groups, needed({})) == []
    found = between(groups, needed({"parts": 4}))
    assert found == [("decontaminate_heldout", "data"), ("decontaminate_part", "data")]
