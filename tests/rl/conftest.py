"""A model that half knows its tasks, made once."""

from pathlib import Path

import pytest

import small_policy
from regrow.learn.rl import difficulty


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = small_policy.grow(tmp_path_factory.mktemp("reinforce"))
    for form in ("think", "plain"):
        made = difficulty.run(
            small_policy.inputs(root),
            small_policy.params(),
            root / f"difficulty_{form}",
            form=form,
            seed=0,
        )
        assert made["kept"] > 10
    return root
