from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

import library_corpus as corpus
from determinism import SETTINGS, run_python
from regrow.data.tokens import bpe

SPECIAL = ["<|pad|>", "<|endoftext|>", "<think>"]
TEXTS = [text for _, text in corpus.pages(8)]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return bpe.train(TEXTS, 600, SPECIAL)


def _ids(tokenizer: Tokenizer, text: str) -> list[int]:
    return next(bpe.encode(tokenizer, [text])).tolist()


def test_vocabulary_size_and_control_tokens(tokenizer: Tokenizer) -> None:
    assert tokenizer.get_vocab_size() == 600
    assert [tokenizer.token_to_id(t) for t in SPECIAL] == [0, 1, 2]


@given(st.text(max_size=300))
@example("NUL \x00 and \x00\x00")
@example("\r\n \n\t  tail ")
@example("<|endoftext|><|pad|> <think>")
@settings(deadline=None)
def test_any_text_comes_back(tokenizer: Tokenizer, text: str) -> None:
    ids = _ids(tokenizer, text)
    assert tokenizer.decode(ids, skip_special_tokens=False) == text
    assert all(i >= len(SPECIAL) for i in ids)


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_come_back(tokenizer: Tokenizer, data: bytes) -> None:
    # Every byte has its token, whether or not it is part of a character.
    alphabet = {bytes([b]): i for b, i in _byte_tokens(tokenizer).items()}
    assert len(alphabet) == 256
    text = data.decode("latin-1")
    assert tokenizer.decode(_ids(tokenizer, text)).encode("latin-1") == data


def _byte_tokens(tokenizer: Tokenizer) -> dict[int, int]:
    # GPT-2's map: printable bytes stand for themselves, the others follow from U+0100 on.
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    names = {b: chr(b) for b in printable} | {b: chr(256 + i) for i, b in enumerate(others)}
    return {b: i for b, c in names.items() if (i := tokenizer.token_to_id(c)) is not None}


def test_digits_stand_alone(tokenizer: Tokenizer) -> None:
    ids = _ids(tokenizer, "in 2024, 17.5 and 1000000")
    tokens = [tokenizer.id_to_token(i) for i in ids]
    assert all(len(t) == 1 for t in tokens if any(c.isdigit() for c in t))
    assert not any(
        c.isdigit() for t in tokenizer.get_vocab() for c in t if len(t) > 1 and t.isascii()
    )


def test_a_very_long_document(tokenizer: Tokenizer) -> None:
    text = "a" * 300_000 + " " + "word " * 100_000
    assert tokenizer.decode(_ids(tokenizer, text)) == text


def test_control_tokens_stay_control_tokens_elsewhere(tokenizer: Tokenizer) -> None:
    _ids(tokenizer, "<think>")
    assert tokenizer.encode("<think>").ids == [2]


def test_no_text_gives_the_bytes_alone() -> None:
    assert bpe.train([], 600, SPECIAL).get_vocab_size() == 256 + len(SPECIAL)


def test_order_of_texts_does_not_matter() -> None:
    assert bpe.train(TEXTS[::-1], 600, SPECIAL).to_str() == bpe.train(TEXTS, 600, SPECIAL).to_str()


TRAIN = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
import library_corpus
from regrow.data.tokens import bpe
texts = [text for _, text in library_corpus.pages(8)]
tokenizer = bpe.train(texts, 600, ["<|pad|>", "<|endoftext|>", "<think>"])
print(hashlib.sha256(tokenizer.to_str().encode()).hexdigest())
"""


def test_ten_trainings_give_one_tokenizer(tmp_path: Path) -> None:
    tests = str(Path(__file__).resolve().parents[1] / "support")
    found = set()
    for run in range(10):
        env = {
            **SETTINGS[run % 2],
            "RAYON_NUM_THREADS": str(1 + run % 4),
            "PYTHONHASHSEED": str(run),
        }
        done = run_python(TRAIN, tests, cwd=tmp_path, **env)
        assert done.returncode == 0, done.stderr
        found.add(done.stdout)
    assert len(found) == 1 and sys.byteorder == "little"


@pytest.mark.parametrize("run", [" ", "=", "x", "\n", "汉", "é", "\u0301", "xy", "\t", "- "])
def test_a_run_without_a_break_does_not_hold_up_training(run: str) -> None:
    """300,000 of them in one page; without a limit the cost is the square of the run."""
    page = "the quick brown fox " * 50 + run * (300_000 // len(run)) + "x"
    start = time.process_time()
    trained = bpe.train([page], 400, ["<|pad|>", "<|endoftext|>"])
    assert time.process_time() - start < 8
    assert trained.decode(trained.encode(page[:3_000]).ids) == page[:3_000]


@given(
    st.lists(st.tuples(st.sampled_from([" ", "x", "=", "\n"]), st.integers(1, 3_000)), max_size=5)
)
def test_runs_are_cut_and_nothing_else(parts) -> None:
    text = "".join(character * times for character, times in parts)
    pieces = list(bpe.cut_runs(text))
    assert "".join(pieces) == text and all(pieces)
    longest = max(map(len, re.findall(r"\S+|\s+", text)), default=0)
    if longest <= bpe.LONGEST_RUN:
        assert len(pieces) <= 1
    for piece in pieces:
        assert max(map(len, re.findall(r"\S+|\s+", piece))) <= bpe.LONGEST_RUN
