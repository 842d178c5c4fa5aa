"""lm-eval over held-out documents: write its task files, run it, take the pure results.

lm-eval's own report carries times, host names and a git hash; only log-likelihoods and the
aggregated metric leave this module.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from regrow.learn.evaluate.documents import Document

if TYPE_CHECKING:
    from regrow.learn.evaluate.lm import CheckpointLM

TEMPLATE = Path(__file__).parent / "tasks" / "bits_per_byte.yaml"
GROUP = "regrow_heldout"
LN2 = 0.6931471805599453


def task_names(domains: Sequence[str], start: str = "heldout") -> dict[str, str]:
    """Domain -> lm-eval task name (letters, digits, `_`), unique, in the order of the domains."""
    names: dict[str, str] = {}
    for domain in sorted(set(domains)):
        base = name = f"{start}_" + (re.sub(r"[^a-z0-9]+", "_", domain.lower()).strip("_") or "x")
        number = 2
        while name in names.values():
            name, number = f"{base}_{number}", number + 1
        names[domain] = name
    return names


def write_tasks(
    documents: Sequence[Document], folder: Path, cache: Path | None = None
) -> dict[str, str]:
    """Write a YAML task and its JSON lines per domain, and the group of them, to `folder`.

    `lm_eval run --include_path FOLDER --tasks regrow_heldout` scores any other model on the
    same documents. `cache` is where `datasets` keeps its copy (default: its own place).
    Returns domain -> task name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = task_names([document.domain for document in documents])
    template = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))
    for domain, name in names.items():
        lines = [
            json.dumps({"id": d.id, "url": d.url, "text": d.text}, ensure_ascii=False)
            for d in documents
            if d.domain == domain
        ]
        data = folder / f"{name}.jsonl"
        data.write_text("\n".join(lines) + "\n", encoding="utf-8")
        files: dict[str, Any] = {"data_files": {"test": str(data.resolve())}}
        if cache:
            files["cache_dir"] = str(cache)
        task = {"task": name, **template, "dataset_kwargs": files}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(task, sort_keys=False), "utf-8")
    group = {"group": GROUP, "task": list(names.values())}
    (folder / f"{GROUP}.yaml").write_text(yaml.safe_dump(group, sort_keys=False), "utf-8")
    return names


def evaluate(lm: CheckpointLM, folder: Path, names: Sequence[str]) -> Any:
    """lm-eval's report on the tasks of these names in `folder`, with its samples."""
    from lm_eval import evaluator
    from lm_eval.tasks import TaskManager

    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    manager = TaskManager(include_path=str(folder), include_defaults=False)
    loaded = manager.load(list(names))
    return evaluator.evaluate(lm, loaded, bootstrap_iters=0, log_samples=True)


def bits(documents: Sequence[Document], names: Mapping[str, str], report: Any) -> dict[str, float]:
    """Document id -> bits that the model needs for its text, from lm-eval's report.

    Raises:
        RuntimeError: lm-eval scored other texts, or its metric disagrees with its samples.
    """
    found: dict[str, float] = {}
    for domain, name in names.items():
        expected = {d.id: d for d in documents if d.domain == domain}
        nats, size = 0.0, 0
        for sample in report["samples"][name]:
            document = expected.pop(sample["doc"]["id"], None)
            if document is None or sample["arguments"][0][0] != document.text:
                raise RuntimeError(f"lm-eval task {name}: scored a text that was not asked for")
            value = float(sample["resps"][0][0])
            found[document.id] = -value / LN2
            nats, size = nats + value, size + document.size
        metric = float(report["results"][name]["bits_per_byte,none"])
        if expected or abs(metric + nats / LN2 / size) > 1e-9 * max(1.0, metric):
            raise RuntimeError(
                f"lm-eval task {name}: bits_per_byte {metric} does not follow from its samples "
                f"({-nats / LN2 / size}; {len(expected)} documents missing)"
            )
    return found
