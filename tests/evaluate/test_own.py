"""lm-eval tasks of one's own: an item per row and metric, and the same numbers anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

import recipes
import tiny_inputs
from determinism import run_twice

CODE = """
import sys
from pathlib import Path
from regrow.learn.evaluate import offline
offline.prepare()
from regrow.numerics import torch as numerics
numerics.activate()
offline.import_model_class()
from regrow.learn.evaluate import items
from regrow.learn.evaluate.measure import Subject, own
from regrow.learn.evaluate.probes import Probes
from regrow.params.evaluate import Evaluate
output, checkpoint, tokenizer, evals = map(Path, sys.argv[1:])
settings = Evaluate(tasks=["parity"], short_context=64)
subject = Subject.load(checkpoint, tokenizer, settings, Probes(form="plain"))
items.write(own(subject, evals, Path("work")), output / "items.parquet")
"""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("own")
    (root / "evals").mkdir()
    recipes.bring(root)
    return {**tiny_inputs.probes(root / "inputs"), "evals": root / "evals"}


def test_same_numbers_in_other_circumstances(inputs: dict[str, Path], tmp_path: Path) -> None:
    import polars as pl

    places = [str(inputs[name]) for name in ("checkpoint", "tokenizer", "evals")]
    assert set(run_twice(CODE, tmp_path, *places)) == {"items.parquet"}
    found = pl.read_parquet(tmp_path / "run-0/output/items.parquet")
    assert set(found["probe"]) == {"task:parity:acc"} and found.height == 8
    assert sorted(found["item"]) == [f"parity-{n}" for n in range(8)]
    assert set(found["value"]) <= {0.0, 1.0}
