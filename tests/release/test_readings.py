"""A card says how much a stage read, not only how much there was to read."""

from __future__ import annotations

import pytest

from regrow.release.readings import reads
from regrow.release.records import Artifact, Source

PACK = Artifact(
    "pack", function="regrow.data.tokens.pack:run", counts={"documents": 863, "tokens": 5_376_128}
)
CHATS = Artifact(
    "sft_data", function="regrow.learn.tasks.sft_data:run", counts={"think": {"examples": 40}}
)
STRONG = Source("strong", "data/sft/000720", "0" * 64, record="sft.000720", kind="data")
PAIRS = Artifact(
    "pairs", function="regrow.learn.rl.pairs:run", counts={"pairs": {"judged": 9}}, inputs=(STRONG,)
)


def _stage(made: Artifact, **counts: int) -> Artifact:
    data = Source("data", f"data/{made.step}", "0" * 64, record=made.step, kind="data")
    return Artifact(
        "stage.000010",
        counts=counts,
        inputs=(data,),
        options={"branch": "think", "source": "judged"},
    )


@pytest.mark.parametrize(
    ("made", "counts", "said", "field"),
    [
        (PACK, {"tokens": 40_960}, "863 documents of the mix, 5,376,128 tokens with repeats; 40,960 tokens were read.", "tokens"),
        (PACK, {"tokens": 0}, "863 documents of the mix, 5,376,128 tokens with repeats; 0 tokens were read.", "tokens"),
        (CHATS, {"sequences": 32, "tokens": 9}, "40 chat examples (think); 32 examples were read.", "sequences"),
        (PAIRS, {"sequences": 18}, "9 pairs of answers of sft.000720 (judged); 18 pairs were read.", "sequences"),
    ],
)  # fmt: skip
def test_what_was_read_is_said(
    made: Artifact, counts: dict[str, int], said: str, field: str
) -> None:
    found = reads(_stage(made, **counts), {made.step: made})
    assert found.text == said
    assert f"stage.000010/counts.{field}" in found.by


def test_nothing_is_said_of_what_is_not_on_record() -> None:
    assert "read" not in reads(_stage(PACK), {"pack": PACK}).text
