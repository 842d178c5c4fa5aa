"""A tokenizer that is given: its ids stay, control tokens are added behind them, the same bytes anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from tokenizers import Tokenizer

import library_corpus as corpus
import recipes
from determinism import run_twice
from regrow.data.tokens import given
from regrow.params.data import Tokenizer as Params

CODE = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
from regrow.data.tokens import given
from regrow.params.data import Tokenizer
inputs = {name: Path(path) for name, path in json.loads(sys.argv[2]).items()}
given.run(inputs, SimpleNamespace(tokenizer=Tokenizer()), Path(sys.argv[1]))
"""


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    recipes.tokenizer(tmp_path / "ours.json")
    corpus.write(tmp_path / "decontaminate", corpus.pages(3))
    return {"given": tmp_path / "ours.json", "decontaminate": tmp_path / "decontaminate"}


def test_ids_stay_and_what_is_lacking_is_added(inputs: dict[str, Path], tmp_path: Path) -> None:
    counts = given.run(inputs, SimpleNamespace(tokenizer=Params()), tmp_path / "out")
    before = Tokenizer.from_file(str(inputs["given"]))
    after = Tokenizer.from_file(str(tmp_path / "out/tokenizer.json"))
    lacking = [t for t in Params().special_tokens if before.token_to_id(t) is None]
    assert counts["given"] == 500 and counts["vocabulary"] == 500 + len(lacking)
    assert after.encode("a library of words").ids == before.encode("a library of words").ids
    assert [after.token_to_id(token) for token in lacking] == list(range(500, 500 + len(lacking)))


def test_same_bytes_in_other_circumstances(inputs: dict[str, Path], tmp_path: Path) -> None:
    paths = json.dumps({name: str(path) for name, path in inputs.items()})
    found = run_twice(CODE, tmp_path, paths)
    assert set(found) == {"tokenizer.json", "tokenizer_config.json", "stats.json"}
