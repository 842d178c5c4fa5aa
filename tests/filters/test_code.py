"""Source code is judged by the rules of code, and by no filter of prose."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace as Params

import polars as pl
import pytest

from regrow.data.filters import code, step
from regrow.data.filters.document import Document, Drop
from regrow.params.data import Filter

OLMO = Filter()
MODULE = '''"""A queue."""


class Queue:
    def __init__(self):
        self.items = []


    def push(self, item):
        self.items.append(item)
        return self
'''


def judged(text: str, mime: str = "text/x-python", **settings: object) -> str | None:
    answer = code.judge(Document(text, mime=mime), Filter(**settings))
    return answer.reason if isinstance(answer, Drop) else None


@pytest.mark.parametrize(
    ("mime", "language"),
    [
        ("text/x-python", "python"),
        ("TEXT/X-C++", "c++"),
        ("text/x-c; charset=utf-8", "c"),
        ("text/x-rst", ""),
        ("text/x-markdown", ""),
        ("text/x-tex", ""),
        ("text/plain", ""),
        ("text/html", ""),
        ("application/x-python", ""),
        ("", ""),
    ],
)
def test_which_types_are_code(mime: str, language: str):
    assert code.language(mime) == language


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MODULE, None),
        ("", "empty"),
        (" \n\n", "empty"),
        ("x = 1\n" + "y" * 25, "code.too_short"),  # 31
        ("x = 1\n" + "y" * 26, None),  # 32
        ("ab = 1 # four\n" * 18_724 + "abcdefgh", None),  # 262,144 characters
        ("ab = 1 # four\n" * 18_724 + "abcdefghi", "code.too_long"),
        (f"{MODULE}{'# ab' * 250}\n" + "ab = 1\n" * 20, None),  # 1,000
        (f"{MODULE}{'# ab' * 250}#\n" + "ab = 1\n" * 20, "code.longest_line"),
        ("a = b.c " * 12 + "abcd", None),  # one line of 100
        ("a = b.c " * 12 + "abcde", "code.mean_line"),
        ("ab" * 4 + "=+-;:!" * 4, None),  # 8 of 32
        ("ab" * 4 + "=+-;:!" * 4 + "(", "code.alphanumeric"),
    ],
)
def test_thresholds(text: str, expected: str | None):
    assert judged(text) == expected


@pytest.mark.parametrize(
    ("data", "length"),
    [
        ("QUJD" * 16, 64),
        ("QUJD" * 15, 0),
        ("0x12, " * 7 + "0x1f", 0),  # commas with a space between are not in the paper's pattern
        ("0x12," * 8, 40),
        ("1f 2e " * 8, 48),
        (r"\u0041" * 8, 48),
        (r"\x41" * 8, 32),
        (r"\x41" * 7, 0),
    ],
)
def test_encoded_data(data: str, length: int):
    assert code.encoded(f"a = '{data}'")[0] in (
        length,
        length - 1 if data.endswith(" ") else length,
    )


def test_shares_of_encoded_data():
    filler = "value = other + 1;\n" * 40
    assert judged(filler + "QUJD" * 24, code_max_mean_line=1_000) is None
    assert (
        judged(filler + "k = '" + "QUJD" * 240 + "'\n", code_max_mean_line=1_000) == "code.encoded"
    )
    long = "\n".join(["QUJD" * 20] * 13)  # 1,052 characters in one piece
    assert judged(filler * 3 + long) == "code.encoded_run"
    assert judged(filler * 3 + "\n#--\n".join([long[:500], long[500:]])) is None


def test_languages_of_data_may_have_long_lines():
    line = "<p>some words of a page in one line</p>" * 100
    assert judged(line, "text/x-html") is None
    assert judged(line, "text/x-python") == "code.longest_line"
    assert judged(line * 30, "text/x-html", code_max_characters=10**9) == "code.longest_line"


def test_encoded_data_between_long_white_space_costs_little():
    judged(
        "1f" + " " * 200_000 + "2e" + " " * 50_000, code_max_line=10**9, code_max_mean_line=10**9
    )


def test_prose_filters_leave_code_alone(tmp_path: Path):
    kinds = ["text/x-python", "text/plain", "text/x-rst", None]
    rows = [
        {"id": f"a{i}", "url": None, "mime": mime, "text": MODULE} for i, mime in enumerate(kinds)
    ]
    (tmp_path / "text").mkdir()
    pl.DataFrame(rows).write_parquet(tmp_path / "text/documents.parquet")
    for setting, kept in (("by_rules", ["a0"]), ("as_prose", [])):
        params = Params(filter=Filter(code=setting))
        counts = step.run({"text": tmp_path / "text"}, params, tmp_path / "out")
        table = pl.read_parquet(tmp_path / "out/documents.parquet")
        assert table["id"].to_list() == kept
        assert counts["in"] == counts["kept"] + sum(counts["dropped"].values()) == 4
    step.run({"text": tmp_path / "text"}, Params(filter=OLMO), tmp_path / "out")
    table = pl.read_parquet(tmp_path / "out/documents.parquet")
    assert table["text"].to_list() == [MODULE]  # two blank lines in a row stay
    assert table["language"].to_list() == table["language_score"].to_list() == [None]


def test_bans_of_addresses_hold_for_code_too():
    document = Document(MODULE, "http://a.example/casino.py", "text/x-python")
    answer = step.judge(document, OLMO)
    assert isinstance(answer, Drop)
    assert answer.reason == "url.word"
