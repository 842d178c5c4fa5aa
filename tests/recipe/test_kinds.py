"""Every kind of training says all that the rest of the house asks; what it names is there."""

from __future__ import annotations

import dataclasses
import importlib
import json
from pathlib import Path

import pytest

from default_flow import BY_NAME, RECIPE, STEPS
from regrow.learn.evaluate.metrics import metric
from regrow.learn.evaluate.probes import Probes
from regrow.params.registry import KINDS as ENTRIES
from regrow.recipe import order
from regrow.recipe.kind import Kind
from regrow.recipe.kinds import KINDS, METHODS
from regrow.release import methods
from regrow.release.records import Artifact

ROOT = Path(__file__).resolve().parents[2]


def named(place: str) -> object:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_what_a_kind_names_is_there(kind: Kind) -> None:
    assert callable(named(kind.function))
    assert not kind.run or isinstance(named(kind.run), type)
    assert not kind.chart or callable(named(kind.chart))
    for gain in kind.gains:
        assert metric(gain.probe) and (not gain.before_probe or metric(gain.before_probe))
    record = Artifact("a.000001", function=kind.function)
    assert methods.is_known(record, METHODS) and methods.title(record, METHODS) != record.stage
    assert str(methods.method(record, METHODS)).endswith(".")
    assert order.rank(kind.function) < order.LAST


def test_entries_and_kinds_are_the_same() -> None:
    assert set(ENTRIES) == set(KINDS)
    for name, model in ENTRIES.items():
        assert model.model_fields["kind"].default == name == KINDS[name].name


def test_a_release_is_given_the_words_of_the_stages_that_led_to_it() -> None:
    """So an edit of a title moves the releases that say it, and no stage that trains."""
    for entry in RECIPE.stages:
        given = BY_NAME["release"].options_of(f"{entry['name']}-000001")["methods"]
        names = [*RECIPE.ancestors(entry["name"]), entry["name"]]
        assert set(given) == {BY_NAME[name].function for name in names}
        assert json.loads(json.dumps(given)) == {name: METHODS[name] for name in given}
        assert "methods" not in BY_NAME[entry["name"]].options_of("000001")


def test_a_control_is_one_for_the_params_and_for_the_records() -> None:
    from regrow.params.schema import Params

    for stage in Params().stages:
        entry = RECIPE.by_name[stage.name]
        assert RECIPE.is_control(entry) == stage.control


def test_every_stage_of_the_default_has_probes_that_the_evaluation_knows() -> None:
    fields = {field.name for field in dataclasses.fields(Probes)}
    for entry in RECIPE.stages:
        assert set(KINDS[entry["kind"]].probes(entry, RECIPE.stages)) <= fields


def test_the_order_of_reading_is_that_of_the_flow() -> None:
    """Steps with a function that comes later in the order never come before its producers."""
    for step in STEPS:
        assert order.rank(step.function) < order.LAST, step.name
        for item in step.inputs:
            if item.kind == "data" and item.step and item.step != step.name:
                producer = BY_NAME[item.step]
                if not item.substitute and "_masked" not in item.step:
                    assert order.rank(producer.function) <= order.rank(step.function)


def test_no_other_module_lists_stages() -> None:
    """Names of built-in stages are said in the params; others ask the kind of a record or of an entry."""
    names = [n for n in BY_NAME if n in RECIPE.by_name and "_" in n]
    allowed = {"params/recipe.py", "recipe/lines.py"}
    found = []
    for path in sorted((ROOT / "src/regrow").rglob("*.py")):
        place = path.relative_to(ROOT / "src/regrow").as_posix()
        text = path.read_text(encoding="utf-8")
        found += [
            f"{place}: {name}"
            for name in names
            if f'"{name}"' in text
            and place not in allowed
            and not place.startswith("params/kinds/")
        ]
    assert not found
