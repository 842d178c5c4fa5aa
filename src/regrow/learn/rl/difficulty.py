"""The difficulty step: how often the policy answers each prompt right, and which prompts are kept.

Offline filter of OLMo 3 (report, section 4.4.2): prompts that the model solves too often teach
nothing, as all answers of a group are then rewarded alike.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from regrow.data.tables import parquet
from regrow.data.tables.conservation import conserved
from regrow.learn.model import files
from regrow.learn.rl.ask import Asker
from regrow.learn.rl.prompts import choose, load_tokenizer
from regrow.learn.train import runtime
from regrow.numerics.torch.install import install
from regrow.params.posttrain import Difficulty

SCHEMA: dict[str, Any] = {
    "task": pl.String,
    "family": pl.String,
    "domain": pl.String,
    "question": pl.String,
    "prompt": pl.List(pl.Int64),
    "verifier": pl.String,
    "arguments": pl.String,  # JSON
    "passes": pl.Int64,
    "samples": pl.Int64,
    "kept": pl.Boolean,
}


def run(
    inputs: dict[str, Path],
    params: Any,
    output: Path,
    *,
    form: str,
    seed: int,
    settings: str = "difficulty",
) -> dict[str, Any]:
    """Fill `output` with prompts.parquet (every prompt asked) and drops.parquet (those not kept).

    Inputs: `policy` (a checkpoint), `tasks`, `tokenizer`. A prompt is dropped when it is passed by
    more than `max_pass_rate` of its samples. Returns counts, and passes by family.

    Raises:
        ValueError: no task can be asked, or none is kept.
    """
    runtime.prepare()
    p: Difficulty = getattr(params, settings)
    model = install(files.load(inputs["policy"]))
    tokenizer = load_tokenizer(inputs["tokenizer"])
    key = f"difficulty {form} {p.seed + seed}"
    prompts, drops = choose(
        inputs["tasks"] / "train.parquet",
        tokenizer,
        form,
        count=p.prompts,
        room=int(model.config.max_position_embeddings) - p.max_new_tokens,
        key=key,
        step="difficulty",
    )
    asker = Asker(tokenizer, form, max_new_tokens=p.max_new_tokens, temperature=p.temperature)
    names = [(key, prompt.task) for prompt in prompts]
    answers = asker.ask(model, prompts, p.samples, names, f"difficulty: {form}")
    rows = []
    long = len(drops)
    for prompt, own in zip(prompts, answers, strict=True):
        passes = sum(answer.verdict.passed for answer in own)
        rate = passes / len(own)
        kept = rate <= p.max_pass_rate
        values = asdict(prompt)
        values["prompt"] = values.pop("tokens")
        rows.append(values | {"passes": passes, "samples": len(own), "kept": kept})
        if not kept:
            drops.append(
                {
                    "id": prompt.task,
                    "step": "difficulty",
                    "reason": "too_easy",
                    "value": rate,
                    "threshold": p.max_pass_rate,
                    "detail": prompt.family,
                }
            )
    chosen = [str(row["task"]) for row in rows if row["kept"]]
    dropped = [str(drop["id"]) for drop in drops[long:]]
    conserved("difficulty", "prompts", [prompt.task for prompt in prompts], chosen, dropped)
    table = pl.DataFrame(rows, schema=SCHEMA).sort("task")
    output.mkdir(parents=True, exist_ok=True)
    parquet.write(table, output / "prompts.parquet")
    parquet.write(parquet.drops(drops), output / "drops.parquet")
    return _counts(rows, drops, p)


def _counts(
    rows: list[dict[str, Any]], drops: list[dict[str, object]], p: Difficulty
) -> dict[str, Any]:
    kept = sum(row["kept"] for row in rows)
    families = sorted({row["family"] for row in rows})
    if not kept:
        raise ValueError(
            f"all {len(rows)} prompts were passed by more than {p.max_pass_rate} of their samples: "
            "raise difficulty.max_pass_rate or difficulty.samples"
        )
    reasons = sorted({str(row["reason"]) for row in drops})
    return {
        "in": kept + len(drops),
        "kept": kept,
        "dropped": {r: sum(row["reason"] == r for row in drops) for r in reasons},
        "passes": {
            family: {
                "passes": sum(row["passes"] for row in rows if row["family"] == family),
                "samples": sum(row["samples"] for row in rows if row["family"] == family),
            }
            for family in families
        },
    }
