"""What a params file with a mix search calls for, and what an edit of it moves."""

from __future__ import annotations

from typing import Any

import pytest

from regrow.engine.step import Step
from regrow.params.names import SEARCH_STEPS
from regrow.params.schema import ParamsError, check
from regrow.recipe import table

ROUND = {"proxies": 4, "held_out": 1, "domains": ["a", "b"]}


def _steps(raw: dict[str, Any]) -> dict[str, Step]:
    return {step.name: step for step in table.recipe(check(raw, "here").model_dump(mode="json"))}


def test_without_a_search_there_is_no_step_of_it_and_no_other_step_changes() -> None:
    plain, searching = _steps({}), _steps({"search": {}})
    assert not set(SEARCH_STEPS) & set(plain)
    assert set(searching) - set(plain) == set(SEARCH_STEPS)
    for name, step in plain.items():
        other = searching[name]
        assert (step.inputs, step.params, step.function) == (
            other.inputs,
            other.params,
            other.function,
        )


def test_a_proxy_reads_its_pack_and_its_own_settings_only() -> None:
    before, params = _steps({"search": {"rounds": [ROUND]}}), {"search": {"rounds": [ROUND]}}
    params["search"] |= {
        "rounds": [ROUND, ROUND | {"domains": ["a", "b", "c"]}],
        "weights": {"x": 1.0},
        "divergence": 0.2,
        "scored": {"max_documents": 3},
    }
    after = _steps(params)
    proxy = after["proxy"]
    assert [(i.name, i.step, i.instance) for i in proxy.inputs] == [("swarm", "swarm", "same")]
    assert proxy.params == () and proxy.options == before["proxy"].options
    made = after["proxy"].instances(check(params, "here"))
    assert made[:4] == before["proxy"].instances(check({"search": {"rounds": [ROUND]}}, "here"))
    assert len(made) == 8 and made[4] == "r2_000"


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"search": {}, "mix": {"shares": {"a": 1}}}, "the shares of `mix` are set already"),
        ({"search": {}, "stages": [{"proxy": {"kind": "pretrain"}}]}, "its step proxy is called"),
        ({"search": {"rounds": [{}, ROUND]}}, "the first names its domains too"),
        ({"search": {"rounds": [ROUND, {}]}}, "must name its domains"),
        ({"search": {"rounds": [{"proxies": 4, "held_out": 4}]}}, "must be less than proxies"),
        ({"search": {"strength": [2.0, 1.0]}}, "must not exceed"),
        ({"search": {"rounds": [ROUND | {"strength": [2.0, 1.0]}]}}, "must not exceed"),
        (
            {"search": {"rounds": [ROUND, ROUND | {"domains": ["b", "c"]}]}},
            r"must name all domains \(a, b, c\)",
        ),
        ({"search": {"sequence_length": 512}}, "context"),
        ({"search": {"proxy": {"steps": 10}}}, "checkpoint_every"),
        ({"search": {"weights": {"a": 0}}}, "at least one must be above 0"),
    ],
)
def test_a_search_that_cannot_be_is_refused(raw: dict[str, Any], says: str) -> None:
    with pytest.raises(ParamsError, match=says):
        check(raw, "here")
