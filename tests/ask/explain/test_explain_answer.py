"""What `explain` tells of a span: where it stands, what training did with it, how far it goes."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regrow.ask.explain import spans
from regrow.ask.explain.ancestors import trained
from regrow.ask.explain.answer import Explainer
from regrow.ask.explain.segments import segments, steps
from regrow.ask.explain.spelling import Text
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record
from small_tree import ID, TEXTS, url


def entry(answer: dict[str, Any], text: str) -> dict[str, Any]:
    """The longest span, which holds `text`."""
    span: dict[str, Any] = max(answer["spans"], key=lambda s: s["tokens"])
    assert text in span["text"], [s["text"] for s in answer["spans"]]
    return span


def roles(span: dict[str, Any]) -> dict[str, dict[str, int]]:
    return {data["data"]: data["roles"] for data in span["data"]}


def test_a_document_is_named_with_its_licence_and_the_steps_that_saw_it(explainers):
    answer = explainers["pretrain.000008"].explain("row of keys agree.", 2, top=9)
    entries = [e for span in answer["spans"] for e in span["found_in"]]
    found = next(e for e in entries if e["id"] == ID["joins"])
    assert found["url"] == url("joins") and found["title"] == "About joins"
    assert found["licence"] == "MIT" and found["source"] == "manual-1.0"
    assert found["kind"] == "document" and found["match"] in TEXTS["joins"]
    assert TEXTS["joins"].startswith(found["left"]) or found["left"] in TEXTS["joins"]
    [seen] = found["seen"]
    assert seen["stage"] == "pretrain" and seen["roles"] == ["trained on"]
    assert seen["steps"] == sorted(set(seen["steps"])) and seen["steps"][0] >= 1


def test_prompts_are_context_and_answers_are_learned(explainers):
    explainer = explainers["sft.000004"]
    asked = explainer.explain(" is asked in think", 4)
    assert set(roles(entry(asked, "asked in"))["sft_data"]) == {"context"}
    assert asked["learned"] == 0.0 and asked["covered"]["4"] > 0.9
    replied = explainer.explain(" is learned well.", 4)
    assert set(roles(entry(replied, "learned"))["sft_data"]) == {"trained on"}
    assert replied["learned"] == replied["covered"]["4"] > 0.9


def test_a_span_over_the_border_of_a_prompt_is_partly_trained_on(explainers):
    explainer = explainers["sft.000004"]
    data = explainer.data[-1]
    row = int(np.flatnonzero(data.times)[0])
    tokens = data.index.row(row)
    span = entry(explainer.explain(tokens[2:-2], 4), "rows?")
    assert set(roles(span)["sft_data"]) == {"partly trained on"}


def test_answers_of_pairs_are_preferred_or_rejected(explainers):
    explainer = explainers["dpo.000002"]
    assert set(roles(entry(explainer.explain(" a good answer here", 4), "good"))["pairs"]) == {
        "preferred"
    }
    assert set(roles(entry(explainer.explain(" a poor answer there", 4), "poor"))["pairs"]) == {
        "rejected"
    }
    asked = entry(explainer.explain(" pick one for", 4), "pick")
    assert set(roles(asked)["pairs"]) == {"context"}
    [found] = [e for e in asked["found_in"] if e["kind"] == "pair"][:1]
    assert found["source"] == "the model's own answers" and found["family"]


def test_pairs_of_another_source_are_not_those_of_this_run(explainers):
    judged = entry(explainers["dpo.000002"].explain(" pick one for pair-", 4, 9), "pick")
    delta = entry(explainers["dpo_delta.000002"].explain(" pick one for pair-", 4, 9), "pick")
    ids = [
        {i for e in span["found_in"] for s in e["seen"] for i in s["ids"]}
        for span in (judged, delta)
    ]
    assert ids[0] <= {f"pair-{n}" for n in range(4)} and ids[1] <= {"pair-4", "pair-5"}
    assert ids[0] and ids[1]


def test_own_answers_count_where_they_moved_the_weights(explainers):
    explainer = explainers["rlvr.000004"]
    span = entry(explainer.explain(" drawn in step 1 of 0", 4), "drawn in step 1 of 0")
    assert set(roles(span)["rollouts of rlvr"]) <= {"reinforced", "discouraged"}
    assert span["views"] == 2 and span["found_in"][0]["kind"] == "rollout"
    unused = explainer.explain(" drawn in step 1 of 1", 4)
    assert unused["longest"] < len(explainer.spelling.text(" drawn in step 1 of 1").tokens)
    early = explainers["rlvr.000002"].explain(" drawn in step 3 of 0", 4)
    assert early["longest"] < span["tokens"]
    assert explainer.explain(" drawn in step 1 of 0", 4)["outside"] == 0.0


def test_only_runs_that_led_to_the_checkpoint_are_searched(explainers):
    def stages(name: str) -> list[str]:
        return [run.stage for data in explainers[name].data for run in data.exposures]

    assert stages("midtrain.000004") == ["pretrain", "midtrain"]
    assert stages("sft.000004") == ["pretrain", "midtrain", "midtrain_b", "longcontext", "sft"]
    assert stages("rlvr.000004")[-3:] == ["sft", "dpo", "rlvr"]
    assert stages("rlzero.000002")[-2:] == ["longcontext", "rlzero"]
    assert stages("sft_instruct.000002")[-2:] == ["sft", "sft_instruct"]


@pytest.mark.parametrize(
    ("kept", "stages"),
    [("a", ["midtrain"]), ("b", ["midtrain_b"]), ("mean", ["midtrain", "midtrain_b"])],
)
def test_a_soup_holds_what_it_kept(texts: Path, kept: str, stages: list[str]):
    ledger = Ledger.load(texts)
    changed = [
        dataclasses.replace(r, raw=r.raw | {"counts": {"kept": kept}}) if r.step == "soup" else r
        for r in ledger.records
    ]
    found = trained(Ledger(texts, changed), Record("", ledger.by_name["longcontext.000002"].raw))
    assert [r.step for r in found] == ["pretrain", *stages, "longcontext"]


def test_a_missing_checkpoint_on_the_way_is_named(texts: Path):
    ledger = Ledger.load(texts)
    rest = Ledger(texts, [r for r in ledger.records if r.name != "sft.000004"])
    with pytest.raises(Unanswerable, match=r"dpo.000002 began from records/sft.000004.json"):
        trained(rest, rest.by_name["rlvr.000004"])


@pytest.mark.parametrize(
    ("there", "asked", "core", "whole"),
    [
        # the space before the first word, and the rest of the last, belong to other tokens
        (
            "So it is said. The planner decides.",
            "The planner deciduous",
            "planner",
            "The planner decid",
        ),
        ("A join takes rows", "join takes rowing", "takes", "join takes row"),
        ("join takes rows", "join takes rows", "takes", "join takes rows"),
        ("\nä planner", "ö planner", "planner", " planner"),  # half of a letter is none
    ],
)
def test_letters_beyond_the_tokens_are_found_too(explainers, there, asked, core, whole):
    spelling = explainers["pretrain.000008"].spelling
    row, text = spelling.text(there), spelling.text(asked)
    begin, offset = (
        next(n for n, end in enumerate(t.ends) if end >= t.data.find(core.encode()))
        for t in (text, row)
    )
    length = 0
    while (
        begin + length < len(text.tokens)
        and offset + length < len(row.tokens)
        and text.tokens[begin + length] == row.tokens[offset + length]
        and text.ends[begin + length + 1] <= text.data.find(core.encode()) + len(core)
    ):
        length += 1
    low, high = text.whole(*text.extent(begin, begin + length, row.tokens.tolist(), offset))
    assert text.data[low:high].decode() == whole
    assert (text.character(low), text.character(high)) == (
        asked.index(whole), asked.index(whole) + len(whole)
    )  # fmt: skip


def test_a_control_token_ends_a_match(explainers):
    spelling = explainers["pretrain.000008"].spelling
    words = spelling.text("one two").tokens.tolist()
    end = spelling.end
    text = Text(spelling, np.array([*words, end, *words], dtype=np.uint16))
    low, high = text.extent(0, len(words), [*words, end, *words], 0)
    assert text.data[low:high] == b"one two"
    assert text.data == b"one two<|endoftext|>one two"


def test_a_text_of_any_script_comes_back_as_it_was(explainers):
    text = "Ein Verbund ☃ 𝄞 <|endoftext|> join two tables äöü"
    answer = explainers["pretrain.000008"].explain(text, 2)
    assert answer["text"] == text
    assert "".join(piece for piece, _ in segments(answer)) == text
    for span in answer["spans"]:
        assert text[span["begin"] : span["end"]] == span["text"]


def test_shares_say_what_is_covered_by_what(explainers):
    answer = explainers["sft.000004"].explain("The reply of think-1 is learned well. zzzzz", 4)
    names = [data["data"] for data in answer["data"]]
    assert (
        list(answer["covered_by"])
        == names
        == ["pack", "midtrain_data", "longcontext_data", "sft_data"]
    )
    assert answer["covered_by"]["sft_data"]["4"] <= answer["covered"]["4"] < 1
    assert answer["covered_by"]["pack"]["8"] == 0.0
    assert list(answer["covered"]) == ["4", "8", "16", "32", "64"]
    seen = next(data for data in answer["data"] if data["data"] == "sft_data")
    assert 0 < seen["tokens_seen"] <= seen["tokens"]


def test_boilerplate_is_what_many_documents_have(explainers, monkeypatch):
    from regrow.ask.explain import answer as module

    explainer = explainers["sft.000004"]
    few = explainer.explain(" is learned well.", 4)
    assert few["boilerplate"] == 0.0
    monkeypatch.setattr(module, "MANY", few["spans"][0]["documents"])
    assert explainer.explain(" is learned well.", 4)["boilerplate"] == few["covered"]["4"]


def test_the_index_and_the_data_in_memory_give_the_same_answer(texts: Path, tmp_path: Path):
    def answers(root: Path) -> tuple[list[str], list[Any]]:
        ledger = Ledger.load(root)
        explainer = Explainer(ledger, ledger.by_name["dpo.000002"])
        found = [explainer.explain(text, 2) for text in (TEXTS["queries"], " a good answer here")]
        return [data.place for data in explainer.data], [
            {k: v for k, v in answer.items() if k not in ("data", "hint")} for answer in found
        ]

    with_index = answers(texts)
    without = Path(shutil.copytree(texts, tmp_path / "tree"))
    shutil.rmtree(without / "data/index")
    in_memory = answers(without)
    assert with_index[0] == [
        f"data/index/{n}"
        for n in ("pack", "midtrain_data", "longcontext_data", "sft_data", "pairs")
    ]
    assert set(in_memory[0]) == {"memory"}
    assert with_index[1] == in_memory[1]


def test_an_index_of_other_data_is_not_used(texts: Path):
    ledger = Ledger.load(texts)
    stale = ledger.by_name["index.pack"].raw
    other = stale | {"parts": stale["parts"] | {"inputs": {"data": "0" * 64}}}
    records = [Record(r.file, other) if r.name == "index.pack" else r for r in ledger.records]
    explainer = Explainer(Ledger(texts, records), ledger.by_name["pretrain.000008"])
    assert [data.place for data in explainer.data] == ["memory"]


def test_data_that_are_nowhere_are_named(texts: Path, tmp_path: Path):
    tree = Path(shutil.copytree(texts, tmp_path / "tree"))
    shutil.rmtree(tree / "data/pack")
    ledger = Ledger.load(tree)
    with pytest.raises(Unanswerable, match="dvc pull data/pack"):
        Explainer(ledger, ledger.by_name["pretrain.000008"])


def test_the_rarer_span_comes_first():
    unigrams = np.array([90, 9, 1])
    common, rare = np.array([0, 0, 0, 0]), np.array([2, 1])
    assert spans.bits(rare, unigrams) > spans.bits(common, unigrams) > 0
    assert (
        spans.bits(np.array([2]), unigrams)
        == spans.bits(np.array([7]), unigrams)
        == pytest.approx(np.log2(100))
    )


def test_maximal_spans_contain_no_other():
    matches = np.array([5, 4, 0, 6, 5, 4, 3, 2, 9])
    assert spans.maximal(matches, 2) == [(0, 5), (3, 9), (8, 17)]
    assert spans.maximal(matches, 6) == [(3, 9), (8, 17)]
    assert spans.best([(0, 5), (3, 9)], 10).tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 1, -1]


def test_an_answer_is_json_and_the_same_each_time(explainers):
    first, second = (
        json.dumps(explainers["sft.000004"].explain(TEXTS["views"], 2)) for _ in range(2)
    )
    assert first == second


def test_steps_in_words():
    assert steps([3]) == "step 3"
    assert steps([1, 2]) == "steps 1, 2"
    assert steps(list(range(1, 2001)), 3) == "steps 1, 2 and 1,998 more up to 2,000"


def test_an_empty_text_is_refused(explainers):
    with pytest.raises(Unanswerable, match="an empty text"):
        explainers["sft.000004"].explain("")
