from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.ask.evals.gains import gains
from regrow.ask.evals.read import Evaluations
from regrow.ask.trace.answer import follow
from regrow.ask.trace.find import find
from regrow.ask.trace.match import Match
from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.publish.explorer import codec, words
from regrow.publish.explorer.documents import Document, Known, documents
from regrow.publish.explorer.index import index, listed
from regrow.publish.explorer.page import scope
from regrow.publish.explorer.paired import paired
from regrow.publish.explorer.tasks import tasks
from small_tree import ID, TEXTS, republish, url


def told(ledger: Ledger) -> dict[str | None, Document]:
    return {document.id: document for document in documents(Outputs(ledger))}


def same(document: Document, ledger: Ledger) -> None:
    """What the page says of a document is what trace says."""
    match = Match(document.id, document.url, document.title)
    answer = follow(Outputs(ledger), match)
    assert document.fate == answer["fate"]
    stops = [(stop["step"], stop["outcome"]) for stop in answer["stops"]]
    assert [(stop.step, stop.outcome) for stop in document.stops] == stops
    for stop, wanted in zip(document.stops, answer["stops"], strict=True):
        apart = {
            "copies_dropped",
            "ids",
            "source",
            "licence",
            "generator",
            "parent",
            "title",
            "url",
        }
        facts = {k: v for k, v in wanted["facts"].items() if k not in apart}
        assert facts.items() <= stop.facts.items(), stop.step
    training = [(e["stage"], e["checkpoint"], e["steps"], e["tokens"]) for e in answer["training"]]
    assert [(e.stage, e.checkpoint, e.steps, e.tokens) for e in document.seen] == training


def test_every_document_goes_the_way_that_trace_says(ledger: Ledger) -> None:
    found = documents(Outputs(ledger))
    assert {d.url for d in found} == {url(n) for n in (*TEXTS, "empty", "private")}
    assert {d.end for d in found} == {"trained", "held out", "dropped"}
    for document in found:
        same(document, ledger)


def test_a_passage_counts_for_the_document_that_it_was_taken_from(ledger: Ledger) -> None:
    joins = told(ledger)[ID["joins"]]
    assert {entry.stage for entry in joins.seen} >= {"pretrain", "midtrain"}
    alone = told(ledger)[ID["views"]]
    assert "midtrain" not in {entry.stage for entry in alone.seen}


@pytest.mark.parametrize(
    "gone", ["text", "filter", "dedup", "decontaminate", "mix", "midtrain_data", "crawl"]
)
def test_with_a_table_missing_the_page_says_what_trace_says(tree: Path, gone: str) -> None:
    for file in sorted((tree / "data" / gone).glob("*.parquet")):
        file.unlink()
    ledger = Ledger.load(tree)
    for document in documents(Outputs(ledger)):
        same(document, ledger)


def test_a_document_that_no_table_holds_is_lost(tree: Path) -> None:
    path = tree / "data/dedup/documents.parquet"
    pl.read_parquet(path).filter(pl.col("id") != ID["views"]).write_parquet(path)
    republish(tree, "dedup")
    lost = told(Ledger.load(tree))[ID["views"]]
    assert [stop.outcome for stop in lost.stops if stop.step == "dedup"] == ["missing"]
    same(lost, Ledger.load(tree))


def test_an_earlier_checkpoint_has_seen_less(ledger: Ledger) -> None:
    early = scope(ledger, ledger.by_name["pretrain.000004"])
    for document in documents(Outputs(early)):
        for entry in document.seen:
            assert entry.checkpoint == "pretrain.000004" and max(entry.steps, default=0) <= 4
    whole = told(ledger)[ID["joins"]].seen[0].steps
    part = told(early)[ID["joins"]].seen[0].steps
    assert part == [step for step in whole if step <= 4]


@pytest.mark.parametrize("name", ["crawl", "text", "filter", "dedup", "decontaminate", "mix"])
def test_a_page_that_ends_early_calls_nothing_lost(ledger: Ledger, name: str) -> None:
    early = scope(ledger, ledger.by_name[name])
    found = documents(Outputs(early))
    assert {d.end for d in found} <= {"kept", "dropped", "held out"}
    wanted = told(ledger)
    for document in found:
        if document.end == "kept":
            assert document.fate.startswith("kept as far as this page goes")
        elif document.id:
            assert document.fate == wanted[document.id].fate


def test_every_task_goes_the_way_that_trace_says(ledger: Ledger) -> None:
    outputs = Outputs(ledger)
    known = Known.of(outputs)
    found = tasks(outputs, known.runs, known.exposed)
    assert len(found) == 16 and any(task.rewarded for task in found)
    assert [task.weight for task in found] == sorted(task.weight for task in found)
    for task in found:
        wanted = follow(Outputs(ledger), Match(task.id, "", kind="task"))
        assert (task.split != "train") == wanted["fate"].startswith("held out")
        told: dict[str, set[int]] = {}
        for used in task.used:
            told.setdefault(used.checkpoint, set()).update(used.steps)
        for entry in (*task.rewarded, *task.seen):
            told.setdefault(entry.checkpoint, set()).update(entry.steps)
        saw = {entry["checkpoint"]: set(entry["steps"]) for entry in wanted["training"]}
        assert {name: steps for name, steps in told.items() if steps} == {
            n: s for n, s in saw.items() if s
        }
        rewards = {
            e["stage"]: [row["reward"] for row in e["seen"]]
            for e in wanted["training"]
            if e["kind"] == "rollouts"
        }
        assert {r.checkpoint.partition(".")[0]: r.answers for r in task.rewarded} == {
            n: len(r) for n, r in rewards.items()
        }
        passed = [
            (s["step"], s["facts"]["passes"])
            for s in wanted["stops"]
            if s["step"].startswith("difficulty")
        ]
        assert [(job, passes) for job, passes, _, _ in task.passed] == passed
        for name, probe, value in task.scores:
            rows = [
                e["value"]
                for e in wanted["evaluations"]
                if (e["checkpoint"], e["probe"]) == (name.replace(".", "-"), probe)
            ]
            assert value == pytest.approx(sum(rows) / len(rows))


def test_a_page_lists_the_tasks_that_mattered_most(ledger: Ledger) -> None:
    outputs = Outputs(ledger)
    known = Known.of(outputs)
    found = tasks(outputs, known.runs, known.exposed)
    part = listed(found, 3)
    assert part["left_out"] == len(found) - 3 and part["counts"]["tasks"] == len(found)
    assert [row[0] for row in part["rows"]] == [task.id for task in found[:3]]
    assert (
        sum(run[3] for row in listed(found)["rows"] for run in row[8]) == part["counts"]["answers"]
    )


def test_paired_differences_are_those_of_gains(ledger: Ledger) -> None:
    """Where `regrow evals --gains` compares the same two checkpoints by the same probe."""
    found = paired(ledger)
    places = {probe: place for place, probe in enumerate(found["probes"])}
    compared = 0
    for row in gains(Evaluations(ledger)):
        names = [row[side]["checkpoint"].replace("-", ".") for side in ("before", "after")]
        rows = found["differences"].get(",".join(names), [])
        mine = [values for place, *values in rows if place == places.get(row["metric"])]
        if mine and row["seeds"] == 1 and row["metric"] not in ("format",):
            value, low, high, items, _ = mine[0]
            assert {"value": value, "low": low, "high": high} == row["paired"]
            assert items == row["items"]
            compared += 1
    assert compared >= 4
    few = paired(ledger, 2)
    assert len(few["differences"]) <= 2 and few["left_out"] > 0


def unpack(packed: str) -> list[int]:
    found, value, shift = [], 0, 0
    for digit in packed:
        bits = codec.DIGITS.index(digit)
        value += (bits & 31) << shift
        shift += 5
        if bits < 32:
            found.append(value)
            value = shift = 0
    return found


@given(st.lists(st.integers(0, 2**40)))
def test_numbers_come_back(values: list[int]) -> None:
    assert unpack(codec.numbers(values)) == values
    risen = sorted(values)
    total, back = 0, []
    for step in unpack(codec.rising(risen)):
        total += step
        back.append(total)
    assert back == risen


def test_numbers_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="below 0"):
        codec.rising([3, 2])


@given(st.lists(st.text(max_size=60), min_size=1, max_size=8))
def test_words_are_found_in_the_texts_that_hold_them(texts: list[str]) -> None:
    found = words.index(texts, 10**6)
    vocabulary, last = [], ""
    for shared, rest in re.findall(r"(\d)([^\d]+)", found.vocabulary):
        last = last[: int(shared)] + rest
        vocabulary.append(last)
    assert len(vocabulary) == found.count and vocabulary == sorted(set(vocabulary))
    flat = iter(unpack(found.postings))
    for word in vocabulary:
        at, held = 0, []
        for _ in range(next(flat)):
            at += next(flat)
            held.append(at)
        assert held == [n for n, text in enumerate(texts) if word in words.split(text)]
    assert next(flat, None) is None


def test_an_index_without_room_drops_rare_words_first_and_says_so() -> None:
    texts = [f"shared{'x' * 0} common{'y' * (n % 2)} only{chr(97 + n) * 5}" for n in range(12)]
    whole, small = words.index(texts, 10**6), words.index(texts, 30)
    assert whole.rare == 0 and small.rare > 0
    assert len(small.vocabulary) + len(small.postings) <= 30
    assert whole.common > 0, "words of more than half the texts help nobody"
    assert small.count + small.rare == whole.count


def test_of_many_documents_those_seen_most_stay(ledger: Ledger) -> None:
    found = documents(Outputs(ledger))
    whole, part = index(found), index(found, most=3)
    assert (len(whole["rows"]), whole["left_out"]) == (len(found), 0)
    assert (len(part["rows"]), part["left_out"]) == (3, len(found) - 3)
    assert part["counts"] == whole["counts"], "the counts are of all"
    assert [row[0] for row in part["rows"]] == [d.id for d in found[:3]]
    assert found[0].tokens >= found[1].tokens >= found[2].tokens > 0


def test_find_and_the_page_know_the_same_documents(ledger: Ledger) -> None:
    outputs = Outputs(ledger)
    for document in documents(outputs):
        assert {match.id for match in find(outputs, document.url)} == {document.id}
