"""Put the evaluations that the demo does not repeat where git carries them."""

from __future__ import annotations

import shutil
from pathlib import Path

from regrow.ask.evals.read import Evaluations
from regrow.evidence.outputs import PUBLISHED

FILES = ("results.json", "items.parquet")
"""what the tables, gains and plots read"""


def publish(evaluations: Evaluations) -> list[str]:
    """Copy results and items of the evaluations under further seeds into `published/`.

    Evaluations there of jobs that have no record are removed; whatever else is there (the store) stays.
    Returns the names of the jobs that are published now.
    """
    folder = evaluations.ledger.root / PUBLISHED
    names = [e.record.name for e in evaluations.all if e.about.seed]
    for name in names:
        for file in FILES:
            path = evaluations.outputs.path(name, file)
            target = folder / name / file
            if path is not None and path != target:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
    for left in sorted(folder.iterdir()) if folder.is_dir() else []:
        if left.name not in evaluations.ledger.by_name and _evaluation(left):
            shutil.rmtree(left)
    return names


def _evaluation(folder: Path) -> bool:
    """Whether a folder holds what this module puts into one, and nothing else."""
    return folder.is_dir() and {p.name for p in folder.iterdir()} in ({*FILES}, {FILES[0]})
