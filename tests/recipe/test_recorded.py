"""A recipe comes back from the records of its run."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.engine import jobs
from regrow.params.registry import BUILT_IN
from regrow.params.schema import Params, ParamsError, check
from regrow.recipe.recorded import recipe

OWN: list[dict[str, Any]] = [
    {"stages": ["pretrain", "sft"]},
    {"stages": ["pretrain", "rlzero", "rlzero_random"]},
    {
        "stages": [
            "pretrain",
            "midtrain",
            {"second": {"kind": "midtrain"}},
            {"second_b": {"kind": "midtrain", "order": 2, "settings": "second"}},
            {"second_c": {"kind": "midtrain", "order": 3, "settings": "second"}},
            "soup",
            {"sft": {"seeds": [3]}},
        ],
        "second": {"steps": 40, "checkpoint_every": 20},
    },
    {
        "stages": ["pretrain", {"sft": {"data": "ours"}}, {"dpo": {"data": "mine"}}],
        "datasets": [
            {"ours": {"kind": "chats", "file": "datasets/o.jsonl", "beside": "sft_data", "share": 0.5}},
            {"mine": {"kind": "pairs", "settings": "mine", "base": "sft"}},
        ],
        "mine": {"prompts": 7},
    },
    {
        "stages": [
            "pretrain",
            {"midtrain": {"data": {"midtrain_data": 0.7, "mine": 0.3}, "evaluated": ["text", "untrained"]}},
            {"sft": {"data": "both"}},
        ],
        "datasets": [
            {"mine": {"kind": "midtrain_data"}},
            {"ours": {"kind": "chats", "file": "datasets/o.jsonl"}},
            {"both": {"kind": "joined", "of": {"sft_data": 0.75, "ours": 0.25}, "examples": 40, "max_repeats": 3}},
        ],
    },
    {"stages": ["pretrain", {"sft": {"evaluated": ["answers"]}}]},
    {"stages": ["pretrain", "sft"], "parts": 12},
    {
        "stages": ["pretrain", "sft"],
        "sources": [
            {"notes": {"files": ["notes/**/*.md", "plan.md"], "licence": "CC0-1.0", "origin": "our wiki", "shards": 16}},
            "crawl",
            {"dump": {"files": "dump", "kind": "jsonl", "licence": "unknown", "origin": "a dump", "fields": {"text": "body"},
                      "metadata": ["lang"], "max_row_bytes": 2000}},
        ],
    },
]  # fmt: skip


def records(params: Params) -> list[dict[str, Any]]:
    """What a run leaves, as far as a recipe can be read from it."""
    flow = jobs.flow().under(params.model_dump(mode="json"))
    found = []
    for job in jobs.expand(flow, flow.instances(params)).values():
        inputs: dict[str, Any] = {
            item.name: {"kind": item.kind, "path": item.path}
            | ({"record": f"records/{item.job}.json"} if item.job else {})
            for item in job.inputs
        }
        parts = {
            "code": {"function": job.step.function},
            "options": job.step.options_of(job.instance),
        }
        found.append(
            {"step": job.step.name, "instance": job.instance, "inputs": inputs, "parts": parts}
        )
    return found


def marks(params: Params) -> dict[str, Any]:
    """What a recipe says, with the steps of its checkpoints counted."""
    from regrow.params import points

    return {
        "stages": {
            s.name: s.model_dump(exclude={"checkpoints", "released"})
            | {"made": points.checkpoints(params, s)}
            for s in params.stages
        },
        "datasets": {data.name: data.model_dump() for data in params.datasets},
        "sources": [source.model_dump() for source in params.sources],
        "parts": params.parts,
    }


def back(params: Params, raw: dict[str, Any]) -> Params:
    said = ("sources", "parts", "stages", "datasets")
    sections = {k: v for k, v in raw.items() if k not in said}
    return check(recipe(records(params)) | sections, "records")


def test_the_recipe_after_olmo_3_need_not_be_said() -> None:
    assert recipe(records(Params())) == {}
    assert recipe([]) == {}


@pytest.mark.parametrize(
    "raw",
    OWN,
    ids=["base", "rl_zero", "soup_of_three", "own", "joined", "probes", "parts", "sources"],
)
def test_a_recipe_comes_back(raw: dict[str, Any]) -> None:
    params = check(raw, "mine.yaml")
    found = recipe(records(params))
    assert found["stages"]
    assert marks(back(params, raw)) == marks(params)


@given(st.lists(st.sampled_from(sorted(set(BUILT_IN) - {"pretrain"})), unique=True, max_size=8))
def test_any_list_of_built_in_names_comes_back(names: list[str]) -> None:
    raw = {"stages": ["pretrain", *names]}
    try:
        params = check(raw, "mine.yaml")
    except ParamsError:
        return
    again = back(params, raw)
    if recipe(records(params)):
        assert marks(again) == marks(params)
    else:  # a part of the default: the jobs of its stages are the same
        whole = {
            r["step"]: r["parts"]["options"] for r in records(Params()) if "options" in r["parts"]
        }
        for record in records(params):
            if record["step"] in {s.name for s in params.stages}:
                assert whole[record["step"]] == record["parts"]["options"]


def test_a_fork_of_joined_data_sets_is_seen_through() -> None:
    raw = OWN[4]
    forked = check(raw | {"fork": {"name": "mine", "checkpoint": 480, "chats": True}}, "mine.yaml")
    assert marks(back(forked, raw)) == marks(check(raw, "mine.yaml"))


def test_a_fork_and_a_takedown_are_seen_through() -> None:
    raw = {
        "fork": {"name": "mine", "checkpoint": 96, "chats": True},
        "takedown": {"name": "gone", "first": {"midtrain": 3}},
    }
    assert recipe(records(check(raw, "mine.yaml"))) == {}


def test_sources_alone_are_said_where_the_stages_are_the_usual_ones() -> None:
    source = {
        "notes": {"files": "notes/*.md", "licence": "CC0-1.0", "origin": "our wiki", "shards": 3}
    }
    found = recipe(records(check({"sources": [source]}, "mine.yaml")))
    assert set(found) == {"sources"} and found["sources"][0]["notes"]["shards"] == 3


def test_the_sources_of_a_run_that_was_not_grown_to_the_end() -> None:
    params = check(
        {"sources": [{"a": {"files": "a/*.md", "licence": "MIT", "origin": "ours"}}]}, "m"
    )
    read = [r for r in records(params) if r["step"] == "read_a"]
    assert [next(iter(entry)) for entry in recipe(read)["sources"]] == ["a"]
