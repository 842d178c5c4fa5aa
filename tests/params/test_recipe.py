"""Recipes: what an entry leaves out follows from its kind and the stages above; what cannot be is said with the fix."""

from __future__ import annotations

from pathlib import Path
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


BOTH = {"midtrain_data": 0.7, "mine": 0.3}


def test_a_mapping_of_a_stage_means_a_data_set_that_is_joined() -> None:
    mine = {"mine": {"kind": "midtrain_data"}}
    found = recipe(
        "pretrain", {"midtrain": {"data": BOTH}}, {"midtrain_b": {"data": dict(BOTH)}}, "soup", datasets=[mine]
    )  # fmt: skip
    assert [s.data for s in found.stages] == ["pack", "joined_midtrain", "joined_midtrain", ""]
    assert began(found)["soup"] == ("midtrain", "midtrain_b")
    named = recipe(
        "pretrain", {"midtrain": {"data": "both"}},
        datasets=[mine, {"both": {"kind": "joined", "of": BOTH}}],
    )  # fmt: skip
    one, other = (
        {s.name: s for s in table.recipe(p.model_dump(mode="json"))}[name]
        for p, name in ((found, "joined_midtrain"), (named, "both"))
    )
    assert (one.function, one.options, one.inputs) == (other.function, other.options, other.inputs)
    assert one.options == {"shares": BOTH, "tokens": 0, "max_repeats": 1}


def test_steps_of_joined_data_sets() -> None:
    """Parts come first; anneal reads the part with components; forks and takedowns have a step of their own."""
    raw = {
        "stages": [
            "pretrain", {"midtrain": {"data": BOTH}}, "longcontext", {"sft": {"data": {"sft_data": 0.9, "ours": 0.1}}},
        ],
        "datasets": [{"mine": {"kind": "midtrain_data"}}, {"ours": {"kind": "chats", "file": "o.jsonl"}}],
    }  # fmt: skip
    forked = {"fork": {"name": "f", "stage": "midtrain", "checkpoint": 200, "chats": True}}
    for more, wanted in (
        ({}, {"midtrain.000400": "joined_midtrain", "sft.000720": "joined_sft"}),
        (
            forked,
            {
                "midtrain.000200": "joined_midtrain",
                "midtrain.000400": "forkjoin_joined_midtrain.f",
                "sft.000720": "forkjoin_joined_sft.f",
            },
        ),
        (
            {"takedown": {"name": "t", "first": {"midtrain": 801, "longcontext": 1}}},
            {
                "midtrain.000400": "joined_midtrain",
                "longcontext.000120": "longcontext_data_masked.t",
            },
        ),
        (
            {"takedown": {"name": "t", "first": {"midtrain": 300}}},
            {"midtrain.000200": "joined_midtrain", "midtrain.000400": "joined_midtrain_masked.t"},
        ),
    ):
        from regrow.engine import jobs

        params = check(raw | more, "mine.yaml")
        flow = jobs.flow().under(params.model_dump(mode="json"))
        unfolded = jobs.expand(
            flow, flow.instances(params), table.inherited(params), table.first_affected(params)
        )
        read = {n: {i.name: i.job for i in job.inputs} for n, job in unfolded.items()}
        assert {name: read[name]["data"] for name in wanted} == wanted
        assert read["anneal"]["midtrain_data"] == "midtrain_data"
        assert read["joined_midtrain"] == {"midtrain_data": "midtrain_data", "mine": "mine"}
        if "fork" in more:
            assert read["forkjoin_joined_midtrain.f"] == {
                "midtrain_data": "forkmix.f",
                "mine": "forkmix_mine.f",
            }
            assert read["longcontext_data"]["midtrain_data"] == "forkjoin_joined_midtrain.f"


def test_a_stage_is_evaluated_with_the_probes_that_it_names(tmp_path: Path) -> None:
    found = recipe(
        "pretrain", "midtrain", {"sft": {"evaluated": ["answers", "preferences"]}}, "dpo"
    )
    steps = {step.name: step for step in table.recipe(found.model_dump(mode="json"))}
    probes = steps["evaluate"].options_of("sft-000720")["probes"]
    assert probes == {"form": "think", "preferences": 1, "tasks": 0}
    assert steps["evaluate"].options_of("midtrain-000400")["probes"]["text"] == 1
    few = recipe("pretrain", {"midtrain": {"evaluated": ["text"]}})
    steps = {step.name: step for step in table.recipe(few.model_dump(mode="json"))}
    assert steps["evaluate"].options_of("midtrain-000400")["probes"] == {
        "form": "plain", "text": 1, "answers": "none", "tasks": 0,
    }  # fmt: skip
    file = tmp_path / "mine.yaml"
    for probe, words in (
        ("tools", "`tools`: a stage of sft in this place of the recipe cannot have it. It can have: answers, untrained."),
        ("tasks", "`tasks`: `evaluate.tasks` names no task. It can have: answers, "),
    ):  # fmt: skip
        file.write_text(
            f"stages: [pretrain, {{sft: {{evaluated: [{probe}]}}}}, {{sft_instruct: {{base: sft}}}}]\n"
        )
        with pytest.raises(ParamsError) as caught:
            table.load(file)
        assert f"mine.yaml: stages: sft.evaluated: {words}" in str(caught.value)
    file.write_text(
        "stages: [pretrain, {sft: {evaluated: [tasks]}}]\nevaluate: {tasks: [parity]}\n"
    )
    assert table.load(file).stages[1].evaluated == ("tasks",)


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
    ({"stages": ["pretrain", {"midtrain": {"data": {"midtrain_data": 0.7, "pack": 0.2}}}]}, "stages: midtrain.data: shares must sum to 1, got {'midtrain_data': 0.7, 'pack': 0.2}, which sum to 0.9"),
    ({"stages": ["pretrain", {"midtrain": {"data": {"midtrain_data": 1.5, "pack": -0.5}}}]}, "stages: midtrain.data.pack: a share must be a number above 0, got -0.5"),
    ({"stages": ["pretrain", {"midtrain": {"data": {"midtrain_data": "most", "pack": 0.5}}}]}, "midtrain.data.midtrain_data: a share must be a number above 0, got 'most'"),
    ({"stages": ["pretrain", {"midtrain": {"data": {"midtrain_data": 1.0}}}]}, "midtrain.data: shares are of two data sets at least, got {'midtrain_data': 1.0}. Fix: `data: midtrain_data` reads one alone"),
    ({"stages": ["pretrain", {"midtrain": {"data": {"midtrain_data": 0.7, "packk": 0.3}}}]}, "midtrain.data.packk: no data set `packk`. Did you mean `pack`?"),
    ({"stages": ["pretrain", {"midtrain": {"data": {"midtrain_data": 0.7, "sft_data": 0.3}}}]}, "midtrain.data: `sft_data`, a part of `joined_midtrain`, is made by sft_data; midtrain reads midtrain_data"),
    ({"stages": ["pretrain", {"midtrain": {"data": "both"}}], "datasets": [{"both": {"kind": "joined", "of": {"midtrain_data": 0.7, "longcontext_data": 0.3}}}]}, "midtrain.data: `longcontext_data`, a part of `both`, is made by longcontext_data; midtrain reads midtrain_data"),
    ({"stages": ["pretrain"], "datasets": [{"both": {"kind": "joined", "of": {"midtrain_data": 0.7, "sft_data": 0.3}}}]}, "datasets: both.of: `midtrain_data` and `sft_data` cannot be joined: packed text and conversations. Fix: "),
    ({"stages": ["pretrain", {"dpo": {"data": {"pairs": 0.5, "pairs2": 0.5}}}]}, "dpo: a stage that speaks the chat form must come before it"),
    ({"stages": ["pretrain"], "datasets": [{"mine": {"kind": "pairs"}}, {"both": {"kind": "joined", "of": {"midtrain_data": 0.7, "mine": 0.3}}}]}, "datasets: both.of.mine: `mine` is made by pairs, which cannot be joined"),
    ({"stages": ["pretrain"], "datasets": [{"one": {"kind": "joined", "of": {"midtrain_data": 0.7, "pack": 0.3}}}, {"two": {"kind": "joined", "of": {"midtrain_data": 0.7, "one": 0.3}}}]}, "datasets: two.of.one: `one` is joined itself. Fix: name its parts"),
    ({"stages": ["pretrain", {"midtrain": {"data": {"midtrain_data": 0.7, "mine": 0.3}}}], "datasets": [{"mine": {"kind": "midtrain_data"}}], "mine": {"sequence_length": 128}}, "datasets: joined_midtrain.of: sequences of one length can be joined; midtrain_data.sequence_length is 256 and mine.sequence_length is 128"),
    ({"stages": ["pretrain"], "datasets": [{"both": {"kind": "joined", "of": {"midtrain_data": 0.7, "pack": 0.3}, "examples": 9}}]}, "datasets: both.examples: it joins packed text. Fix: say `tokens` instead"),
    ({"stages": ["pretrain"], "datasets": [{"both": {"kind": "joined", "of": {"midtrain_data": 0.7, "pack": 0.3}, "tokens": 9}}]}, "datasets: both.tokens: must be one sequence (256 tokens) at least, got 9"),
    ({"stages": ["pretrain"], "datasets": [{"mine": {"kind": "midtrain_data", "of": {"pack": 1.0}}}]}, "datasets: mine.of"),
    ({"stages": ["pretrain", {"a_stage_with_quite_a_long_name": {"kind": "midtrain", "data": {"midtrain_data": 0.7, "pack": 0.3}}}]}, "would be longer than 31 letters. Fix: name it under `datasets`"),
    ({"stages": ["pretrain", {"sft": {"evaluated": ["answres"]}}]}, "stages: sft.evaluated: no probe `answres`. Did you mean `answers`?"),
    ({"stages": ["pretrain", {"sft": {"evaluated": []}}]}, "sft.evaluated: no probe is named. Fix: name one of text, answers, "),
    ({"stages": ["pretrain", {"sft": {"evaluated": "answers"}}]}, "sft.evaluated"),
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
