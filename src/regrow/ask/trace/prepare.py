"""Making every lookup that a question may need, so that none waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from regrow.ask.trace import forks, made, scan, takedowns
from regrow.evidence import datasets
from regrow.evidence.outputs import Outputs
from regrow.evidence.runs.examples import Table
from regrow.evidence.runs.open import last_runs
from regrow.evidence.runs.packs import Packs
from regrow.evidence.runs.rollouts import FILE, Rollouts

_BY_ID = (
    ("filter", "documents.parquet"),
    ("dedup", "documents.parquet"),
    ("decontaminate", "train.parquet"),
    ("decontaminate", "heldout.parquet"),
    ("classify", "scores.parquet"),
    ("mix", "mix.parquet"),
)


def prepare(outputs: Outputs) -> dict[str, Any]:
    """Make all lookups; returns `tables`, `lookups`, `bytes` of the folder, `folder`, and `hint`."""
    store = outputs.lookup.store
    wanted: dict[Path, set[str]] = {}
    for path, columns in _wanted(outputs):
        wanted.setdefault(path, set()).update(columns)
    for path, by in sorted(wanted.items()):
        store.rows(path)
        for column in sorted(by):
            store.tree(path, column)
    for run in last_runs(outputs):
        if isinstance(run, Table):
            run.places.rows(0, 1)
            run.places.of(0)
    files = [path for path in store.folder.iterdir() if path.suffix in (".tree", ".rows")]
    return {
        "tables": len(wanted),
        "lookups": len(files),
        "bytes": sum(path.stat().st_size for path in files),
        "folder": str(store.folder),
        "hint": outputs.hint(),
    }


def _wanted(outputs: Outputs) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Tables that are on disk, and the columns by which they are asked."""
    mixes = made.mixes(outputs.ledger)
    asked: list[tuple[str, str, tuple[str, ...]]] = []
    asked += [(*table, ("id", "url")) for table in scan.TABLES]
    asked += [(*table, ("id",)) for table in _BY_ID]
    asked += [("dedup", "drops.parquet", ("detail",)), ("crawl", "fetches.parquet", ("url",))]
    for kind, job, file in made.tables(outputs.ledger):
        asked.append((job, file, ("id", "question" if kind == "task" else "task")))
    dropping = (*datasets.EXAMPLES, *datasets.PAIRS, *datasets.PROMPTS)
    asked += [(job, "drops.parquet", ("id",)) for job in datasets.jobs(outputs.ledger, dropping)]
    asked += [(job, "documents.parquet", ("id", "parent")) for job in mixes]
    asked += [(job, "drops.parquet", ("id",)) for job in mixes]
    asked += [(r.name, forks.OWN, ("id",)) for r in forks.mixes(outputs)]
    for record in forks.chats(outputs):
        asked.append((record.name, forks.OWN, ("id",)))
    asked += [(r.name, forks.HELDOUT, ("id",)) for r in forks.mixes(outputs)]
    asked += [(job, "prompts.parquet", ("task",)) for job in made.difficulties(outputs.ledger)]
    asked += [
        (record.name, "items.parquet", ("item",))
        for record in outputs.ledger.records
        if record.step.startswith("evaluate")
    ]
    asked += [(r.name, "drops.parquet", ("id",)) for r in outputs.ledger.of_step("withdraw")]
    asked += [(r.name, takedowns.TABLE, ("document",)) for r in takedowns.masks(outputs)]
    for job, file, columns in asked:
        path = outputs.path(job, file)
        if path is not None:
            yield path, columns
    for _, path in forks.tables(outputs):
        yield path, ("id", "url")
    for run in last_runs(outputs):
        if isinstance(run, Packs):
            part: Packs | None = run
            while part is not None:
                yield part.index, ("id", "start")
                part = part.before
        elif isinstance(run, Table):
            yield run.path, ("id", "task")
        elif isinstance(run, Rollouts):
            for job in run.jobs:
                path = outputs.path(job, FILE)
                if path is not None:
                    yield path, ("step", "task")
