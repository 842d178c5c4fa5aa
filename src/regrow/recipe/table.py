"""The table of steps: which function makes what, from what, under which params and arithmetic.

The recipe of the params file decides which training stages there are; `regrow.recipe.data`, `training` and `results`
name the steps that prepare their data, train them and ask about them. Functions are named, not imported: a lookup that
hits must not import torch.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regrow.engine.step import Step
from regrow.learn.evaluate import offline
from regrow.recipe import data, results, search, training
from regrow.recipe.lines import Recipe, instances

if TYPE_CHECKING:
    # pydantic costs more than a whole lookup that hits
    from regrow.params.schema import Params

STEPS: tuple[Step, ...] = ()
"""none but those that a params file calls for: see `recipe`"""


def recipe(params: Mapping[str, Any]) -> tuple[Step, ...]:
    """The steps that the values of a params file (as JSON) call for, producers before consumers."""
    asked = Recipe(params)
    steps = [*data.shared(asked), *search.steps(params)]
    for entry in asked.stages:
        there = {step.name for step in steps}
        if entry["data"]:
            steps += data.data_set(asked, entry["data"], list(there))
            steps += training.answers(asked, entry, 0, there)
        if entry["kind"] == "midtrain" and "anneal" not in there:
            steps += data.anneal(asked)
        steps.append(training.stage(asked, entry))
    steps.append(results.index(asked))
    steps.append(results.evaluate(asked))
    steps.append(results.release(asked, {step.name: step for step in steps}))
    for seed in asked.seeds:
        for entry in asked.stages:
            if seed in entry["seeds"]:
                there = {step.name for step in steps}
                steps += training.answers(asked, entry, seed, there)
                steps.append(training.stage(asked, entry, seed))
    steps += [results.evaluate(asked, seed) for seed in asked.seeds]
    return tuple(steps)


@cache
def default() -> tuple[Step, ...]:
    """The steps of the recipe after Olmo 3."""
    from regrow.params.schema import Params

    return recipe(Params().model_dump(mode="json"))


_REPETITION = re.compile(r".*_seed[0-9]+")


def is_repetition(job: str) -> bool:
    """Whether a job (`rlvr_seed1.000080`) repeats another under a further seed: a plain run makes none."""
    return _REPETITION.fullmatch(job.partition(".")[0]) is not None


def inherited(params: Params) -> list[str]:
    """Jobs that a fork takes from its parent as they are: checkpoints up to the fork point, their releases."""
    if params.fork is None:
        return []
    asked = Recipe(params.model_dump(mode="json"))
    point, found = params.fork.stage, []
    for name in (*asked.ancestors(point), point):
        for made in instances(name)(params):
            if name != point or int(made) <= params.fork.checkpoint:
                found += [f"{name}.{made}", f"release.{name}-{made}"]
    return found


def first_affected(params: Params) -> dict[str, int]:
    """Training stage -> the first of its steps that saw a document that is taken down."""
    return {str(s): n for s, n in params.takedown.first.items()} if params.takedown else {}


result = "The released checkpoint is {data}/ (model card: README.md there)."
ask = "`regrow verify`, `regrow audit {job}`, `regrow funnel` (what was dropped, and what the guards find), `regrow report`."

PARAMS_ROOT = "regrow.params.schema:Params"
"""the model of a params file; the key of a step counts the code of its sections' models"""

warm = ("torch:nn", "transformers:Olmo3ForCausalLM")
"""what each step that runs a model loads first (`regrow.engine.warm`)"""
shared = ("polars:DataFrame", "jinja2:Environment")
"""what tables are read and cards are written with"""
warm_for = {
    "regrow.learn.evaluate.step:run": (
        "lm_eval.evaluator:evaluate",
        "lm_eval.tasks:TaskManager",
        "lm_eval.api.model:TemplateLM",
        "pandas:DataFrame",
    )
}
"""lm-eval and its libraries are half of what an evaluation of a small model costs"""


mistakes = (
    "regrow.params.schema.ParamsError",
    "regrow.data.crawl.manifest.ManifestError",
    "regrow.data.sources.frozen.FrozenError",
    "regrow.data.sources.trouble.FetchError",
    "regrow.numerics.build.BuildError",
    "regrow.numerics.library.NumericsError",
    "regrow.learn.rollout.vllm.Unavailable",
    "regrow.learn.verifiers.sandbox.limits.Unavailable",
    "builtins.FloatingPointError",
)
"""what steps raise where the params, the manifest or the machine must change, and the message says how"""


def warm_start() -> None:
    """Set what such steps set before that: no vector width but AVX2 (`numerics.torch.activate`), no network."""
    os.environ.update(ATEN_CPU_CAPABILITY="avx2", ONEDNN_MAX_CPU_ISA="AVX2")
    offline.prepare()


def load(path: Path) -> Params:
    """Read and check a params file, and which probes its stages can have. Raises regrow.params.schema.ParamsError."""
    from regrow.params import schema

    params = schema.load(path)
    listed = any(not isinstance(stage.evaluated, bool) for stage in params.stages)
    if listed and (why := Recipe(params.model_dump(mode="json")).mistaken()):
        raise schema.ParamsError(f"{path}: {why}")
    return params
