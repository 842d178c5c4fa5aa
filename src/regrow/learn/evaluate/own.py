"""lm-eval tasks of one's own: YAML files in `evals/`, with their rows beside them.

The rows are read by decontamination as every item of `evals/` is, so that no training data holds them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from regrow.learn.evaluate import harness
from regrow.learn.evaluate.items import Item
from regrow.learn.evaluate.lm import CheckpointLM

START = "task:"
"""the probes of such tasks are called `task:<name>:<metric>`"""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,60}")


def measure(lm: CheckpointLM, evals: Path, names: Sequence[str], work: Path) -> list[Item]:
    """An item per row and metric of each task.

    Args:
        lm: the model as lm-eval sees it: a text is continued.
        evals: the folder with `<name>.yaml` of each task, and the rows that it names.
        names: of the tasks.
        work: a folder for lm-eval.

    Raises:
        ValueError: a file is missing, says what is not supported here, or a metric is no number per row.
    """
    work.mkdir(parents=True, exist_ok=True)
    for name in names:
        task = _task(evals, name, work / "cache")
        (work / f"{name}.yaml").write_text(yaml.safe_dump(task, sort_keys=False), "utf-8")
    report = harness.evaluate(lm, work, names)
    found: list[Item] = []
    for name in names:
        samples = report["samples"][name]
        for sample in samples:
            row = str(sample["doc"].get("id", sample["doc_id"]))
            for metric in sample["metrics"]:
                value = sample[metric]
                if not isinstance(value, bool | int | float):
                    raise ValueError(
                        f"evals/{name}.yaml: {metric} gives no number per row; use acc, acc_norm, exact_match or the "
                        "like."
                    )
                found.append(Item(f"{START}{name}:{metric}", row, name, 0, float(value)))
    return found


def _task(evals: Path, name: str, cache: Path) -> dict[str, Any]:
    """A task file with the places of its rows made whole."""
    path = evals / f"{name}.yaml"
    where = f"evals/{name}.yaml"
    if not _NAME.fullmatch(name):
        raise ValueError(f"evaluate.tasks: {name!r} is no name of a task.")
    if not path.is_file():
        have = ", ".join(sorted(p.stem for p in evals.glob("*.yaml"))) or "none"
        raise ValueError(f"evaluate.tasks: no {where}; there are {have}.")
    try:
        task = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(
            f"{where}: not plain YAML (tags such as !function run code): {error}"
        ) from None
    if not isinstance(task, dict) or task.get("dataset_path") != "json":
        raise ValueError(f"{where}: wants `dataset_path: json` and the rows in a file of evals/.")
    given = (task.get("dataset_kwargs") or {}).get("data_files")
    if not isinstance(given, dict) or not given:
        raise ValueError(f"{where}: wants dataset_kwargs.data_files, a file of rows per split.")
    files = {}
    for split, file in sorted(given.items()):
        place = evals / str(file)
        if Path(str(file)).name != str(file) or not place.is_file():
            raise ValueError(f"{where}: data_files.{split}: no file evals/{file}.")
        files[str(split)] = str(place.resolve())
    kwargs = {"data_files": files, "cache_dir": str(cache)}
    return task | {"task": name, "dataset_kwargs": kwargs}
