"""in = kept + dropped: a step that loses or makes up a document says so and stops."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.data.dedup import deciding, decontaminate
from regrow.data.dedup import step as dedup
from regrow.data.filters import step as filters
from regrow.data.mix import classify, scoring
from regrow.data.mix import step as mix
from regrow.data.tables.conservation import Lost, balanced, conserved
from regrow.params.data import Classify, Decontaminate, Dedup, Filter, Mix

IDS = st.lists(st.sampled_from("abcd"), max_size=6)
PARAMS = SimpleNamespace(
    filter=Filter(languages=["en"]),
    dedup=Dedup(),
    decontaminate=Decontaminate(),
    classify=Classify(buckets=256, epochs=1),
    mix=Mix(tokens=1_000),
)


@given(IDS, IDS, IDS)
def test_what_came_is_kept_or_dropped_each_as_often_as_it_came(came, kept, dropped):
    if sorted(came) == sorted(kept + dropped):
        conserved("step", "documents", came, kept, dropped)
    else:
        with pytest.raises(Lost):
            conserved("step", "documents", came, kept, dropped)


def test_the_error_names_step_counts_and_difference():
    with pytest.raises(Lost) as lost:
        conserved("mix", "documents", "abcc", {"a": 1}, ["x"])
    said = str(lost.value)
    assert "mix: 4 documents in, 1 kept and 1 dropped" in said
    assert "3 without a trace (b, c)" in said and "1 too many (x)" in said
    with pytest.raises(Lost, match=r"pack: 9 tokens in, but 5 packed, 3 tail: \+1 without a trace"):
        balanced("pack", "tokens", 9, packed=5, tail=3)
    balanced("pack", "tokens", 8, packed=5, tail=3)


def rows(root: Path) -> dict[str, Path]:
    """Every table that the steps read: twelve documents that nothing is wrong with."""
    text = (
        "The sea is wide and the ship that we have is small, so we stay with the shore number {}. "
    )
    frame = pl.DataFrame(
        [
            {
                "id": f"{k:02d}",
                "url": f"http://h/{k}",
                "source": "s",
                "mime": "text/plain",
                "domain": "s",
                "text": text.format(k) + " ".join(f"word{k}x{j} of the" for j in range(30)) + ".",
            }
            for k in range(12)
        ]
    )
    for name in ("text", "filter", "dedup"):
        (root / name).mkdir()
        frame.write_parquet(root / name / "documents.parquet")
    for name in ("decontaminate", "classify", "evals", "tasks"):
        (root / name).mkdir()
    frame.write_parquet(root / "decontaminate/train.parquet")
    scores = frame.select("id").with_columns(topic=pl.lit("all"), quality=pl.lit(0.5))
    scores.write_parquet(root / "classify/scores.parquet")
    for split in ("dev", "test"):
        pl.DataFrame(schema={"id": pl.String, "question": pl.String}).write_parquet(
            root / f"tasks/{split}.parquet"
        )
    names = ("text", "filter", "dedup", "decontaminate", "classify", "evals", "tasks")
    return {name: root / name for name in names}


def _but_one(add):
    """An `add` that loses the third row."""

    def lossy(self, row):
        if self.rows == 2:
            self.rows += 1
        else:
            add(self, row)

    return lossy


def _loss_in(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lose a document inside the step."""
    if step == "filter":
        monkeypatch.setattr(filters.stream.Writer, "add", _but_one(filters.stream.Writer.add))
    elif step == "dedup":
        monkeypatch.setattr(dedup.Signatures, "copies", lambda self: [np.array([0, 1])])
        made_rows = dedup._rows
        monkeypatch.setattr(
            dedup,
            "_rows",
            lambda *given: ({**row, "id": "elsewhere"} for row in made_rows(*given)),
        )
    elif step == "decontaminate":
        made = deciding._row
        monkeypatch.setattr(deciding, "_row", lambda *given: made(*given) | {"id": "else"})
    elif step == "classify":
        made = scoring._row
        monkeypatch.setattr(scoring, "_row", lambda id_, *given: made(_other(id_), *given))
    else:
        dropped, other = mix._drops, pl.lit("elsewhere")
        monkeypatch.setattr(mix, "_drops", lambda rows, p: dropped(rows, p).with_columns(id=other))
        monkeypatch.setattr(mix, "repeats", lambda rate, seed, id: 0 if id == "03" else 1)


def _other(id_: str) -> str:
    """An id, or of one document another one."""
    return "elsewhere" if id_ == "03" else id_


RUN = {
    "filter": filters.run,
    "dedup": dedup.run,
    "decontaminate": decontaminate.run,
    "classify": classify.run,
    "mix": mix.run,
}


@pytest.mark.parametrize("step", sorted(RUN))
def test_a_planted_loss_is_caught(step: str, tmp_path: Path, monkeypatch) -> None:
    inputs = rows(tmp_path)
    counts = RUN[step](inputs, PARAMS, tmp_path / "right")
    assert counts["in"] == counts["kept"] + sum(counts.get("dropped", {}).values()) == 12
    _loss_in(step, monkeypatch)
    with pytest.raises(Lost, match=rf"^{step}: 12 documents in, .* without a trace"):
        RUN[step](inputs, PARAMS, tmp_path / "wrong")
