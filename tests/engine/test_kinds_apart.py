"""A kind of training moves its own keys: no step's closure reaches the module of another kind."""

from __future__ import annotations

from pathlib import Path

import pytest

import default_flow
from regrow.engine.closure import Modules, closure

FLOW = default_flow.flow()
OWN = {
    "pretrain": {"regrow.train.kinds.pretrain"},
    "midtrain": {"regrow.train.kinds.midtrain"},
    "midtrain_b": {"regrow.train.kinds.midtrain"},
    "soup": {"regrow.train.soup"},
    "anneal": {"regrow.train.anneal"},
    "longcontext": {"regrow.train.kinds.longcontext"},
    "longcontext_control": {"regrow.train.kinds.longcontext"},
    "sft": {"regrow.train.kinds.sft"},
    "sft_instruct": {"regrow.train.kinds.sft"},
    "dpo": {"regrow.train.kinds.dpo", "regrow.train.dpo"},
    "dpo_delta": {"regrow.train.kinds.dpo", "regrow.train.dpo"},
    "rlvr": {"regrow.reinforce.rlvr", "regrow.train.grpo"},
    "rlzero": {"regrow.reinforce.rlvr", "regrow.train.grpo"},
    "rlzero_random": {"regrow.reinforce.rlvr", "regrow.train.grpo"},
}
"""step -> the modules of its kind"""
KINDS = set().union(*OWN.values())


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Modules:
    return Modules(tmp_path_factory.mktemp("syntax") / "syntax.json", FLOW.packages)


@pytest.mark.parametrize("step", OWN)
def test_a_stage_counts_the_module_of_its_kind_and_of_no_other(modules: Modules, step: str) -> None:
    function = FLOW.step(step).function
    counted = set(closure(modules, function.partition(":")[0]).modules)
    assert counted & KINDS == OWN[step]


def test_no_data_step_counts_a_kind_of_training(modules: Modules) -> None:
    for step in FLOW.steps:
        if step.part == "data":
            counted = set(closure(modules, step.function.partition(":")[0]).modules)
            assert not counted & KINDS, step.name


def test_every_kind_has_a_step() -> None:
    folder = Path(__file__).parents[2] / "src/regrow/train/kinds"
    shared = {"__init__", "causal", "chat"}
    found = {f"regrow.train.kinds.{p.stem}" for p in folder.glob("*.py") if p.stem not in shared}
    assert found <= KINDS
