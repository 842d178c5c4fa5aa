"""Guards: planted losses are named with their figure, and a clean flow is silent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from regrow.ask.funnel.funnel import read
from regrow.ask.guards.check import check
from regrow.ask.guards.finding import Finding, grave
from regrow.ask.guards.reading import Reading, short
from small_funnel import Doc, many, write

CLEAN = [
    *many(40, "book"),
    *many(5, "copy", lost="dedup", reason="near"),
    *many(30, "page", source="web", language="de", topic="news"),
    *many(3, "held", lost="decontaminate", reason="held_out"),
]


def found(root: Path, documents: list[Doc], **more: Any) -> dict[str, Finding]:
    """Findings by name; one of each at most, so that none is hidden behind another."""
    ledger = write(root, documents, **more)
    all_found = check(ledger, read(ledger))
    by_name = {one.name: one for one in all_found}
    assert len(by_name) == len(all_found), all_found
    return by_name


def test_a_clean_flow_is_silent(tmp_path: Path) -> None:
    assert found(tmp_path, CLEAN, trained={"pretrain": 700}) == {}


def test_a_source_that_dedup_empties_is_named_though_the_totals_look_well(tmp_path: Path) -> None:
    lost = [
        *many(39, "mirror", source="mirror", lost="dedup", reason="near"),
        Doc("m", source="mirror"),
    ]
    one = found(tmp_path, [*CLEAN, *lost])["source_loss"]
    assert (one.severity, one.step, one.source, one.value) == ("warn", "dedup", "mirror", 0.975)
    assert one.says == "dedup drops 39 of 40 documents of mirror (97.5 %): near 39."


@pytest.mark.parametrize(
    ("lost", "kept", "severity"),
    [
        (19, 1, None),  # 95 % of 20 documents: the limit itself is no warning
        (20, 1, "warn"),  # 95.2 %
        (19, 0, "note"),  # all of a small source
        (18, 1, None),  # most of a small one
    ],
)
def test_the_limit_is_95_percent_of_twenty_documents(
    tmp_path: Path, lost: int, kept: int, severity: str | None
) -> None:
    documents = [
        *many(lost, "lost", source="small", lost="filter", reason="length.characters"),
        *many(kept, "kept", source="small"),
    ]
    one = found(tmp_path, [*CLEAN, *documents]).get("source_loss")
    assert (one.severity if one else None) == severity


def test_drops_without_a_known_source_empty_no_source(tmp_path: Path) -> None:
    lost = many(30, "row", source="rows", lost="text", reason="empty")
    told = found(tmp_path, [*CLEAN, *lost])
    assert [(one.name, one.severity, one.value) for one in told.values()] == [
        ("source_unknown", "note", 30)
    ]


def test_what_is_held_out_is_not_lost(tmp_path: Path) -> None:
    held = many(25, "quiz", source="quiz", lost="decontaminate", reason="held_out")
    assert "source_loss" not in found(tmp_path, [*CLEAN, *held])


def test_a_language_that_vanishes(tmp_path: Path) -> None:
    danish = many(21, "dansk", source="books", language="da", lost="dedup", reason="near")
    one = found(tmp_path, [*CLEAN, *danish])["language_vanishes"]
    assert (one.severity, one.step, one.value) == (
        "warn",
        "dedup",
        21,
    ) and "language da" in one.says
    few = many(2, "dansk", source="books", language="da", lost="dedup", reason="near")
    assert found(tmp_path / "few", [*CLEAN, *few])["language_vanishes"].severity == "note"


def test_a_language_that_was_asked_for_and_is_not_there(tmp_path: Path) -> None:
    unsure = many(4, "latin", lost="filter", reason="language.unsure", detail="la")
    asked = {"filter": {"languages": ["en", "de", "la"]}}
    one = found(tmp_path, [*CLEAN, *unsure], params=asked)["language_vanishes"]
    assert (
        one.step == "filter"
        and "4 of it were dropped as unsure" in one.says
        and one.severity == "warn"
    )
    assert "language_vanishes" not in found(
        tmp_path / "b", CLEAN, params={"filter": {"languages": ["en", "de"]}}
    )
    every = {"filter": {"languages": ["any"]}}
    assert "language_vanishes" not in found(tmp_path / "c", CLEAN, params=every)


def test_a_topic_that_the_mix_leaves_out(tmp_path: Path) -> None:
    lost = many(22, "law", topic="law", lost="mix", reason="quality_cutoff")
    one = found(tmp_path, [*CLEAN, *lost])["topic_vanishes"]
    assert (one.severity, one.value) == ("warn", 22)
    assert one.says == "mix keeps none of the 22 documents of the topic law: quality_cutoff 22."
    meant = found(
        tmp_path / "meant", [*CLEAN, *lost], params={"mix": {"topic_weights": {"law": 0}}}
    )
    assert meant["topic_vanishes"].severity == "note"


def test_a_source_that_the_mix_repeats_too_often(tmp_path: Path) -> None:
    documents = [*CLEAN, *many(20, "hymn", source="hymns", repeats=5)]
    one = found(tmp_path, documents)["source_repeats"]
    assert (one.severity, one.source, one.value) == ("warn", "hymns", 5.0)
    assert "source_repeats" not in found(
        tmp_path / "four", [*CLEAN, *many(20, "hymn", source="hymns", repeats=4)]
    )


def test_epochs_over_the_mix_count_as_repeats(tmp_path: Path) -> None:
    # 40 + 30 + 20 x 3 copies of ten tokens: 1,300 tokens, read twice.
    documents = [*CLEAN, *many(20, "hymn", source="hymns", repeats=3)]
    told = found(tmp_path, documents, trained={"pretrain": 2_600})
    assert told["source_repeats"].value == 6.0 and told["epochs"].value == 2.0


def test_a_document_above_the_recipe_s_repeats(tmp_path: Path) -> None:
    documents = [*CLEAN, Doc("often", repeats=9)]
    one = found(tmp_path, documents, params={"mix": {"max_repeats": 7.0}})["document_repeats"]
    assert (one.value, one.limit) == (9, 7.0)


def test_unlabelled_classifiers_and_what_the_mix_made_of_them(tmp_path: Path) -> None:
    lost = many(12, "unlucky", lost="mix", reason="quality_cutoff")
    one = found(
        tmp_path, [*CLEAN, *lost], params={"mix": {"cutoff": 0.4}},
        counts={"classify": {"labelled": {"quality": 0, "topic": 5}}},
    )["unlabelled_quality"]  # fmt: skip
    assert (one.severity, one.value) == ("warn", 12)
    assert "by nothing but the order of their ids" in one.says and "mix.cutoff: 0" in one.fix
    open_mix = found(
        tmp_path / "open", CLEAN, params={"mix": {"cutoff": 0.0}},
        counts={"classify": {"labelled": {"quality": 0, "topic": 5}}},
    )  # fmt: skip
    assert [one.severity for one in open_mix.values()] == ["note"]


def test_models_that_are_given_need_no_labels_and_are_named(tmp_path: Path) -> None:
    about = {"file": "models/hq.bin", "sha256": "ab" * 32, "format": "fastText"}
    counts = {
        "labelled": {"quality": 0, "topic": 7},
        "given": {"quality": about, "topic": about},
    }
    told = found(tmp_path, CLEAN, params={"mix": {"cutoff": 0.4}}, counts={"classify": counts})
    assert set(told) == {"given_quality", "given_topic"}
    assert "models/hq.bin (SHA-256 abababababab): no label" in told["given_quality"].says
    assert told["given_topic"].says.endswith("measured on 7 labelled documents.")


def test_topics_without_labels(tmp_path: Path) -> None:
    told = found(tmp_path, CLEAN, counts={"classify": {"labelled": {"quality": 5, "topic": 0}}})
    assert set(told) == {"unlabelled_topics"}


@pytest.mark.parametrize(
    ("licence", "named"), [("unknown", True), ("Unknown", True), ("", True), ("MIT", False)]
)
def test_a_mix_of_unknown_licence(tmp_path: Path, licence: str, named: bool) -> None:
    told = found(tmp_path, [*CLEAN, *many(30, "scan", source="scans", licence=licence, repeats=2)])
    assert ("unknown_licence" in told) == named
    if named:
        one = told["unknown_licence"]
        assert (
            one.value == round(600 / 1300, 4) and one.severity == "warn" and "(scans)" in one.says
        )


def test_a_pack_that_is_too_small_for_one_stage_and_for_two(tmp_path: Path) -> None:
    # 70 documents of ten tokens: 700.
    assert found(tmp_path, CLEAN, trained={"pretrain": 1_050})["epochs"].says == (
        "pretrain reads 1,050 tokens of data/pack, which holds 700: 1.50 epochs."
    )
    together = found(tmp_path / "two", CLEAN, trained={"pretrain": 600, "midtrain": 500})
    assert set(together) == {"pack_short"} and together["pack_short"].value == round(1100 / 700, 4)
    assert grave(list(together.values()))


def test_examples_may_be_read_several_times_and_a_whole_batch_more_is_no_warning() -> None:
    (one,) = short([Reading("sft", "sft_data", "examples", 300, 100)])
    assert one.severity == "note" and one.value == 3.0
    (one,) = short([Reading("pretrain", "pack", "tokens", 1_001, 1_000)])
    assert one.severity == "note"
    assert short([Reading("pretrain", "pack", "tokens", 900, 1_000)]) == []
    assert short([Reading("pretrain", "pack", "tokens", 900, None)]) == []


def test_sums_that_do_not_add_up_fail(tmp_path: Path) -> None:
    ledger = write(tmp_path, CLEAN, counts={"dedup": {"kept": 99}})
    first = check(ledger, read(ledger))[0]
    assert (first.name, first.severity) == ("not_conserved", "fail")
