"""The step: the probes that a checkpoint's stage calls for, and samples to read."""

from __future__ import annotations

import json
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from regrow.learn.evaluate import documents, items, metrics, offline, questions, results
from regrow.learn.evaluate.probes import Probes, checkpoint
from regrow.params.evaluate import Evaluate


def run(
    inputs: dict[str, Path],
    params: Any,
    output: Path,
    *,
    instance: str,
    probes: dict[str, Any],
) -> dict[str, Any]:
    """Write `results.json`, `items.parquet` and `samples.json` for the checkpoint `instance`.

    Args:
        inputs: `checkpoint` (Hugging Face format), `tokenizer`, `decontaminate`, `tasks`; for
            stages about the long context `longcontext_data`, about preferences `pairs`; for tasks of one's own
            `evals`.
        params: carries `evaluate`.
        output: the folder to fill.
        instance: stage and training step, `rlvr-000080` or `rlvr_seed1-000080`.
        probes: the fields of `probes.Probes` that are not at their defaults.

    Returns:
        Counts: items, and the value of every probe.

    Raises:
        ValueError: not such an instance; nothing to score or to ask.
    """
    settings: Evaluate = params.evaluate
    named, plan = checkpoint(instance), Probes(**probes)
    offline.prepare()
    from regrow.numerics import torch as numerics

    numerics.activate()
    offline.import_model_class()
    from regrow.learn.evaluate.measure import Subject, answers, long, own, preference, text
    from regrow.learn.evaluate.samples import ask, grow

    subject = Subject.load(inputs["checkpoint"], inputs["tokenizer"], settings, plan)
    found: list[items.Item] = []
    shown: dict[str, Any] = {}
    output.mkdir(parents=True, exist_ok=True)
    work = output / ".work"
    try:
        if plan.text:
            chosen = documents.choose(inputs["decontaminate"] / "heldout.parquet", settings)
            print(f"evaluate {instance}: {len(chosen)} documents", file=sys.stderr)
            cost, more = text(subject, chosen, inputs["tasks"], work)
            shown = results.assemble(chosen, cost, settings)
            found += more
        found += answers(subject, inputs["tasks"], work)
        if settings.tasks and plan.tasks:
            print(f"evaluate {instance}: {', '.join(settings.tasks)}", file=sys.stderr)
            found += own(subject, inputs["evals"], work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if plan.long:
        print(f"evaluate {instance}: long context", file=sys.stderr)
        found += long(subject, inputs["longcontext_data"])
    if plan.preferences:
        print(f"evaluate {instance}: preferences", file=sys.stderr)
        found += preference(subject, inputs["pairs"])
    items.write(found, output / "items.parquet")
    figures = metrics.figures(found, settings.bootstrap, settings.seed)
    shown |= {
        "checkpoint": instance,
        "stage": named.stage,
        "seed": named.seed,
        "form": plan.form,
        "split": settings.split,
        "context": subject.context,
        "harness": f"lm-eval {version('lm-eval')}",
        "trained": _trained(inputs["checkpoint"] / "state.json"),
        "probes": figures,
    }
    results.write(shown, output / "results.json")
    readable = grow(subject.model, subject.vocabulary, settings) if plan.text else []
    # From the dev split: nobody reads answers to the test.
    asked = questions.choose(inputs["tasks"], "dev", 1, settings.seed)
    asked += questions.with_tools(asked)[:2] if plan.tools else []
    readable += ask(subject.model, subject.vocabulary, asked, plan.form, settings)
    results.write(
        {"checkpoint": instance, "temperature": settings.temperature, "samples": readable},
        output / "samples.json",
    )
    counts: dict[str, Any] = {"items": len(found)}
    if plan.text:
        overall = shown["overall"]
        counts |= {name: overall[name] for name in ("documents", "bytes", "bits_per_byte")}
    return counts | {name: figure["value"] for name, figure in figures.items()}


def _trained(path: Path) -> dict[str, int]:
    """Steps and tokens that the checkpoint has seen, as far as its state says."""
    if not path.is_file():
        return {}
    state = json.loads(path.read_text(encoding="utf-8"))
    return {name: state[name] for name in ("step", "tokens") if isinstance(state.get(name), int)}
