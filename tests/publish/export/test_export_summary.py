"""The public summary: what it says, that it invents nothing, and that it is one page."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.publish.export.about import About, Energy
from regrow.publish.export.instant import FIXED
from regrow.publish.export.subject import Subject, subject
from regrow.publish.export.summary import compute, crawled, sizes
from regrow.publish.export.summary.domains import domains, registrable, wanted
from regrow.publish.export.summary.field import OPEN
from regrow.publish.export.summary.page import html, prose
from regrow.publish.export.summary.summary import as_json, unfilled
from small_repository import ROOT
from small_tree import ID
from sound_records import write_sound

QUESTIONS = (
    "Provider name and contact details",
    "Authorised representative name and contact details",
    "Versioned model name(s)",
    "Model dependencies",
    "Date of placement of the model on the Union market",
    "Latest date of data acquisition/collection for model training",
    "Description of the linguistic characteristics of the overall training data",
    "Other relevant characteristics of the overall training data",
    "Have you used publicly available datasets to train the model?",
    "Have you concluded transactional commercial licensing agreement(s)",
    "Have you obtained private datasets from third parties",
    "Were crawlers used by the provider or on their behalf?",
    "Crawler name(s)/identifier(s)",
    "Purposes of the crawler(s)",
    "General description of crawler behaviour",
    "Period of data collection",
    "Comprehensive description of the types of content and online sources crawled",
    "Summary of the most relevant domain names crawled",
    "Was data from user interactions with the AI model",
    "Was synthetic AI-generated data created by the provider or on their behalf",
    "Have data sources other than those described in Sections 2.1 to 2.5 been used",
    "Are you a signatory to the Code of Practice",
    "General description of measures taken",
    "Compute used for training",
    "energy consumption of the training",
)
VOID = {"meta", "br", "link", "img", "wbr"}


class Checker(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        self.links += [
            v or "" for k, v in attrs if k in {"src", "href", "srcset", "data", "action"}
        ]
        self.ids += [v or "" for k, v in attrs if k == "id"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def of(root: Path, name: str | None = None, **about: Any) -> Subject:
    return subject(Ledger.load(root), name, About.model_validate(about), FIXED)


def fields(told: Subject) -> dict[str, dict[str, Any]]:
    return {
        f"{section['number']} {field['key']}": field
        for section in as_json(told)["sections"]
        for field in section["fields"]
    }


def test_every_question_of_the_template_is_there(finished: Path) -> None:
    labels = [field["label"] for field in fields(of(finished)).values()]
    for question in QUESTIONS:
        assert any(question in label for label in labels), question


def test_nothing_is_invented(finished: Path) -> None:
    told = fields(of(finished))
    for key in (
        "1.1 provider", "1.1 representative", "1.2 placed", "1.3 continuous", "2.2.1 licensed",
        "2.2.2 third_parties", "2.3 purpose", "2.4 interactions", "2.4 services",
        "3.1 code_of_practice", "XI.1.1 use", "XI.1.2 (c) bias",
    ):  # fmt: skip
        value = told[key]["value"]
        assert told[key]["by"] == "open", key
        assert value is None or value["chosen"] is None, key
    assert OPEN in html(of(finished))
    # The licence is what the release's params state: the publisher's word, marked as such.
    assert [k for k, f in told.items() if f["by"] == "provider"] == ["XI.1.1 licence"]


def test_what_the_provider_says_is_shown_as_theirs(finished: Path) -> None:
    about = {
        "provider": {"name": "Example GmbH", "contact": "rights@example.org"},
        "data": {"user_interactions": False, "licensed": True},
    }
    told = fields(of(finished, **about))
    assert told["1.1 provider"]["value"] == ["Example GmbH", "rights@example.org"]
    assert told["2.4 interactions"] | {"note": ""} == {
        "key": "interactions", "label": told["2.4 interactions"]["label"], "by": "provider",
        "value": {"options": ["Yes", "No"], "chosen": "No"}, "note": "",
    }  # fmt: skip
    assert told["2.2.1 licensed"]["value"]["chosen"] == "Yes"
    # A name without a contact is no answer to the question for name and contact.
    assert fields(of(finished, provider={"name": "X"}))["1.1 provider"]["by"] == "open"


def test_the_figures_are_those_of_the_tables(finished: Path) -> None:
    told = fields(of(finished))
    train = pl.read_parquet(finished / "data/decontaminate/train.parquet")
    mix = pl.read_parquet(finished / "data/mix/mix.parquet")
    joined = train.join(mix.select("id", "repeats"), on="id")
    size = pl.col("text").str.len_bytes().cast(pl.Int64)
    drawn = joined.select((size * pl.col("repeats")).sum()).item()
    rows = told["2.1 large"]["value"]
    assert sum(row["In the mix"] for row in rows) == drawn
    assert {row["Source"] for row in rows} == {"manual-1.0"}
    assert rows[0]["Licence"] == "MIT"
    languages = told["1.3 languages"]["value"]
    assert sum(row["Documents"] for row in languages) == train.height
    answers = pl.read_parquet(finished / "data/sft_data/think.parquet")
    by_model = {row["Model"]: row["Texts"] for row in told["2.5 models"]["value"] or []}
    by_hand = answers.filter(~pl.col("teacher").str.starts_with("regrow."))
    assert by_model == dict(by_hand.group_by("teacher").len().iter_rows())


def test_rollouts_and_pairs_are_synthetic_data_of_the_own_model(finished: Path) -> None:
    own = fields(of(finished))["2.5 own_models"]["value"]
    kinds = {row["What it wrote"] for row in own}
    assert kinds == {"answers of preference pairs", "answers rewarded in reinforcement learning"}
    # A base model has seen neither.
    assert fields(of(finished, "pretrain"))["2.5 used"]["value"]["chosen"] == "No"


def test_robots_are_counted_by_domain(finished: Path) -> None:
    rows = domains(of(finished))
    table = pl.read_parquet(finished / "data/crawl/fetches.parquet")
    assert (
        sum(row.robots for row in rows) == table.filter(pl.col("outcome") == "robots").height == 1
    )
    assert rows[0].listed
    assert "1 addresses were left alone" in json.dumps(fields(of(finished))["3.1 measures"])


@given(st.integers(0, 10**7))
def test_the_listed_domains_are_at_least_the_share_asked_for(count: int) -> None:
    assert wanted(count, sme=False) * 10 >= count
    assert (wanted(count, sme=False) - 1) * 10 < count or count == 0
    assert wanted(count, sme=True) == min(1000, (count + 19) // 20)


def test_hosts_of_a_domain_count_together() -> None:
    assert registrable("docs.python.org") == registrable("www.python.org:443") == "python.org"
    assert registrable("a.b.co.uk") == "b.co.uk"
    assert registrable("manual.example") == "manual.example"


@given(st.integers(0, 10**14))
def test_a_size_lies_in_one_range(tokens: int) -> None:
    names = [name for _, name in sizes.RANGES]
    place = names.index(sizes.size_range(tokens))
    assert place == (tokens >= 10**9) + (tokens > 10**13)


def test_parameters_are_those_of_the_released_model() -> None:
    # The published run: its release counted the tensors of the weights.
    ledger = Ledger.load(ROOT)
    told = Subject(ledger, ledger.by_name["pretrain.000000"])
    released = ledger.by_name["release.pretrain-000000"].counts["parameters"]
    assert compute.of(told) == released


def test_parameters_of_narrow_keys_and_untied_embeddings() -> None:
    shape = {
        "hidden": 8,
        "heads": 4,
        "kv_heads": 2,
        "ffn": 5,
        "layers": 3,
        "tied_embeddings": False,
    }
    block = (8 * 8 + 8 * 4 + 8 * 4 + 8 * 8) + (8 + 4) + 3 * 8 * 5 + 2 * 8
    assert compute.parameters(shape, 11) == 3 * block + 8 + 2 * 11 * 8


def count(root: Path, name: str, **counts: int) -> None:
    path = root / f"records/{name}.json"
    raw = json.loads(path.read_text())
    raw["counts"] = {**(raw["counts"] or {}), **counts}
    write_sound(path, raw)


def test_compute_is_six_times_parameters_times_tokens(tree: Path) -> None:
    count(tree, "pretrain.000004", tokens=50)
    count(tree, "pretrain.000008", tokens=100)
    count(tree, "rlvr.000004", tokens=30)
    count(tree, "dpo.000002", tokens=20)
    count(tree, "rlzero.000002", tokens=1000)
    size = compute.of(of(tree))
    assert size is not None
    whole = {cost.stage: cost for cost in compute.costs(of(tree))}
    assert whole["pretrain"].flop == 6 * size * 100, "counts run on over a stage's checkpoints"
    sampled = sizes.rollouts(of(tree))["rlvr"]
    assert sampled > 0
    assert whole["rlvr"].flop == size * (6 * 30 + 2 * sampled)
    assert whole["dpo"].flop == 8 * size * 20
    assert "rlzero" not in whole, "a control is no part of the model"
    assert fields(of(tree))["XI.1.2 (d, e) flop"]["by"] == "records"


def test_energy_states_what_it_assumes_and_yields_to_a_measurement(finished: Path) -> None:
    energy = Energy(flop_per_second=1e9, watts=100, pue=1.5)
    assert compute.kilowatt_hours(36 * 10**11, energy) == pytest.approx(0.15)
    key = "XI.1.2 (d, e) energy"
    assert "power usage effectiveness 1.2" in fields(of(finished))[key]["note"]
    measured = fields(of(finished, energy={"measured_kwh": 3.5}))[key]
    assert (measured["value"], measured["by"]) == ("3.5 kWh, measured", "provider")


def test_a_crawler_that_ignores_robots_says_so() -> None:
    assert any(
        "Does NOT obey robots.txt" in line for line in crawled.behaviour({"obey_robots": False})
    )
    assert not any("robots" in line for line in crawled.behaviour({}))


def test_the_page_is_one_file_without_script_that_fetches_nothing(finished: Path) -> None:
    text = html(of(finished))
    page = Checker()
    page.feed(text)
    assert page.open == []
    assert "script" not in page.tags
    assert all(link.startswith("#") for link in page.links)
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert "url(" not in text and "@import" not in text
    for rule in ("prefers-color-scheme: dark", "@media print", "max-width: 34rem"):
        assert rule in text


def test_page_and_json_give_the_same_answers(finished: Path) -> None:
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html(of(finished))))
    for field in fields(of(finished)).values():
        label = field["label"].replace("'", "&#39;").replace("(", "(")
        assert re.sub(r"\s+", " ", label) in text, label
    assert text.count(OPEN) >= len(unfilled(of(finished)))


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", '"><img src=x onerror=y>', "`<b>`"])
def test_text_of_others_cannot_break_out_of_the_page(finished: Path, evil: str) -> None:
    told = of(finished, provider={"name": evil, "contact": evil}, data={"bias": evil})
    page = Checker()
    page.feed(html(told))
    assert not {"script", "img", "b"} & page.tags
    assert "<script" not in prose(evil)


def test_the_summary_is_about_a_model(finished: Path) -> None:
    with pytest.raises(Unanswerable, match="regrow release --list"):
        as_json(of(finished, "dedup"))


def test_missing_tables_are_named(tree: Path) -> None:
    (tree / "data/mix/mix.parquet").unlink()
    with pytest.raises(Unanswerable, match="dvc pull data/mix"):
        as_json(of(tree))


def test_a_document_outside_the_mix_is_not_counted_as_drawn(finished: Path) -> None:
    table = sizes.composition(of(finished))
    assert table.filter(pl.col("id") == ID["poor"])["drawn"].to_list() in ([0], [])
    assert ID["held"] not in table["id"].to_list()


def funnel(told: Subject) -> dict[str, dict[str, Any]]:
    return {row["Step"]: row for row in fields(told)["3.3 funnel"]["value"]}


def test_each_reason_of_a_drop_is_explained(finished: Path) -> None:
    rows = funnel(of(finished))
    assert rows["dedup"]["Dropped, by reason"] == (
        "near 1 (nearly the same text as a document that stays)"
    )
    # What no step of this code writes has no meaning that could be given.
    assert rows["filter"]["Dropped, by reason"] == "length.words 1"


def test_held_out_tasks_are_named_only_where_decontamination_read_tasks(tree: Path) -> None:
    what = "holds documents out, and drops what shares text with held-out documents or "
    assert funnel(of(tree))["decontaminate"]["What it does"] == (
        f"{what}evaluation items or held-out tasks"
    )
    path = tree / "records/decontaminate.json"
    record = json.loads(path.read_text())
    del record["inputs"]["tasks"], record["parts"]["inputs"]["tasks"]
    write_sound(path, record)
    assert funnel(of(tree))["decontaminate"]["What it does"] == f"{what}evaluation items"
