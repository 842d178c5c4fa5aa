"""Which probes a stage gets, and which tasks are asked."""

import pytest

import tiny_inputs
from default_flow import BY_NAME
from regrow.learn.evaluate.probes import Probes, checkpoint
from regrow.learn.evaluate.questions import choose, with_tools
from regrow.learn.evaluate.verdicts import process_results
from regrow.params.schema import Params


def test_every_checkpoint_of_the_flow_has_probes_and_their_inputs():
    seen = {}
    for step in (BY_NAME[name] for name in ("evaluate", "evaluate_seed1", "evaluate_seed2")):
        for instance in step.instances(Params()):
            plan = Probes(**step.options_of(instance)["probes"])
            seen[checkpoint(instance).stage] = plan
            stage = instance.rpartition("-")[0]
            given = {i.name for i in step.inputs if not i.for_stages or stage in i.for_stages}
            assert "longcontext_data" in given or not plan.long, instance
            assert "pairs" in given or not plan.preferences, instance
    assert seen == PLANS


PLANS = {
    "pretrain": Probes(form="plain", text=True, answers="few"),
    "midtrain": Probes(form="plain", text=True),
    "midtrain_b": Probes(form="plain", text=True),
    "soup": Probes(form="plain", text=True, long=True),
    "longcontext_control": Probes(form="plain", text=True, long=True, yarn=True),
    "longcontext": Probes(form="plain", text=True, long=True, untrained="think"),
    "rlzero": Probes(form="plain"),
    "rlzero_random": Probes(form="plain"),
    "sft": Probes(form="think", preferences=True, untrained="instruct"),
    "sft_instruct": Probes(form="instruct", tools=True),
    "dpo": Probes(form="think", preferences=True),
    "dpo_delta": Probes(form="think", preferences=True),
    "rlvr": Probes(form="think"),
}
"""of the recipe after Olmo 3"""


@pytest.mark.parametrize(
    ("name", "stage", "seed", "step"),
    [
        ("rlvr-000080", "rlvr", 0, 80),
        ("midtrain_b-000400", "midtrain_b", 0, 400),
        ("sft_seed2-000300", "sft", 2, 300),
        ("longcontext_control-000120", "longcontext_control", 0, 120),
    ],
)
def test_names(name, stage, seed, step):
    found = checkpoint(name)
    assert (found.stage, found.seed, found.step) == (stage, seed, step)


@pytest.mark.parametrize("name", ["000080", "rlvr", "rlvr-80", "RLVR-000080"])
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match="STAGE-NNNNNN"):
        checkpoint(name)


def test_a_smaller_choice_is_part_of_a_larger_one(tmp_path):
    folder = tiny_inputs.tasks(tmp_path, 9)
    most = choose(folder, "test", 9, 0)
    few = choose(folder, "test", 3, 0)
    assert len(most) == 27
    assert len(few) == 9
    assert {q.id for q in few} < {q.id for q in most}
    assert {q.family for q in few} == {"add", "copy", "repeat"}
    assert [(q.family, q.id) for q in most] == sorted((q.family, q.id) for q in most)
    assert {q.id for q in few} != {q.id for q in choose(folder, "test", 3, 1)}
    assert not {q.id for q in most} & {q.id for q in choose(folder, "dev", 9, 0)}


def test_with_tools_the_call_is_wanted(tmp_path):
    asked = with_tools(choose(tiny_inputs.tasks(tmp_path, 4), "test", 4, 0))
    assert {q.family for q in asked} == {"add"}
    q = asked[0]
    assert q.system.startswith("Tools:")
    doc = vars(q) | {"form": "instruct"}
    right = (
        f"<tool_call> {q.tool_call}</tool_call><|end|><|tool|> {q.answer}<|end|>"
        f"<|assistant|> {q.answer}<|end|>"
    )
    found = process_results(doc, [[right, f" {q.answer}<|end|>", "no"]])
    assert found["exact_match"] == [1.0, 0.0, 0.0]
    assert found["format"] == [1.0, 1.0, 0.0]
