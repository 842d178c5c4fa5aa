"""What a page says about its charset, in the fast forms and in the simple ones."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.data.web import charset

BYTES = [
    b"a", b"\xc3\xa9", b"\xe4\xbc\x9a", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"\xc0", b"\xff", b"\xa4\xa4",
    b"\xc2\x85", b"\xc2", b"\x80", b"\xe4", b"\xf5\x80\x80\x80", b"\xe0\x80\x80",
]  # fmt: skip


def slowly_is_utf8(body: bytes, names: list[str]) -> bool:
    """By the number of sequences and of bytes that are in none."""
    rest, sequences = charset._SEQUENCE.subn(b"", body)
    strays = len(rest) - len(rest.translate(None, charset._HIGH_BYTES))
    if strays == 0 and charset._decodes(body, "utf-8"):
        return not names or names[0] == "utf-8" or sequences > 2
    enough = 1 if names[:1] == ["utf-8"] else 2
    if sequences < enough or strays > sequences - (enough == 2 and sequences == 2):
        return False
    return not any(name in charset._COMMON and charset._decodes(body, name) for name in names)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(BYTES), max_size=12).map(b"".join),
    st.sampled_from([[], ["utf-8"], ["cp1252", "utf-8"], ["euc-jp"], ["gb18030"]]),
)
def test_utf_8_is_known_alike(body: bytes, names: list[str]) -> None:
    assert charset._is_utf8(body, names) == slowly_is_utf8(body, names)


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("ab\x7f\x80\x9f\xa0\xc2\u00e9\u4f1a\ud800"), max_size=250))
def test_c1_controls_are_counted_alike(text: str) -> None:
    controls = sum("\x80" <= c <= "\x9f" for c in text)
    assert charset._mostly_controls(text) == (controls > 0.01 * len(text))
