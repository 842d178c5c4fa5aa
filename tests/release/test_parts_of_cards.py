"""No card depends on the number of parts that a source is cut into: neither its rows nor the keys that it shows."""

from __future__ import annotations

import polars as pl
import pytest

from regrow.release import corpora, data_card, statements
from regrow.release.records import Artifact, Source

SIGN, DEDUP = "regrow.data.dedup.signatures:run", "regrow.data.dedup.step:run"


def lineage(parts: int) -> list[Artifact]:
    """Records that a release is handed: of steps in parts only the first stands for all."""
    names = [f"{place:03d}of{parts:03d}" for place in range(parts)]
    signed = [
        Source(f"signatures.notes.{name}", "", "", f"signatures_notes.{name}", "data")
        for name in names
    ]
    read = [Source(f"notes.{name}", "", "", f"read_notes.{name}", "data") for name in names]
    counts = {"in": 9, "kept": 9}
    return [
        Artifact(
            f"read_notes.{names[0]}", function="regrow.data.sources.kinds.jsonl:run", counts=counts
        ),
        Artifact(f"signatures_notes.{names[0]}", function=SIGN, counts=counts),
        Artifact("text", function=corpora.TEXT, inputs=tuple(read), counts=counts),
        Artifact(
            "dedup",
            function=DEDUP,
            inputs=(Source("filter", "", "", "filter", "data"), *signed),
            counts=counts,
        ),
        Artifact("mix", function="regrow.data.mix.step:run", counts=counts),
    ]


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_parts_are_neither_rows_nor_keys(parts: int) -> None:
    records = lineage(parts)
    kept = corpora.whole_steps(records)
    assert [record.step for record in kept] == ["text", "dedup", "mix"]
    assert corpora.keyed(kept) == {"mix"}
    added = corpora.gathered(records)
    shown = {record.step: record for record in records if record.step not in added}
    assert [row["step"] for row in data_card.funnel(shown)] == ["text", "dedup", "mix"]


def test_a_quality_model_that_is_given_is_named_with_what_measured_it() -> None:
    table = pl.DataFrame({"heldout": [False], "repeats": [1]})

    def said(labelled: int) -> str:
        about = {"file": "models/hq.bin", "sha256": "ab" * 32, "format": "fastText"}
        counts = {"labelled": {"quality": labelled}, "given": {"quality": about}}
        mix = Artifact(
            "mix", function="regrow.data.mix.step:run", params={"mix": {"max_repeats": 2.0}}
        )
        records = {"mix": mix, "classify": Artifact("classify", counts=counts)}
        return " ".join(one.text for one in statements.of_mix(records, table))

    assert f"given, models/hq.bin (SHA-256 {'ab' * 32}); no label of this run measured it." in said(
        0
    )
    assert "3 labelled documents of this run measured it." in said(3)
    assert "No labels of quality" not in said(0) and "higher quality percentile" in said(0)


def test_dedup_of_a_crawl_alone_shows_its_key() -> None:
    alone = Artifact("dedup", function=DEDUP, inputs=(Source("filter", "", "", "filter", "data"),))
    assert corpora.keyed([alone]) == {"dedup"}


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("cut", [False, True])
def test_the_key_of_a_step_that_can_be_cut_is_shown_where_a_recipe_has_none_of_its_own(
    own: bool, cut: bool
) -> None:
    """And is not cut. So no card of a recipe with sources says whether it is."""
    part = Source("part.000of002", "", "", "pack_part.000of002", "data")
    pack = Artifact("pack", function="regrow.data.tokens.pack:run", inputs=(part,) if cut else ())
    text = [Artifact("text", function=corpora.TEXT)] if own else []
    assert corpora.keyed([*text, pack]) == (set() if own or cut else {"pack"})
