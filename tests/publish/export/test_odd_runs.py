"""Papers of runs that are not the demo: each sentence is held by the records of that run, or is the publisher's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jinja2
import polars as pl
import pytest
from jinja2 import nodes

import odd_runs
from regrow.evidence.ledger import Ledger
from regrow.publish.export import croissant, cyclonedx, rocrate
from regrow.publish.export.about import About
from regrow.publish.export.instant import FIXED
from regrow.publish.export.subject import Subject, subject
from regrow.publish.export.summary.page import html
from regrow.publish.export.summary.summary import as_json
from regrow.publish.report.page import page
from regrow.release import data_card
from regrow.release.render import TEMPLATES
from regrow.release.sentence import NOT_STATED, Sentence
from sentences import Run, unheld
from sound_records import write_sound


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Grown by the steps' own functions from one archive of another crawler; nothing is stated."""
    return odd_runs.grow_foreign(tmp_path_factory.mktemp("foreign"))


@pytest.fixture
def without_dpo(tree: Path) -> Path:
    """RLVR from SFT: what a recipe without preference tuning leaves in records."""
    sft = json.loads((tree / "records/sft.000004.json").read_text())["output"]
    entry = {"kind": "data", "path": sft["path"], "record": "records/sft.000004.json"}
    for name, role in (("rlvr.000002", "base"), ("rlvr.000004", "base"), ("difficulty", "policy")):
        edit(tree, name, role, entry, sft["sha256"])
    for path in (tree / "records").glob("*.json"):
        if re.match(r"(dpo|pairs|(evaluate|release)\.dpo)", path.name):
            path.unlink()
    return tree


def edit(tree: Path, name: str, role: str, entry: dict[str, Any], digest: str) -> None:
    path = tree / f"records/{name}.json"
    record = json.loads(path.read_text())
    record["inputs"][role] = entry
    record["parts"]["inputs"][role] = digest
    write_sound(path, record)


@pytest.fixture
def harder(tree: Path) -> Path:
    """Another difficulty filter."""
    path = tree / "records/difficulty.json"
    record = json.loads(path.read_text())
    record["parts"]["params"]["difficulty"]["max_pass_rate"] = 0.5
    record["counts"] = {"in": 40, "kept": 17, "dropped": {"too_easy": 23}}
    write_sound(path, record)
    return tree


def test_every_sentence_of_the_cards_of_a_foreign_corpus_falls_with_its_evidence(
    foreign: Path,
) -> None:
    run = Run(foreign, "pretrain.000002")
    assert len(run.sentences()) >= 18
    assert unheld(run) == []


@pytest.mark.parametrize("kind", ["without_dpo", "harder", "finished"])
def test_every_sentence_of_other_recipes_falls_with_its_evidence(
    kind: str, request: pytest.FixtureRequest
) -> None:
    stated = {"name": "small", "description": "A small one.", "licence": "MIT"}
    odd = unheld(Run(request.getfixturevalue(kind), "rlvr.000004", stated))
    assert not odd, "\n".join(odd)


def test_a_sentence_of_its_own_would_be_found(
    foreign: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check itself: a constant with made-up evidence is caught."""
    said = Sentence("The crawler obeyed robots.txt.", ("crawl/params.crawl.obey_robots",))
    monkeypatch.setattr(data_card.gathering, "told", lambda *records: [said])
    assert unheld(Run(foreign, "pretrain.000002")) == [f"{said.text} {said.by}"]


GUARDED = re.compile(
    r"\b(data|crawl\w*|licen[cs]\w*|stages?|seeds?|sources?|robots|train\w*|learn\w*|documents?|corpus|pages?|"
    r"synthetic|public\w*|held.out|repeat\w*)\b",
    re.I,
)
READING = {
    "The recipe is in the record of the step that trained this checkpoint: `regrow audit ·`.",
    "Everything else on this page is computed from the records of the run.",
    "In training a document begins after the token `·` and ends with it.",
    "Bits per byte on held-out documents (lower is better), scored through · in windows of · tokens. Intervals are 95 % bootstrap intervals over documents.",
    "Held-out items; 95 % bootstrap intervals over items.",
    "**Regrow it.** In a clone of the repository that published this model:",
    "An answer is `<think> … </think>` and what follows it, up to `<|end|>`. In a clone of the repository that published it, `regrow chat ·` talks with it and dims the thinking.",
    "An answer ends with `<|end|>`. It may be a call, `<tool_call>name(arg=1)</tool_call>`, of a function that the system prompt describes; the result goes back as a turn of `<|tool|>`. In a clone of the repository that published it, `regrow chat ·` talks with it and runs its calls.",
    "Written from the records and tables of the run; the hash of each artifact that a number follows from is given below.",
    "Titles, licences and origins are those that the manifest of sources declares.",
    "Of what the crawl read: titles, licences and origins as the manifest of sources declares them.",
    "Kinds, licences and origins are those that the recipe states; a document's own licence goes before its source's.",
    "No source of the manifest is on record as read.",
    "The recipe names · · that were given. They are in none of the other tables here. Tokens count repeats.",
    "This checkpoint belongs to a fork, which begins from `·` of its parent and adds · · of its own (`·`). They are in none of the other tables here. Tokens count repeats in the data of the stages after the fork point.",
    "Documents that training may draw on, and those held out. *In the mix* counts repeats.",
    "`regrow trace DOCUMENT` shows one document's way, with the measured value and the threshold.",
    "* `regrow trace` finds a document by id, address or a line of text, with the training steps that saw it, and `regrow takedown` takes it out.",
    "* The licence of the weights is not that of the text: whoever passes on text that the model repeats should look at the licence of its source.",
}
"""how to read the cards, reviewed one by one: none says what this run's data, crawl, licences or stages are"""


def literal_prose(name: str) -> set[str]:
    """Paragraphs that a template says by itself; values are dots; headings, tables and code are left out."""
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    source = (TEMPLATES / name).read_text()
    text = ""
    for node in environment.parse(source).find_all((nodes.Output, nodes.TemplateData)):
        if isinstance(node, nodes.Output):
            text += "".join(
                n.data if isinstance(n, nodes.TemplateData) else "·" for n in node.nodes
            )
            text += "\0"
    text = re.sub(r"```.*?```", "", text.replace("\0", ""), flags=re.S)
    found = set()
    for block in re.split(r"\n\s*\n|\n(?=\* )|\n(?=[#|])", text):
        lines = [
            line for line in block.strip().splitlines() if not line.startswith(("#", "|", "---"))
        ]
        said = " ".join(" ".join(lines).split())
        if GUARDED.search(said) and len(said.split()) > 3:
            found.add(said)
    return found


@pytest.mark.parametrize("name", ["README.md.jinja", "DATA_CARD.md.jinja"])
def test_templates_say_nothing_of_data_crawl_licences_stages_or_seeds_by_themselves(
    name: str,
) -> None:
    odd = set()
    for said in literal_prose(name):
        rest = said
        for known in READING:  # branches of an `if` stand in one paragraph
            rest = rest.replace(known, "")
        cut = any(said.strip("· ") in known for known in READING)
        if GUARDED.search(rest) and not cut:
            odd.add(rest)
    assert odd == set()


def test_a_constant_sentence_in_a_template_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "READING", READING - {"Titles, licences and origins are those that the manifest of sources declares."})  # fmt: skip
    with pytest.raises(AssertionError, match="licences and origins"):
        test_templates_say_nothing_of_data_crawl_licences_stages_or_seeds_by_themselves(
            "DATA_CARD.md.jinja"
        )


def of(root: Path, name: str | None = None) -> Subject:
    return subject(Ledger.load(root), name, About(), FIXED)


def papers(root: Path, name: str | None = None) -> str:
    """Everything that is exported about a checkpoint, as text."""
    found = of(root, name)
    said = [croissant.dataset(found), cyclonedx.bom(found), rocrate.crate(found), as_json(found)]
    return json.dumps(said, ensure_ascii=False) + html(found) + page(found.ledger)


DENIALS = (
    "Shakespeare", "shakespeare", "Apache", "local server", "Honoured", "crawler obeyed", "manuals",
    "written for this run", "0 of 0", "served by the run", "regrow-demo", "Preference", "midtrain",
)  # fmt: skip


def test_the_papers_of_a_foreign_corpus_neither_claim_nor_deny_what_no_record_says(
    foreign: Path,
) -> None:
    cards = "".join(
        (foreign / f"data/release/pretrain-000002/{name}").read_text()
        for name in ("README.md", "DATA_CARD.md")
    )
    said = papers(foreign) + cards
    for phrase in DENIALS:
        assert phrase not in said, phrase
    assert not (foreign / "data/release/pretrain-000002/LICENSE").exists()
    assert "license:" not in cards.split("---")[1]
    assert NOT_STATED in said
    assert "The run's own crawler fetched nothing: 0 addresses." in cards
    assert "1 WARC file from elsewhere was read (foreign-own.warc.gz)" in cards
    assert "**4 of 14 documents have no licence on record**" in cards


def test_the_summary_of_a_foreign_corpus_leaves_open_what_only_the_provider_knows(
    foreign: Path,
) -> None:
    fields = {
        f"{s['number']} {f['key']}": f
        for s in as_json(of(foreign))["sections"]
        for f in s["fields"]
    }
    for key in (
        "2.1 used",
        "2.2.1 licensed",
        "2.3 used",
        "2.4 interactions",
        "2.5 used",
        "3.1 measures",
    ):
        assert fields[key]["by"] == "open", key
    assert {"2.3 behaviour", "2.3 domains", "2.3 names"}.isdisjoint(fields)
    rows = {row["Source"]: row for row in fields["2.6 written"]["value"]}
    assert rows["unknown"]["Documents"] + rows["own-notes"]["Documents"] == 10
    copied = {row["Domain"]: row["Documents of text"] for row in fields["2.3 copied"]["value"]}
    assert copied == {odd_runs.OWN: 10, odd_runs.ELSEWHERE: 4}
    text = pl.read_parquet(foreign / "data/text/documents.parquet")
    assert sum(copied.values()) == text.height
    for field in fields.values():
        for file in field.get("evidence", []):
            assert (foreign / file).is_file(), file


def test_parameters_are_those_of_the_weights_where_rows_are_padded(foreign: Path) -> None:
    from regrow.publish.export.summary import compute

    released = json.loads((foreign / "records/release.pretrain-000002.json").read_text())
    assert compute.of(of(foreign)) == released["counts"]["parameters"]


def test_the_card_names_the_digest_that_the_record_has(foreign: Path) -> None:
    digest = Ledger.load(foreign).by_name["pretrain.000002"].sha256
    card = (foreign / "data/release/pretrain-000002/README.md").read_text()
    assert f"| Checkpoint | `{digest}` |" in card
    assert f"regrow rebuild {digest[:16]} " in card


def test_without_preference_tuning_no_paper_speaks_of_it(without_dpo: Path) -> None:
    found = of(without_dpo)
    assert [one.name for one in found.history][-3:] == ["longcontext", "sft", "rlvr"]
    said = papers(without_dpo) + " ".join(
        s.text for s in Run(without_dpo, "rlvr.000004").sentences()
    )
    for phrase in (
        "Preference tuning",
        "preference optimisation",
        "reference)",
        "pairs of",
        "dpo.0",
    ):
        assert phrase not in said, phrase
    assert "of which sft.000004 passed at most" in said


def test_another_difficulty_filter_is_told_with_its_own_numbers(harder: Path) -> None:
    said = [s.text for s in Run(harder, "rlvr.000004").sentences()]
    assert any(
        "17 prompts of the tasks of which dpo.000002 passed at most 0.5" in one for one in said
    )
    assert not any("0.85" in one for one in said)


def test_records_of_another_run_are_not_taken_for_this_ones(tree: Path) -> None:
    """Own pretraining in a tree where the later records of another run were left."""
    from regrow.evidence.errors import Unanswerable

    path = tree / "records/pretrain.000008.json"
    record = json.loads(path.read_text())
    unread = next(f for f in record["output"]["files"] if f["path"] == "model.safetensors")
    unread["sha256"] = "f" * 64
    write_sound(path, record)
    ledger = Ledger.load(tree)
    with pytest.raises(
        Unanswerable, match=r"different runs \(midtrain\S+ was made from another pretrain"
    ):
        of(tree, "rlvr.000004")
    assert ledger.final is not None
    assert ledger.final.name == "pretrain.000008"
    assert of(tree).record.name == "pretrain.000008"
    assert "records are of other runs and are left out" in page(ledger)
    # Nor as descendants of this one, where checkpoints are released.
    from regrow.publish.hub.revisions import revisions, select

    assert "rlvr-step4" not in {one.name for one in revisions(ledger)}
    assert "pretrain-step4" in {one.name for one in revisions(ledger)}
    with pytest.raises(Unanswerable, match="records are of different runs"):
        select(ledger, ["rlvr-step4"])


def test_a_manifest_that_is_not_the_runs_own_is_refused(tree: Path) -> None:
    from regrow.evidence.errors import Unanswerable

    path = tree / "sources/manifest.yaml"
    path.write_text(path.read_text() + "# edited\n")
    with pytest.raises(
        Unanswerable, match=r"manifest\.yaml is not the one that records/text\.json"
    ):
        _ = of(tree).sources
