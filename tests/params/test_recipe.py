"""Recipes: what an entry leaves out follows from its kind and the stages above; what cannot be is said with the fix."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.params import points
from regrow.params.registry import BUILT_IN, KINDS
from regrow.params.schema import Params, ParamsError, check, json_schema
from regrow.recipe import table


def recipe(*stages: Any, **more: Any) -> Params:
    return check({"stages": list(stages), **more}, "mine.yaml")


def began(params: Params) -> dict[str, tuple[str, ...]]:
    return {stage.name: stage.base for stage in params.stages}


def test_the_default_is_the_recipe_after_olmo_3() -> None:
    found = Params()
    assert began(found) == {
        "pretrain": (),
        "midtrain": ("pretrain",),
        "midtrain_b": ("pretrain",),
        "soup": ("midtrain", "midtrain_b"),
        "longcontext_control": ("soup",),
        "longcontext": ("soup",),
        "sft": ("longcontext",),
        "sft_instruct": ("sft",),
        "dpo_delta": ("sft",),
        "dpo": ("sft",),
        "rlvr": ("dpo",),
        "rlzero": ("longcontext",),
        "rlzero_random": ("longcontext",),
    }
    by_name = {stage.name: stage for stage in found.stages}
    assert {n for n, s in by_name.items() if not s.released} == {
        "longcontext_control", "dpo_delta", "rlzero_random",
    }  # fmt: skip
    assert {n: s.seeds for n, s in by_name.items() if s.seeds} == dict.fromkeys(
        ("sft", "dpo", "rlvr"), (1, 2)
    )
    data = {stage.data for stage in found.stages}
    assert data == {"pack", "midtrain_data", "", "longcontext_data", "sft_data", "pairs", "difficulty", "difficulty_zero"}  # fmt: skip


@pytest.mark.parametrize(
    ("stages", "bases"),
    [
        (["pretrain", "sft"], {"sft": ("pretrain",)}),
        (["pretrain", "midtrain", "midtrain_b", "soup", "sft", "rlvr"], {"rlvr": ("sft",), "sft": ("soup",)}),
        (["pretrain", "rlzero", "rlzero_random"], {"rlzero": ("pretrain",), "rlzero_random": ("pretrain",)}),
        (["pretrain", "longcontext", "longcontext_control"], {"longcontext_control": ("pretrain",)}),
        (["pretrain", "sft", "sft_instruct", "dpo"], {"dpo": ("sft",), "sft_instruct": ("sft",)}),
        (["pretrain", "sft", "rlvr", {"again": {"kind": "rl", "base": "rlvr"}}], {"again": ("rlvr",)}),
        (["pretrain", "midtrain", {"m2": {"kind": "midtrain"}}], {"m2": ("midtrain",)}),
        (
            ["pretrain", "midtrain", "midtrain_b", {"midtrain_c": {"kind": "midtrain", "order": 3}}, "soup"],
            {"soup": ("midtrain", "midtrain_b", "midtrain_c"), "midtrain_c": ("pretrain",)},
        ),
    ],
)  # fmt: skip
def test_a_stage_begins_from_the_nearest_above_it_that_fits(
    stages: list[Any], bases: dict[str, tuple[str, ...]]
) -> None:
    found = began(recipe(*stages))
    assert {name: found[name] for name in bases} == bases


def test_what_is_learned_from_another_model_is_another_data_set() -> None:
    found = recipe(
        "pretrain", "sft", "dpo", "rlvr", {"direct": {"kind": "rl", "base": "sft", "form": "think"}}
    )
    assert {s.name: s.data for s in found.stages if s.kind == "rl"} == {
        "rlvr": "difficulty",
        "direct": "difficulty_sft",
    }
    steps = {step.name: step for step in table.recipe(found.model_dump(mode="json"))}
    policies = {n: steps[n].inputs[0].step for n in ("difficulty", "difficulty_sft")}
    assert policies == {"difficulty": "dpo", "difficulty_sft": "sft"}


def test_settings_are_those_of_the_section_with_the_name_else_of_the_kind() -> None:
    second = {"second": {"kind": "midtrain"}}
    own = recipe("pretrain", "midtrain", second, second={"steps": 10, "checkpoint_every": 5})
    assert own.model_dump()["second"]["steps"] == 10
    assert points.checkpoints(own, own.stages[2]) == [5, 10]
    plain = recipe("pretrain", "midtrain", second, midtrain={"steps": 8, "checkpoint_every": 4})
    assert [s.settings for s in plain.stages] == ["pretrain", "midtrain", "midtrain"]
    assert points.checkpoints(plain, plain.stages[2]) == [4, 8]


def test_checkpoints_may_be_named() -> None:
    found = recipe("pretrain", {"sft": {"checkpoints": [480, 240]}})
    assert points.checkpoints(found, found.stages[1]) == [240, 480]
    last = recipe("pretrain", {"sft": {"checkpoints": "last"}})
    assert points.checkpoints(last, last.stages[1]) == [720]


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"stages": ["pretrain", "sfft"]}, "stages: `sfft` has no kind. Did you mean `sft`?"),
    ({"stages": ["pretrain", {"own": {}}]}, "stages: `own` has no kind. Say `own: {kind: pretrain | "),
    ({"stages": ["pretrain", {"own": {"kind": "sfft"}}]}, "stages: own.kind: no kind `sfft`. Did you mean `sft`?"),
    ({"stages": ["pretrain", {"sft": {"base": "pretrian"}}]}, "sft.base: no stage `pretrian`. Did you mean `pretrain`?"),
    ({"stages": ["pretrain", {"sft": {"base": "sft"}}]}, "sft.base: a stage cannot begin from itself"),
    ({"stages": ["pretrain", {"midtrain": {"base": "later"}}, {"later": {"kind": "midtrain", "base": "midtrain"}}]}, "in a cycle if `later` began from it. Fix: put `later` above `midtrain`"),
    ({"stages": ["pretrain", "rlvr"]}, "`pretrain` has never seen the chat form that `rlvr` asks in. Fix: put `sft`"),
    ({"stages": ["pretrain", "dpo"]}, "dpo: a stage that speaks the chat form must come before it. Fix: put `sft`"),
    ({"stages": ["pretrain", "sft", "sft_instruct", {"dpo": {"base": "sft_instruct"}}]}, "which `sft_instruct` (branch instruct) does not speak"),
    ({"stages": ["pretrain", "sft", {"midtrain": {"base": "sft"}}]}, "`sft` is tuned to chat; begin from a base model"),
    ({"stages": ["sft"]}, "sft: a stage must come before it. Fix: put `pretrain` above it"),
    ({"stages": ["pretrain", "midtrain", "soup"]}, "soup: a soup averages two runs at least, and there are 1 above it. Fix: add `midtrain_b`"),
    ({"stages": ["pretrain", "pretrain"]}, "`pretrain` comes twice"),
    ({"stages": [{"pretrain": {"base": "sft"}}]}, "pretrain.base: no stage `sft`"),
    ({"stages": ["pretrain", {"sft": {"sheds": [1]}}]}, "sft.sheds: unknown key. Did you mean `seeds`?"),
    ({"stages": ["pretrain", {"sft": {"branch": "thinking"}}]}, "sft.branch: Input should be 'think' or 'instruct', got 'thinking'"),
    ({"stages": ["pretrain", {"sft": {"data": "chatz"}}], "datasets": [{"chats": {"kind": "chats", "file": "c.jsonl"}}]}, "sft.data: no data set `chatz`. Did you mean `chats`?"),
    ({"stages": ["pretrain", {"sft": {"data": "mix2"}}], "datasets": [{"mix2": {"kind": "midtrain_data"}}]}, "sft.data: `mix2` is made by midtrain_data; sft reads sft_data or chats"),
    ({"stages": ["pretrain", {"sft": {"settings": "sftt"}}]}, "sft.settings: no section `sftt`. Did you mean `sft`?"),
    ({"stages": ["pretrain", {"sft": {"checkpoints": [9_999]}}]}, "sft.checkpoints: step 9999 is beyond sft.steps (720)"),
    ({"stages": ["pretrain", "midtrain", {"m2": {"kind": "midtrain"}}, {"soup": {"base": ["midtrain", "m2"]}}], "m2": {"steps": 10, "checkpoint_every": 5}}, "soup.base: runs of one length can be averaged; these end at different steps (midtrain at 400, m2 at 10)"),
    ({"stages": ["pretrain", {"sft": {"settings": "pack"}}]}, "sft.settings: `pack` has no settings of sft. Fix: name a section with those of `sft`"),
    ({"stages": [{"pretrain": {"seeds": [1]}}]}, "pretrain.seeds: "),
    ({"stages": [{"pretrain": {"form": "think"}}]}, "pretrain.form: Input should be 'plain', got 'think'"),
    ({"stages": ["pretrain", {"midtrain": {"order": "x"}}]}, "midtrain.order: "),
    ({"stages": ["pretrain", "sft"], "datasets": [{"own": {"kind": "chats", "file": "a.jsonl", "beside": "sfdata"}}]}, "datasets: own.beside: no data set of conversations `sfdata`. Did you mean `sft_data`?"),
    ({"stages": ["pretrain", "sft"], "datasets": [{"own": {"kind": "pairs", "base": "sftt"}}]}, "datasets: own.base: no stage `sftt`. Did you mean `sft`?"),
    ({"stages": ["pretrain", "sft"], "datasets": [{"own": {"kind": "chats"}}]}, "`own`: chats need `file`"),
    ({"stages": ["pretrain", "sft"], "datasets": [{"pack": {"kind": "midtrain_data"}}]}, "datasets: `pack` is there already"),
    ({"stages": ["pretrain", {"sft_seed1": {"kind": "sft"}}]}, "`sft_seed1` is the name of something else"),
    ({"stages": ["pretrain", {"My stage": {"kind": "sft"}}]}, "`My stage` is no name of a stage"),
    ({"stages": "pretrain"}, "stages: must be a list, got 'pretrain'"),
    ({"stages": []}, "stages: no stage. Fix: name one at least"),
    ({"stages": [{"sft": 3}]}, "`sft` must be followed by a mapping, got 3"),
    ({"stages": [{"sft": {}, "dpo": {}}]}, "an entry is a name, or one name with a mapping"),
    ({"stages": ["pretrain", {"m2": {"kind": "midtrain"}}], "m2": {"stepps": 3}}, "m2.stepps: unknown key. Did you mean `steps`?"),
    ({"stages": ["pretrain"], "fork": {"name": "a", "checkpoint": 96}}, "fork.stage (pretrain): no stage that can be forked"),
    ({"stages": ["pretrain", "sft"], "fork": {"name": "a", "checkpoint": 96}}, "no stage after pretrain reads documents"),
    ({"takedown": {"name": "a", "first": {"midtrian": 3}}}, "takedown.first: no stage `midtrian`"),
    ({"midtrain2": {"steps": 3}}, "midtrain2: unknown key. Did you mean `midtrain`?"),
    ({"midmix": {"tokens": 1000}}, "midmix: unknown key. It is `midtrain_data` now."),
    ({"datasets": [{"mine": {"kind": "sftdata"}}]}, "It is `sft_data` now."),
    ({"stages": ["pretrain", {"midtrain": {"data": "midmix"}}]}, "It is `midtrain_data` now."),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "words"), MISTAKES, ids=[words[:40] for _, words in MISTAKES])
def test_a_mistake_is_named_with_its_fix(raw: dict[str, Any], words: str) -> None:
    with pytest.raises(ParamsError) as caught:
        check(raw, "mine.yaml")
    assert words in str(caught.value)
    assert str(caught.value).startswith("mine.yaml: ")


@st.composite
def _lists(draw: st.DrawFn) -> list[str]:
    names = draw(st.lists(st.sampled_from(sorted(BUILT_IN)), unique=True, max_size=8))
    return ["pretrain", *(name for name in names if name != "pretrain")]


@given(_lists())
def test_any_list_of_built_in_names_is_a_flow_or_a_named_mistake(names: list[str]) -> None:
    """Producers come before consumers, every stage is evaluated, nothing is made that nobody reads."""
    from regrow.engine import jobs

    try:
        found = recipe(*names)
    except ParamsError:
        return
    flow = jobs.flow().under(found.model_dump(mode="json"))
    unfolded = jobs.expand(flow, flow.instances(found))  # raises where a producer comes later
    evaluated = {
        job.instance.rpartition("-")[0] for job in unfolded.values() if job.step.name == "evaluate"
    }
    assert evaluated == set(names)
    read = {item.job for job in unfolded.values() for item in job.inputs}
    for name, job in unfolded.items():
        assert name in read or job.step.leaf, name
    again = check(found.model_dump(mode="json"), "again")
    assert again.model_dump() == found.model_dump()


def test_the_schema_knows_entries_and_own_sections() -> None:
    schema = json_schema()
    entry = schema["properties"]["stages"]["items"]["anyOf"][1]["additionalProperties"]
    assert set(entry["properties"]["kind"]["enum"]) == set(KINDS)
    assert {"base", "data", "settings", "seeds", "order", "branch", "reward"} <= set(
        entry["properties"]
    )
    assert all(field.get("description") for field in entry["properties"].values())
    assert {"$ref": "#/$defs/Midtrain"} in schema["additionalProperties"]["anyOf"]
