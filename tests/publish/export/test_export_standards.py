"""Each export in the eyes of its own standard's tool, and what a broken one looks like to it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.publish.export import croissant, cyclonedx, openlineage, rocrate
from regrow.publish.export.about import About
from regrow.publish.export.identifiers import canonical, run_id
from regrow.publish.export.instant import FIXED
from regrow.publish.export.subject import Subject, subject

ABOUT = About.model_validate(
    {
        "provider": {"name": "Example", "website": "https://example.org/"},
        "model": {"placed_on_market": "2026-11-26", "tasks": "Show that it can be grown again."},
    }
)


def of(root: Path, name: str | None = None, about: About = ABOUT) -> Subject:
    return subject(Ledger.load(root), name, about, FIXED)


# Croissant


def load(path: Path) -> Any:
    mlcroissant = pytest.importorskip("mlcroissant")
    return mlcroissant.Dataset(path)


def test_mlcroissant_finds_nothing_wrong_and_reads_the_records(tree: Path) -> None:
    (tree / "croissant.json").write_text(canonical(croissant.dataset(of(tree, "decontaminate"))))
    dataset = load(tree / "croissant.json")
    assert not dataset.metadata.ctx.issues.errors
    assert not dataset.metadata.ctx.issues.warnings
    assert dataset.metadata.ctx.conforms_to.value == "http://mlcommons.org/croissant/1.1"
    read = [
        row["decontaminate/train/text"].decode() for row in dataset.records("decontaminate/train")
    ]
    assert read == pl.read_parquet(tree / "data/decontaminate/train.parquet")["text"].to_list()


def test_all_that_a_checkpoint_was_trained_on_is_one_dataset(tree: Path) -> None:
    told = croissant.dataset(of(tree))
    (tree / "croissant.json").write_text(canonical(told))
    dataset = load(tree / "croissant.json")
    assert not dataset.metadata.ctx.issues.errors
    files = {entry["@id"].partition("/")[0] for entry in told["distribution"]}
    assert {"pack", "midtrain_data", "longcontext_data", "sft_data", "pairs", "difficulty"} <= files
    tokens = next(iter(dataset.records("sft_data/think")))["sft_data/think/tokens"]
    assert (
        list(tokens) == pl.read_parquet(tree / "data/sft_data/think.parquet")["tokens"][0].to_list()
    )


def test_mlcroissant_refuses_a_table_that_is_not_the_recorded_one(tree: Path) -> None:
    (tree / "croissant.json").write_text(canonical(croissant.dataset(of(tree, "mix"))))
    path = tree / "data/mix/mix.parquet"
    pl.read_parquet(path).with_columns(repeats=pl.col("repeats") + 1).write_parquet(path)
    dataset = load(tree / "croissant.json")
    with pytest.raises(Exception, match="Download") as refused:
        list(dataset.records("mix/mix"))
    assert "hash" in str(refused.value.__cause__).lower()


def test_every_column_type_of_the_flow_has_a_croissant_type(finished: Path) -> None:
    for record in Ledger.load(finished).records:
        for entry in record.files:
            if entry["path"].endswith(".parquet"):
                schema = pl.read_parquet_schema(finished / record.path / entry["path"])
                for kind in schema.values():
                    while isinstance(kind, pl.List):
                        kind = kind.inner  # type: ignore[assignment]
                    assert type(kind) in croissant._TYPES or kind == pl.Null, (record.name, kind)


def test_without_the_tables_croissant_says_how_to_get_them(tree: Path) -> None:
    shutil.rmtree(tree / "data/sft_data")
    with pytest.raises(Unanswerable, match="dvc pull data/sft_data"):
        croissant.dataset(of(tree))


# CycloneDX


def strict(text: str) -> list[str]:
    validation = pytest.importorskip("cyclonedx.validation.json")
    from cyclonedx.schema import SchemaVersion

    found = validation.JsonStrictValidator(SchemaVersion.V1_6).validate_str(text, all_errors=True)
    return [str(error) for error in found or ()]


@pytest.mark.parametrize("name", [None, "pretrain", "soup", "rlzero"])
@pytest.mark.parametrize("about", [About(), ABOUT], ids=["no about", "about"])
def test_the_strict_validator_finds_nothing_wrong(
    finished: Path, name: str | None, about: About
) -> None:
    assert strict(canonical(cyclonedx.bom(of(finished, name, about)))) == []


def test_the_strict_validator_is_not_blind(finished: Path) -> None:
    bom = cyclonedx.bom(of(finished))
    bom["metadata"]["component"]["type"] = "model"
    assert strict(canonical(bom))


def test_the_library_reads_the_bom_and_every_reference_resolves(finished: Path) -> None:
    model = pytest.importorskip("cyclonedx.model.bom")
    bom = cyclonedx.bom(of(finished))
    assert model.Bom.from_json(json.loads(canonical(bom))).validate()
    names: list[str] = []

    def walk(component: dict[str, Any]) -> None:
        names.append(component["bom-ref"])
        for part in component.get("components", ()):
            walk(part)

    for component in (bom["metadata"]["component"], *bom["components"]):
        walk(component)
    assert len(names) == len(set(names))
    used = {ref for row in bom["dependencies"] for ref in (row["ref"], *row["dependsOn"])}
    card = bom["metadata"]["component"]["modelCard"]
    used |= {row["ref"] for row in card["modelParameters"]["datasets"]}
    assert used <= set(names)


def test_the_bom_has_the_hashes_of_the_bytes(finished: Path) -> None:
    for component in cyclonedx.bom(of(finished))["components"]:
        for part in component.get("components", ()):
            if part["type"] == "file" and "hashes" in part:
                content = (finished / part["name"]).read_bytes()
                assert part["hashes"][0]["content"] == hashlib.sha256(content).hexdigest()


def test_a_bom_is_about_a_model(finished: Path) -> None:
    with pytest.raises(Unanswerable, match=r"`dedup` is no checkpoint.*regrow export croissant"):
        cyclonedx.bom(of(finished, "dedup"))


# OpenLineage


def test_the_client_reads_every_event_and_writes_the_same(finished: Path) -> None:
    pytest.importorskip("openlineage.client")
    from openlineage.client import event_v2 as v2
    from openlineage.client.serde import Serde

    for line in openlineage.lines(of(finished)).splitlines():
        event = json.loads(line)
        made = v2.RunEvent(
            eventType=v2.RunState(event["eventType"]),
            eventTime=event["eventTime"],
            producer=event["producer"],
            run=v2.Run(**event["run"]),
            job=v2.Job(**event["job"]),
            inputs=[v2.InputDataset(**entry) for entry in event["inputs"]],
            outputs=[v2.OutputDataset(**entry) for entry in event["outputs"]],
        )
        again = json.loads(Serde.to_json(made))
        assert again.pop("schemaURL") == event.pop("schemaURL")
        assert _full(again) == _full(event)


def _full(value: Any) -> Any:
    """Without what is empty: the client leaves empty mappings out."""
    if isinstance(value, dict):
        return {k: w for k, v in value.items() if (w := _full(v)) not in ({}, [], None)}
    return [_full(v) for v in value] if isinstance(value, list) else value


def test_the_facets_are_those_of_the_standard(finished: Path) -> None:
    pytest.importorskip("openlineage.client")
    from openlineage.client.generated.dataset_version_dataset import DatasetVersionDatasetFacet
    from openlineage.client.generated.job_type_job import JobTypeJobFacet
    from openlineage.client.generated.output_statistics_output_dataset import (
        OutputStatisticsOutputDatasetFacet,
    )

    for event in openlineage.events(of(finished)):
        output = event["outputs"][0]
        for kind, facet in (
            (JobTypeJobFacet, event["job"]["facets"]["jobType"]),
            (DatasetVersionDatasetFacet, output["facets"]["version"]),
            (OutputStatisticsOutputDatasetFacet, output["outputFacets"]["outputStatistics"]),
        ):
            plain = {k: v for k, v in facet.items() if not k.startswith("_")}
            assert kind(**plain)._schemaURL == facet["_schemaURL"]


def test_one_event_per_job_and_the_graph_is_whole(finished: Path) -> None:
    told = of(finished)
    events = openlineage.events(told)
    assert [event["job"]["name"] for event in events] == [record.name for record in told.chain]
    runs = [event["run"]["runId"] for event in events]
    assert len(set(runs)) == len(runs)
    assert all(uuid.UUID(run).version == 5 for run in runs)
    assert runs[-1] == run_id(told.record.key)
    versions: dict[str, str] = {}
    for event in events:  # in flow order: what is read was written before, in that version
        for entry in event["inputs"]:
            if entry["name"].startswith("data/"):
                assert versions[entry["name"]] == entry["facets"]["version"]["datasetVersion"]
        output = event["outputs"][0]
        versions[output["name"]] = output["facets"]["version"]["datasetVersion"]


# RO-Crate


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        if set(value) == {"@id"}:
            return {value["@id"]}
        return set().union(*(references(v) for k, v in value.items() if k != "@id"), set())
    return set().union(*(references(v) for v in value), set()) if isinstance(value, list) else set()


def test_the_crate_is_whole(finished: Path) -> None:
    crate = rocrate.crate(of(finished))
    names = [entity["@id"] for entity in crate["@graph"]]
    assert len(names) == len(set(names))
    outside = {"https://w3id.org/ro/crate/1.1"}
    assert references(crate["@graph"]) - outside <= set(names)
    for entity in crate["@graph"]:
        if entity["@type"] == "File" and "sha256" in entity:
            content = (finished / entity["@id"]).read_bytes()
            assert entity["sha256"] == hashlib.sha256(content).hexdigest()
            assert entity["contentSize"] == str(len(content))
        if entity["@type"] in ("File", "Dataset"):
            assert (finished / entity["@id"]).exists(), entity["@id"]


def test_the_rocrate_library_reads_it(tree: Path) -> None:
    library = pytest.importorskip("rocrate.rocrate")
    (tree / rocrate.FILE).write_text(canonical(rocrate.crate(of(tree))))
    crate = library.ROCrate(tree)
    actions = [e for e in crate.contextual_entities if e.type == "CreateAction"]
    assert len(actions) == len(of(tree).chain)
    assert {"data/dedup/", "records/dedup.json"} <= {entity.id for entity in crate.data_entities}


def validator() -> str | None:
    """The Python that has roc-validator, which wants another rich than we pin: its own environment."""
    command = os.environ.get("ROCRATE_VALIDATOR") or shutil.which("rocrate-validator")
    python = Path(command).parent / "python" if command else None
    return str(python) if python and python.exists() else None


@pytest.mark.skipif(validator() is None, reason="no rocrate-validator (docs/reference/exports.md)")
@pytest.mark.parametrize("profile", ["ro-crate-1.1", "process-run-crate-0.5"])
def test_roc_validator_finds_nothing_wrong(tree: Path, profile: str) -> None:
    library = pytest.importorskip("rocrate")
    context = Path(library.__file__).parent / "data/ro-crate.jsonld"
    script = Path(__file__).parent / "validate_crate.py"

    def verdict(crate: dict[str, Any], severity: str) -> str:
        (tree / rocrate.FILE).write_text(canonical(crate))
        done = subprocess.run(
            [str(validator()), str(script), str(tree), str(context), profile, severity],
            capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout + done.stderr

    crate = rocrate.crate(of(tree))
    # Recommended as well, where a provider is named; a Process Run Crate would like to have times.
    assert "passed" in verdict(crate, "RECOMMENDED" if profile == "ro-crate-1.1" else "REQUIRED")
    for entity in crate["@graph"]:
        if entity["@type"] == "CreateAction":
            del entity["instrument"]
        if entity["@id"] == "./":
            del entity["datePublished"]
    assert "FAILED" in verdict(crate, "REQUIRED")
