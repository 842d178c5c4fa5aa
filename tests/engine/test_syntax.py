"""The code digest: what counts and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.engine.syntax import parse

BASE = '''
"""Module."""
import os
from a.b import c

LIMIT = 3


def f(x: int = 1) -> int:
    """Doc."""
    # comment
    return x + LIMIT


class K(Base):
    """Doc."""

    y: int = 2
    """of a field"""

    def m(self):
        return os.getcwd()
'''


def digest(text: str) -> str:
    return parse(text.encode(), "p.m", False)["digest"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Module."""', '"""Other."""'),
        ('    """Doc."""\n    # comment\n', ""),
        ('    """of a field"""\n', ""),
        ("return x + LIMIT", "return (x\n            + LIMIT)  # why"),
        ("LIMIT = 3", "LIMIT   =   3"),
        ("LIMIT = 3", "LIMIT = 0x3"),
    ],
)
def test_layout_and_comments_do_not_count(old: str, new: str):
    assert old in BASE
    assert digest(BASE.replace(old, new)) == digest(BASE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x: int = 1", "x: int = 2"),
        ("x: int = 1", "x: float = 1"),
        ("LIMIT = 3", "LIMIT = 3.0"),
        ("LIMIT = 3", "LIMIT = True"),
        ("x + LIMIT", "x - LIMIT"),
        ("import os\n", "import os\nimport sys\n"),
        ("return x + LIMIT", "y = x\n    return y + LIMIT"),
        ("K(Base)", "K(Other)"),
        ("y: int = 2", "y: int = 3"),
    ],
)
def test_meaning_counts(old: str, new: str):
    assert old in BASE
    assert digest(BASE.replace(old, new)) != digest(BASE)


def test_the_changed_definition_is_known():
    before = parse(BASE.encode(), "p.m", False)["definitions"]
    after = parse(BASE.replace("getcwd", "getpid").encode(), "p.m", False)["definitions"]
    assert {n for n in before if before[n] != after[n]} == {"K.m"}
    assert set(before) == {"LIMIT", "f", "K", "K.m"}


def test_imports_are_absolute_and_those_for_type_checkers_do_not_count():
    text = """
from typing import TYPE_CHECKING
from . import sibling
from ..other import thing
if TYPE_CHECKING:
    from p.heavy import Heavy
else:
    import p.light
def f():
    import p.late
    try:
        import p.tried
    except ImportError:
        pass
"""
    found = parse(text.encode(), "p.q.m", False)["imports"]
    assert found == [
        ["p.late", ""], ["p.light", ""], ["p.other", "thing"], ["p.q", "sibling"],
        ["p.tried", ""], ["typing", "TYPE_CHECKING"],
    ]  # fmt: skip
    package = parse(b"from . import x\nfrom .y import z", "p.q", True)["imports"]
    assert package == [["p.q", "x"], ["p.q.y", "z"]]


def test_digest_is_pinned():
    # Digests are in published records: the dump must not drift, whatever Python does to `ast`.
    assert digest(BASE) == "9ede33da38a640150cae07186c74a220581c7d84a56d12396025019a42089255"


@given(
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n\x00\x0c"), max_size=40)
)
def test_any_comment_is_free(text: str):
    assert digest(BASE.replace("# comment", "# " + text)) == digest(BASE)
