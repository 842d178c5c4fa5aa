from __future__ import annotations

from pathlib import Path

import pytest

from regrow import yaml12
from regrow.change.mix import adopt
from regrow.evidence.errors import Unanswerable
from regrow.params.schema import ParamsError, load

FOUND = {
    "key": "ab" * 32,
    "by": "topic",
    "domains": {
        "laws": {"share": 0.75, "bytes_per_token": 3.123456},
        "poems": {"share": 0.25, "bytes_per_token": 2.5},
    },
}
TEXT = """\
# ours
stages: [pretrain]
mix:  # what is read
  tokens: 50000
  topic_weights: {poems: 0.5}
  # the ceiling
  max_repeats: 2.0

# the pack
pack: {sequence_length: 64}
"""


def test_the_section_is_rewritten_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(TEXT)
    adopt(FOUND, path, "mine.yaml")
    params = load(path)
    assert params.mix.shares == {"laws": 0.75, "poems": 0.25} and params.mix.shares_by == "topic"
    assert params.mix.adopted == "mixture " + "ab" * 32
    assert params.mix.domain_bytes_per_token == {"laws": 3.1234, "poems": 2.5}
    assert (params.mix.tokens, params.mix.max_repeats, params.mix.topic_weights) == (
        50_000,
        2.0,
        {},
    )
    text = path.read_text()
    assert text.startswith("# ours\nstages: [pretrain]\nmix:  # what is read\n")
    assert text.endswith("\n\n# the pack\npack: {sequence_length: 64}\n")
    adopt(FOUND, path, "mine.yaml")
    assert path.read_text() == text


@pytest.mark.parametrize("text", ["", "stages: [pretrain]\n", "mix: {tokens: 50000}\n", "{}\n"])
def test_any_params_file_can_adopt(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    before = yaml12.load(text) or {}
    adopt(FOUND, path, "mine.yaml")
    found = yaml12.load(path.read_text())
    assert {k: v for k, v in found.items() if k != "mix"} == {
        k: v for k, v in before.items() if k != "mix"
    }
    assert load(path).mix.shares == {"laws": 0.75, "poems": 0.25}


def test_a_file_that_searches_keeps_its_own_mix(tmp_path: Path) -> None:
    path = tmp_path / "search.yaml"
    path.write_text("search: {}\n")
    with pytest.raises(
        ParamsError, match=r"search\.yaml: search: .* adopt the shares in another one"
    ):
        adopt(FOUND, path, "search.yaml")
    assert path.read_text() == "search: {}\n"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unanswerable, match=r"mine\.yaml: cannot be read"):
        adopt(FOUND, tmp_path / "mine.yaml", "mine.yaml")
