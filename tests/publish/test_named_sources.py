"""A run from sources that its recipe names, without a crawl: cards, exports, questions and takedown say what is so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import odd_runs
from regrow.ask.audit import audit
from regrow.ask.trace.answer import trace
from regrow.change.takedown.in_sources import in_sources
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.naming import Artifact, resolve
from regrow.evidence.outputs import Outputs
from regrow.prove.attest.provenance import Provenance
from regrow.prove.attest.subject import FOLDER
from regrow.publish.explorer.documents import documents
from regrow.publish.explorer.page import facts
from regrow.publish.export import croissant, cyclonedx, rocrate
from regrow.publish.export.about import About
from regrow.publish.export.instant import FIXED
from regrow.publish.export.subject import Subject, subject
from regrow.publish.export.summary.page import html
from regrow.publish.export.summary.summary import as_json
from regrow.publish.report.page import page
from regrow.release.records import Artifact as Row
from regrow.release.sentence import walk
from regrow.release.statements import licences
from sentences import Run, unheld

LAST = "pretrain.000002"
CARDS = ("README.md", "DATA_CARD.md")


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Grown by the steps' own functions from two sources in two parts each."""
    return odd_runs.grow_named(tmp_path_factory.mktemp("named"))


def card(root: Path, name: str) -> str:
    return (root / f"data/release/pretrain-000002/{name}").read_text()


def of(root: Path) -> Subject:
    return subject(Ledger.load(root), LAST, About(), FIXED)


def fields(root: Path) -> dict[str, Any]:
    told = as_json(of(root))["sections"]
    return {f"{s['number']} {f['key']}": f for s in told for f in s["fields"]}


def test_every_sentence_of_the_cards_falls_with_its_evidence(named: Path) -> None:
    run = Run(named, LAST)
    said = [sentence.text for sentence in run.sentences()]
    assert len(said) >= 15
    assert any(
        "from files of 2 sources that the recipe names: notes (corpus/notes/**/*.md); dump" in s
        for s in said
    )
    assert unheld(run) == []


def test_no_paper_speaks_of_a_manifest_a_crawl_or_what_was_not_read(named: Path) -> None:
    found = of(named)
    told = [croissant.dataset(found), cyclonedx.bom(found), rocrate.crate(found), as_json(found)]
    said = (
        json.dumps(told) + html(found) + page(found.ledger) + "".join(card(named, n) for n in CARDS)
    )
    for phrase in (
        "manifest",
        "Shakespeare",
        "own-notes",
        "own.example",
        "The run's own crawler",
        "is not on record as",
    ):
        assert phrase not in said, phrase


def test_the_data_card_says_what_the_recipe_states_and_what_came_of_it(named: Path) -> None:
    text = card(named, "DATA_CARD.md")
    assert "| notes | text | corpus/notes/**/*.md | CC0-1.0 | our wiki | 6 | 6 |" in text
    assert "| dump | jsonl | corpus/dump | unknown | https://dumps.example/ | 9 | 9 |" in text
    assert (
        "**4 of 15 documents have no licence on record** (held-out ones counted): 4 of the source dump, which name none "
        "and of which the recipe says `unknown`"
    ) in text
    # 7 files of notes, 11 rows and one that is none: 6 and 9 documents, an empty one, a broken one, one twice.
    assert "| text | 18 | 15 | 3 |" in text and "| text | recorded_twice | 1 |" in text
    assert "read_dump, filter_dump" in text and "filter's language identification: en." in text
    assert "000of002" not in text + card(named, "README.md")


def test_no_byte_of_a_release_depends_on_the_number_of_parts(
    named: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = odd_runs.grow_named(tmp_path_factory.mktemp("five"), shards=5)
    for name in CARDS:
        assert card(other, name) == card(named, name)
    assert len(list((other / "records").glob("read_dump.*"))) == 5


def test_a_document_that_says_unknown_itself_is_told_from_one_that_says_nothing() -> None:
    stated = [
        {"name": "dump", "kind": "jsonl", "files": ["d"], "licence": "MIT", "origin": "a dump"}
    ]
    text = Row("text", options={"sources": stated}, counts={"documents": {"dump": 2}})
    rows = {
        "id": ["a", "b"],
        "source": ["dump"] * 2,
        "licence": ["unknown", "MIT"],
        "bytes": [1, 3],
        "repeats": [1, 1],
    }
    table = pl.DataFrame(rows).with_columns(heldout=pl.lit(False))
    (said,) = walk(licences(table, {"text": text}))
    assert "1 of the source dump, which say `unknown` of themselves; they are 25.0 %" in said.text
    (said,) = walk(licences(table.filter(pl.col("licence") == "MIT"), {"text": text}))
    assert (
        said.text
        == "Each of the 1 document has its own licence, or that which the recipe states for its source."
    )


def test_the_summary_leaves_open_what_only_the_provider_knows(named: Path) -> None:
    found = fields(named)
    assert {
        found[key]["by"] for key in ("2.1 used", "2.3 used", "2.4 services", "3.1 measures")
    } == {"open"}
    assert "whose origin the recipe states in words (2.6 lists them)" in found["2.1 used"]["note"]
    assert "(dump, notes; 2.6 lists them)" in found["2.3 used"]["note"]
    rows = found["2.6 named"]["value"]
    assert {(row["Source"], row["Licence"]) for row in rows} <= {
        ("dump", "unknown"),
        ("dump", "PSF-2.0"),
        ("notes", "CC0-1.0"),
    }
    assert sum(row["Documents"] for row in rows) == 11 and "2.6 written" not in found
    steps = {row["Step"]: row for row in found["3.3 funnel"]["value"]}
    assert (steps["read_dump"]["In"], steps["read_dump"]["Kept"]) == (11, 10)
    inputs = found["2.2.1 licensed"]["note"]
    assert "are corpus/dump, corpus/notes/**/*.md" in inputs and "#" not in inputs
    for field in found.values():
        for file in field.get("evidence", []):
            assert (named / file).is_file(), file


def test_exports_name_sources_and_their_frozen_files(named: Path) -> None:
    found = of(named)
    bom = next(c for c in cyclonedx.bom(found)["components"] if c["bom-ref"] == "source:sources")
    assert bom["licenses"] == [{"license": {"name": "CC0-1.0"}}, {"license": {"name": "unknown"}}]
    parts = {c["bom-ref"]: c for c in bom["components"]}
    assert parts["source:notes:CC0-1.0"]["description"] == "our wiki (stated by the recipe)"
    assert (
        parts["file:corpus/dump"]["type"] == "data"
        and len(parts["file:corpus/dump"]["hashes"]) == 1
    )
    reads = next(
        d for d in cyclonedx.bom(found)["dependencies"] if d["ref"] == "record:read_dump.000of002"
    )
    assert "source:sources" in reads["dependsOn"]
    graph = {entity["@id"]: entity for entity in rocrate.crate(found)["@graph"]}
    files = graph["#files-corpus%2Fdump%23001of002"]
    read = found.ledger.by_name["read_dump.001of002"]
    assert (
        files["@type"] == "Collection"
        and files["identifier"] == f"sha256:{read.parts['inputs']['files.000']}"
    )
    derived = {e["prov:label"]: e for e in croissant.dataset(found)["prov:wasDerivedFrom"]}
    assert derived["dump"]["sc:description"] == "https://dumps.example/ (stated by the recipe)"


def test_audit_counts_parts_once_and_unknown_licences(named: Path) -> None:
    ledger = Ledger.load(named)
    told = audit(ledger, resolve(ledger, LAST))
    assert [(s["name"], s["licence"], s["origin"]) for s in told["sources"]] == [
        ("dump", "unknown", "https://dumps.example/"), ("notes", "CC0-1.0", "our wiki"),
    ]  # fmt: skip
    assert [(f["path"], f["parts"]) for f in told["source_files"]] == [
        ("corpus/dump", 2),
        ("corpus/notes/**/*.md", 2),
    ]
    assert told["source_files"][0]["size"] == sum(
        p.stat().st_size for p in (named / "corpus/dump").iterdir()
    )
    assert told["unlicensed"] == {"documents": 4, "of": 15} and told["problems"] == []
    counted = {row["step"]: row for row in told["documents"]}
    assert counted["read_dump"] == {
        "step": "read_dump",
        "in": 11,
        "kept": 10,
        "dropped": {"bad_json": 1},
        "parts": 2,
    }
    assert counted["text"]["dropped"] == {"bad_json": 1, "empty": 1, "recorded_twice": 1}


@pytest.mark.parametrize(
    "query", ["corpus/notes/a/note0.md", "source://notes/a/note0.md", "notes/a/note0.md"]
)
def test_a_document_is_found_by_its_file_and_by_its_address(named: Path, query: str) -> None:
    told = trace(Ledger.load(named), query)
    assert [match["url"] for match in told["matches"]] == ["source://notes/a/note0.md"]
    first, second = told["stops"][:2]
    assert first == {
        "step": "read_notes",
        "outcome": "kept",
        "facts": {"kind": "text", "origin": "our wiki"},
    }
    assert second["step"] == "text" and second["facts"]["licence"] == "CC0-1.0"
    assert told["stops"][2]["step"] == "filter"


def test_a_row_is_found_by_its_web_address_and_told_that_it_came_twice(named: Path) -> None:
    told = trace(Ledger.load(named), "https://manual.example/row2")
    assert told["stops"][1]["facts"]["recorded_twice"] == 1
    assert told["stops"][0]["step"] == "read_dump" and "crawl" not in {
        s["step"] for s in told["stops"]
    }
    assert (
        "recorded_twice" not in trace(Ledger.load(named), "source://dump/row1")["stops"][1]["facts"]
    )


def test_what_was_refused_is_traced_to_the_step_and_part_that_refused_it(named: Path) -> None:
    told = trace(Ledger.load(named), "corpus/notes/a/empty.md")
    assert told["fate"] == "dropped by read_notes: empty" and len(told["stops"]) == 1
    part = told["stops"][0]["facts"]["part"]
    counts = json.loads((named / f"records/read_notes.{part}.json").read_text())["counts"]
    assert counts["dropped"] == {"empty": 1}
    drops = pl.read_parquet(named / "data/text/drops.parquet").filter(reason="bad_json")
    assert trace(Ledger.load(named), drops["id"][0])["fate"] == "dropped by read_dump: bad_json"


def test_where_the_parts_are_not_on_disk_the_gathered_drops_say_it(
    named: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regrow.ask.trace.reading.Reading._here", lambda self, jobs: [])
    assert trace(Ledger.load(named), "corpus/notes/a/empty.md")["fate"] == "dropped by text: empty"


def test_a_file_of_rows_is_no_document(named: Path) -> None:
    with pytest.raises(Unanswerable, match=r"is a file of a source, and no document is called so"):
        trace(Ledger.load(named), "corpus/dump/part1.jsonl")


def test_the_explorer_says_of_every_document_what_trace_says(named: Path) -> None:
    ledger = Ledger.load(named)
    found = documents(Outputs(ledger))
    assert len(found) == 17
    for one in found:
        told = trace(ledger, str(one.id))
        assert [stop.step for stop in one.stops] == [stop["step"] for stop in told["stops"]]
        ours = one.stops[0].facts
        assert ours == told["stops"][0]["facts"] and one.fate == told["fate"]


def test_the_parts_of_a_source_are_one_box_of_the_explorer(named: Path) -> None:
    told = facts(Ledger.load(named))
    text = json.dumps(told["graph"])
    assert "corpus/dump" in text and "#000of002" not in text and "manifest" not in text
    assert {source["name"] for source in told["sources"]} == {"notes", "dump"}


def test_a_takedown_names_the_files_of_sources_that_hold_the_document(named: Path) -> None:
    ledger = Ledger.load(named)
    text = pl.read_parquet(named / "data/text/documents.parquet")
    ids = {url: id for id, url in text.select("id", "url").iter_rows()}
    twice, note = "https://manual.example/row2", "source://notes/b/note1.md"
    rows = in_sources(ledger, [ids[twice], ids[note]], [twice, note])
    holding = [p.name for p in (named / "corpus/dump").iterdir() if '"row2"' in p.read_text()]
    assert [row["path"] for row in rows] == [
        *(f"corpus/dump/{n}" for n in sorted(holding)),
        "corpus/notes/b/note1.md",
    ]
    assert {row["holds"] for row in rows} == {"source"} and all(
        len(row["md5"]) == 32 for row in rows
    )


def test_a_provenance_names_the_digest_of_a_part_as_that_of_a_folder(named: Path) -> None:
    ledger = Ledger.load(named)
    record = ledger.by_name["read_notes.001of002"]
    said = Provenance(ledger, Artifact(record))._dependency("files.000")
    assert said["uri"].endswith("corpus/notes/**/*.md#001of002")
    assert said["digest"] == {FOLDER: record.parts["inputs"]["files.000"]}


def test_a_clone_without_the_texts_still_knows_the_source(named: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    shutil.copytree(named, clone)
    for step in ("text", "filter", "dedup"):
        (clone / f"data/{step}/documents.parquet").unlink()
    train = pl.read_parquet(clone / "data/decontaminate/train.parquet")
    ledger = Ledger.load(clone)
    told = trace(ledger, train["id"][0])
    assert told["stops"][0]["step"] == f"read_{train['source'][0]}"
