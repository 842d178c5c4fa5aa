"""Params files: what a user sees when one is wrong, and the schema that editors read."""

import json
from pathlib import Path

import pytest

from regrow.params.schema import ParamsError, check, json_schema, load

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", sorted((ROOT / "params").glob("*.yaml")), ids=lambda p: p.name)
def test_shipped_files_are_valid(path):
    load(path)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"pretrian": {}}, ["pretrian", "unknown key", "Did you mean `pretrain`?"]),
        ({"pretrain": {"stpes": 3}}, ["pretrain.stpes", "Did you mean `steps`?"]),
        ({"pretrain": {"steps": "many"}}, ["pretrain.steps", "integer", '"many"']),
        ({"pretrain": {"steps": -5}}, ["pretrain.steps", "greater than or equal to 1", "-5"]),
        ({"pretrain": {"steps": 100, "checkpoint_every": 30}}, ["multiple of checkpoint_every"]),
        ({"pretrain": {"batch_sequences": 12}}, ["power of two"]),
        ({"filter": {"language_min_score": 1.5}}, ["filter.language_min_score", "1.5"]),
        ({"filter": {"language_min_scores": {"de": 0.5}}}, ["'de' is not among `languages`"]),
        ({"filter": {"language_min_scores": {"en": 1.5}}}, ["language_min_scores.en: 1.5"]),
        ({"filter": {"code": "prose"}}, ["filter.code", "by_rules"]),
        ({"model": {"hidden": 112, "heads": 5}}, ["multiple of heads"]),
    ],
)
def test_errors_name_file_field_value_and_mend(raw, words):
    with pytest.raises(ParamsError) as error:
        check(raw, "params/mine.yaml")
    for word in ["params/mine.yaml", *words]:
        assert word in str(error.value)


def test_missing_and_broken_files(tmp_path):
    (tmp_path / "demo.yaml").write_text("{}")
    with pytest.raises(ParamsError, match=r"no such file.*demo\.yaml"):
        load(tmp_path / "dmeo.yaml")
    (tmp_path / "demo.yaml").write_text("pretrain: [")
    with pytest.raises(ParamsError, match="not YAML"):
        load(tmp_path / "demo.yaml")
    (tmp_path / "demo.yaml").write_text("- 1")
    with pytest.raises(ParamsError, match="mapping"):
        load(tmp_path / "demo.yaml")


def test_schema_describes_every_field_and_is_the_committed_one():
    schema = json_schema()
    stages = schema["$defs"]
    assert stages["Pretrain"]["properties"]["warmup"]["description"] == "share of the steps"
    committed = json.loads((ROOT / "params" / "schema.json").read_text())
    assert committed == schema, "run: regrow schema > params/schema.json"
