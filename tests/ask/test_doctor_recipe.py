"""`regrow doctor RECIPE`: what will fail and what is probably not meant, before anything runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from regrow.ask.doctor import inputs, machine
from regrow.ask.doctor.described import described
from regrow.ask.doctor.fits import fits
from regrow.ask.doctor.recipe import Examined, examine
from regrow.ask.guards.finding import Finding
from regrow.cli.main import main
from regrow.evidence.ledger import Ledger
from regrow.params.schema import Params
from regrow.params.source import Source
from small_tree import params as small_params

GB = 10**9
LABELS = {"classify": {"quality_positive": ["a.example/"], "quality_negative": ["b.example/"]}}


def write(root: Path, raw: dict[str, Any]) -> str:
    (root / "params").mkdir(exist_ok=True)
    (root / "params/own.yaml").write_text(json.dumps(raw))
    return "params/own.yaml"


def named(found: Examined, name: str) -> Finding:
    (one,) = [one for one in found.findings if one.name == name]
    return one


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A repository without records, with one host whose archive is there."""
    (tmp_path / "sources").mkdir()
    (tmp_path / "Snakefile").write_text("")
    (tmp_path / "sources/site.tar.xz").write_bytes(b"pages")
    part = {"prefix": "/", "source": "site", "title": "Site", "licence": "MIT"}
    hosts = {"site.example": {"archive": "site.tar.xz", "start": ["/"], "parts": [part]}}
    (tmp_path / "sources/manifest.yaml").write_text(json.dumps({"hosts": hosts}))
    return tmp_path


def test_records_of_these_params_say_what_data_sets_hold(finished: Path, tmp_path: Path) -> None:
    raw = small_params().model_dump(mode="json", exclude_unset=True)
    path = tmp_path / "own.yaml"
    path.write_text(json.dumps(raw))
    found = examine(finished, str(path), 100 * GB)
    rows = {row.stage: row for row in found.readings}
    # Eight steps of two sequences of sixteen tokens.
    assert rows["pretrain"].reads == 256 and rows["pretrain"].data == "pack"
    assert found.records == len(Ledger.load(finished).records)


def test_records_of_other_params_say_nothing(finished: Path) -> None:
    ledger = Ledger.load(finished)
    values = small_params().model_dump(mode="json")
    whole = described(ledger, values)
    assert whole is not None and len(whole.records) == len(ledger.records)
    values["dedup"]["jaccard"] = 0.5
    kept = described(ledger, values)
    assert kept is not None
    names = set(kept.by_name)
    # What is made before dedup describes the recipe still; what follows does not.
    assert {"crawl", "text", "filter", "tasks"} <= names
    assert not names & {"dedup", "decontaminate", "mix", "pack", "pretrain.000008"}
    assert described(None, values) is None


def test_without_records_what_the_settings_promise_is_an_estimate(bare: Path) -> None:
    raw = {
        "mix": {"tokens": 100_000},
        "pretrain": {"steps": 96, "checkpoint_every": 96},
        "stages": ["pretrain"],
    } | LABELS
    found = examine(bare, write(bare, raw), 100 * GB)
    (row,) = found.readings
    # 96 steps x 8 sequences x 256 tokens.
    assert (row.reads, row.holds, row.known_by) == (196_608, 100_000, "estimate")
    assert (
        named(found, "epochs").severity == "warn" and "as estimated" in named(found, "epochs").says
    )
    assert named(found, "text").severity == "note" and "not known" in named(found, "text").says
    assert "--cores all --configfile params/own.yaml`" in named(found, "text").fix
    assert found.verdict == "This recipe runs, with 1 warning of what is probably not meant."


def test_a_recipe_without_anything_against_it(bare: Path) -> None:
    raw = {
        "mix": {"tokens": 200_000},
        "pretrain": {"steps": 96, "checkpoint_every": 96},
        "stages": ["pretrain"],
    } | LABELS
    found = examine(bare, write(bare, raw), 100 * GB)
    assert {one.severity for one in found.findings} == {"ok", "note"}
    assert found.verdict == "Nothing is known that speaks against this recipe."


def test_a_mix_that_wants_more_than_the_text_gives(finished: Path, tmp_path: Path) -> None:
    raw = small_params().model_dump(mode="json", exclude_unset=True)
    raw["mix"] = {"tokens": 10_000, "bytes_per_token": 2.0, "max_repeats": 3.0}
    path = tmp_path / "own.yaml"
    path.write_text(json.dumps(raw))
    found = examine(finished, str(path), 100 * GB)
    # decontaminate keeps 309 bytes: 154 tokens, three times.
    assert named(found, "text").value == 10_000 and named(found, "text").limit == 463
    pretrain = found.readings[0]
    assert (pretrain.holds, pretrain.known_by) == (463, "estimate")


def test_a_file_that_does_not_load_fails_with_its_field(bare: Path) -> None:
    found = examine(bare, write(bare, {"filter": {"min_word": 3}}))
    assert [one.severity for one in found.findings] == ["fail"]
    assert "filter.min_word: unknown key" in found.findings[0].says
    assert "no such file" in examine(bare, "params/none.yaml").findings[0].says


def test_missing_archives_and_unknown_licences_of_the_manifest(bare: Path) -> None:
    path = bare / "sources/manifest.yaml"
    path.write_text(path.read_text().replace("MIT", "unknown"))
    (bare / "sources/site.tar.xz").unlink()
    found = examine(bare, write(bare, {"stages": ["pretrain"]} | LABELS), 100 * GB)
    assert (
        named(found, "sources").severity == "fail"
        and "site.tar.xz: missing" in named(found, "sources").says
    )
    assert named(found, "unknown_licence").severity == "warn"
    other = examine(bare, write(bare, {"crawl": {"hosts": ["nowhere.example"]}} | LABELS), 100 * GB)
    assert "nowhere.example is no host" in named(other, "sources").says


@dataclass
class Recipe:
    """A recipe with sources of its own."""

    sources: tuple[Source, ...]


def test_sources_of_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "dumps/deep").mkdir(parents=True)
    (tmp_path / "dumps/a.jsonl").write_text("{}\n")
    (tmp_path / "dumps/deep/b.jsonl").write_text("")
    (tmp_path / "empty.jsonl").write_text("")

    def said(*files: str, licence: str = "MIT", kind: str = "jsonl") -> list[tuple[str, str]]:
        params: Any = Recipe(
            (Source(name="mine", kind=kind, files=files, licence=licence, origin="a test"),)
        )
        return [(one.name, one.severity) for one in inputs.sources(tmp_path, params, False)]

    assert said("dumps/*.jsonl") == [("sources", "ok")]
    assert said("dumps") == said("dumps/**/*.jsonl") == [("sources", "warn")]
    assert said("dumps", kind="code") == [("sources", "note")], "__init__.py"
    assert said("empty.jsonl") == said("none/*.jsonl") == [("sources", "fail")]
    assert said("https://a.example/x.jsonl.zst") == [("sources", "fail")], "not frozen"
    assert said("dumps/a.jsonl", licence="unknown") == [("unknown_licence", "warn")]


def test_labels_languages_and_vocabulary(tmp_path: Path) -> None:
    def of(raw: dict[str, Any]) -> Params:
        return Params.model_validate(raw)

    assert inputs.labels(of({}))[0].severity == "warn" and inputs.labels(of(LABELS)) == []
    (even,) = inputs.labels(of({"mix": {"cutoff": 0.0}}))
    assert even.severity == "note" and "mix.cutoff" not in even.fix
    half = of({"classify": {"quality_positive": ["a.example/"]}})
    assert (
        inputs.labels(half)[0].severity == "fail"
        and "quality_negative" in inputs.labels(half)[0].says
    )
    spelt = of({"filter": {"languages": ["english", "de"]}})
    assert inputs.languages(spelt)[0].severity == "warn"
    for wrong in ([], ["English"]):
        assert inputs.languages(of({"filter": {"languages": wrong}}))[0].severity == "fail"
    assert inputs.languages(of({"filter": {"languages": ["any"]}}))[0].severity == "ok"
    vocabulary = {"model": {"vocab": {"a": 0, "b": 70_000}}, "added_tokens": [{"id": 3}]}
    (tmp_path / "big.json").write_text(json.dumps(vocabulary))
    tokens, (finding,) = inputs.vocabulary(tmp_path, of({"tokenizer": {"file": "big.json"}}))
    assert (tokens, finding.severity) == (70_001, "fail")
    _, (finding,) = inputs.vocabulary(tmp_path, of({"tokenizer": {"file": "none.json"}}))
    assert finding.severity == "fail" and "FileNotFoundError" in finding.says


@pytest.mark.parametrize(
    ("total", "severity"), [(100 * GB, "ok"), (6 * GB, "warn"), (4 * GB, "fail")]
)
def test_the_largest_stage_against_the_memory(total: int, severity: str) -> None:
    # 194M parameters: weights, gradients along a tree and Muon's moments take most of it.
    wide = {"model": {"hidden": 768, "layers": 18, "heads": 12, "kv_heads": 12, "ffn": 3072}}
    params = Params.model_validate(
        {"stages": ["pretrain"], "tokenizer": {"vocabulary": 32_000}} | wide
    )
    one = fits(params, 32_000, total)
    assert one.severity == severity and isinstance(one.value, int) and 4 * GB < one.value < 8 * GB


def test_memory_of_the_machine_and_of_a_container(tmp_path: Path) -> None:
    meminfo, ceiling = tmp_path / "meminfo", tmp_path / "max"
    meminfo.write_text("MemTotal: 2000 kB\nMemAvailable: 1000 kB\n")
    assert machine.memory(meminfo, ceiling) == 1_024_000
    assert machine.memory(meminfo, ceiling, "MemTotal") == 2_048_000
    ceiling.write_text("500\n")
    assert machine.memory(meminfo, ceiling, "MemTotal") == 500
    assert machine.memory(tmp_path / "none", tmp_path / "none") is None


def test_command(
    bare: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(bare)
    path = write(bare, {"stages": ["pretrain"]})
    assert main(["doctor", path]) == 0
    said = capsys.readouterr().out
    assert (
        "pretrain" in said
        and "warn unlabelled_quality" in said
        and "~" in said
        and "estimate" in said
    )
    (bare / "sources/site.tar.xz").write_bytes(b"")
    assert main(["doctor", path, "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["recipe"] == path and answer["readings"][0]["stage"] == "pretrain"
    assert {"name", "severity", "says", "value", "fix"} <= set(answer["findings"][0])
    assert main(["doctor", path, "--brief"]) == 1
    assert capsys.readouterr().out.startswith("FAIL sources")
