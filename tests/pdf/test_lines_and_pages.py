"""Lines become paragraphs, across columns and pages; running lines go; each character has its page."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layout_pdf import ABOUT, HILLS, RIVER, Sheet, document, wrapped
from regrow.data.pdf import pagemap
from regrow.data.pdf.blocks import blocks
from regrow.data.pdf.extract import Extracted, extract
from regrow.data.pdf.order import regions
from regrow.data.pdf.rows import Row, rows
from regrow.data.pdf.running import running
from regrow.data.pdf.segments import Segment
from regrow.data.pdf.spelling import clean, plain


def read(*sheets: Sheet) -> Extracted:
    return extract(document(*sheets), 400)


def paged(found: Extracted) -> dict[int, str]:
    """Page -> its part of the text."""
    return {page: found.text[begin:end].strip() for begin, end, page in found.spans}


def test_words_that_were_split_at_line_ends_are_whole_and_real_hyphens_stay():
    lines = ["The light-", "house had a well-known light and a fog-horn of brass. Its lan-", "tern was of cut glass, and its UTF-", "8 plate, of 1939-", "1945, was a well-", "known joke of the harbour."]  # fmt: skip
    text = read(Sheet().lines(72, 700, [*lines[:1], *lines[1:]])).text
    assert text == (
        "The lighthouse had a well-known light and a fog-horn of brass. Its lantern was of cut glass, and its UTF-8 "
        "plate, of 1939-1945, was a well-known joke of the harbour."
    )


def test_a_word_that_is_split_between_pages_is_whole_and_of_both_pages_in_part():
    sheets = [Sheet().lines(72, 700, [*wrapped(RIVER, 90), "And then there was a long and unforeseen inter-"])]  # fmt: skip
    sheets.append(Sheet().lines(72, 700, ["ruption of all that had been said before on this side of the water."]))  # fmt: skip
    found = read(*sheets)
    assert found.text.endswith("a long and unforeseen interruption of all that had been said before on this side of the water.")  # fmt: skip
    assert paged(found)[1].endswith("unforeseen inter") and paged(found)[2].startswith("ruption")


def test_a_sentence_goes_on_in_the_next_column_and_page():
    words = wrapped(ABOUT, 44)
    sheet = Sheet().lines(72, 700, words[:3]).lines(320, 700, words[3:6])
    following = Sheet().lines(72, 700, words[6:]).lines(72, 560, wrapped(HILLS, 44))
    found = read(sheet, following)
    assert ABOUT in found.text and HILLS in found.text


def test_ligatures_become_letters_and_what_means_something_stays():
    assert plain("ﬁsh and ﬂags of oﬃcers") == "fish and flags of officers"
    kept = "x² + y³ = ½ µm ± 1° © 2026 ∑ ≤ 𝑥 ℝ ﷼ Å ① ㎏ æ œ ĳ"
    assert plain(kept) == kept
    assert plain("word \u00a0 word") == "word word" and plain("Contents . . . . . . . 12") == "Contents 12"  # fmt: skip
    assert [clean(code) for code in (0, 7, 9, 0x200B, 0xD800, 0x85, 0x41)] == ["", "", " ", "", "", "", "A"]  # fmt: skip
    assert plain("in\x03side an end\x03") == "inside an end\x02" and plain("a\x02b c\x02") == "a-b c\x02"  # fmt: skip


def test_a_font_with_ligatures_gives_letters():
    sheet = Sheet().lines(72, 700, wrapped(RIVER, 90))
    sheet.shown.append(b"BT /L 10 Tf 72 500 Td (\\001sh under \\002ags of many colours) Tj ET")
    assert read(sheet).text.endswith("fish under flags of many colours")


def test_paragraphs_are_parted_by_space_indents_and_lines_that_end_early():
    one, two, three = wrapped(ABOUT, 80), wrapped(RIVER, 80), wrapped(HILLS, 80)
    sheet = Sheet().lines(72, 740, one).lines(72, 680, two)
    sheet.text(90, 680 - 12 * len(two), three[0]).lines(72, 668 - 12 * len(two), three[1:])
    assert [line for line in read(sheet).text.splitlines() if line] == [ABOUT, RIVER, HILLS]


def test_headings_and_items_are_lines_of_their_own():
    sheet = Sheet().text(72, 740, "On keepers, on their lists, and on the clerks", 20).text(72, 717, "who forgot them", 20)  # fmt: skip
    sheet.lines(72, 690, [*wrapped(ABOUT, 80), "• one lamp of brass", "• two boats of oak", "3. a third thing"])  # fmt: skip
    lines = [line for line in read(sheet).text.splitlines() if line]
    assert lines == ["On keepers, on their lists, and on the clerks who forgot them", ABOUT, "• one lamp of brass", "• two boats of oak", "3. a third thing"]  # fmt: skip


def test_code_keeps_its_lines_and_their_indentation():
    code = ["def f(x):", "    if x:", "        return 1   # one", "    return 0"]
    sheet = Sheet().lines(72, 740, wrapped(ABOUT, 80))
    for number, line in enumerate(code):
        body = line.lstrip()
        sheet.text(72 + 6 * (len(line) - len(body)), 660 - 12 * number, body, font="C")
    assert read(sheet).text == "\n\n".join([ABOUT, "\n".join(code)])


def test_addresses_that_are_broken_between_lines_are_whole():
    lines = ["All of it is written at https://example.org/manuals/of/the/", "harbour/index.html and in no other place than there, we think."]  # fmt: skip
    assert "https://example.org/manuals/of/the/harbour/index.html and" in read(Sheet().lines(72, 700, lines)).text  # fmt: skip


def book(pages: int, top: str, bottom: str) -> list[Sheet]:
    texts = [ABOUT, RIVER, HILLS]
    made = []
    for number in range(pages):
        sheet = Sheet().lines(72, 700, wrapped(texts[number % 3], 90)).lines(72, 600, wrapped(texts[(number + 1) % 3], 90))  # fmt: skip
        for y, line in ((750, top), (40, bottom)):
            if line:
                sheet.text(72, y, line.replace("#", str(number + 5)).replace("@", "ab"[number % 2] * 3))  # fmt: skip
        made.append(sheet)
    return made


@pytest.mark.parametrize(
    ("top", "bottom"),
    [("The Keeper's Book", "#"), ("Page # of 90", ""), ("", "- # -"), ("Side @ of the book", "#"), ("# Light and Sea", "printed in Ostend")],
)  # fmt: skip
def test_headers_footers_and_page_numbers_are_left_out_and_counted(top: str, bottom: str):
    found = read(*book(6, top, bottom))
    assert found.text == read(*book(6, "", "")).text
    assert found.running == 6 * (bool(top) + bool(bottom))


def test_headers_that_name_each_section_go_by_the_number_of_their_page():
    names = ["Lamps", "Boats", "Gulls", "Frost", "Reeds", "Maps", "Bells"]
    sheets = book(7, "", "")
    for number, (sheet, name) in enumerate(zip(sheets, names, strict=True)):
        sheet.text(72, 750, f"{name} of the coast {number + 11}")
    found = read(*sheets)
    assert found.running == 7 and "of the coast" not in found.text


def test_what_comes_again_inside_pages_or_only_twice_stays():
    twice = book(2, "A title that comes twice", "")
    assert read(*twice).running == 0
    numbers = book(6, "", "")
    for sheet, value in zip(numbers, (41, 7, 1_999, 3, 80, 12), strict=True):  # no page's number
        sheet.text(72, 750, str(value))
    assert read(*numbers).running == 0
    inside = book(6, "", "")
    for number, sheet in enumerate(inside):
        sheet.text(72, 560 - 20 * number, "It comes again.")
    found = read(*inside)
    assert found.running == 0 and found.text.count("It comes again.") == 6


def test_roman_numbers_count_as_numbers_of_pages():
    sheets = book(6, "", "")
    for sheet, number in zip(sheets, ("iii", "iv", "v", "vi", "vii", "viii"), strict=True):
        sheet.text(300, 40, number)
    assert read(*sheets).running == 6


def test_every_character_has_its_page():
    found = read(*book(5, "The Keeper's Book", "#"))
    assert [page for _, _, page in found.spans] == [1, 2, 3, 4, 5]
    assert found.spans[0][0] == 0 and found.spans[-1][1] == len(found.text)
    assert all(a[1] == b[0] for a, b in zip(found.spans, found.spans[1:], strict=False))
    parts = paged(found)
    assert parts[1] == f"{ABOUT}\n\n{RIVER}" and parts[2] == f"{RIVER}\n\n{HILLS}"
    begin = found.text.index("Shepherds")
    assert pagemap.pages_of(json.loads(json.dumps(found.spans)), begin, begin + 9) == [2]
    assert pagemap.pages_of(found.spans, 0, len(found.text)) == [1, 2, 3, 4, 5]
    assert pagemap.pages_of(found.spans, 3, 3) == []


WORDS = st.text("ab -\n", max_size=12)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(parts=st.lists(WORDS, max_size=6), gaps=st.lists(st.sampled_from([" ", "\n", "-", ""]), min_size=6, max_size=6))  # fmt: skip
def test_spans_hold_the_characters_of_their_pages_whatever_joins_them(parts: list[str], gaps: list[str]):  # fmt: skip
    text = "".join(f"{part}{gap}" for part, gap in zip(parts, gaps, strict=False))
    spans = pagemap.spans(text, [(n + 1, pagemap.solid(part)) for n, part in enumerate(parts)])
    for begin, end, page in spans:
        assert [c for c in text[begin:end] if c in "ab"] == [c for c in parts[page - 1] if c in "ab"]  # fmt: skip
    assert {page for _, _, page in spans} == {n + 1 for n, part in enumerate(parts) if pagemap.solid(part)}  # fmt: skip


def test_spans_refuse_counts_that_are_not_those_of_the_text():
    with pytest.raises(ValueError, match="3 characters, but 2"):
        pagemap.spans("abc", [(1, 2)])


SEGMENTS = st.lists(
    st.builds(
        lambda text, left, width, base, size, fixed: Segment(text, left, left + width, base, size, fixed, 0),
        st.sampled_from(["a", "word of it", "a longer piece of a line of text", "12", "שלום", "x²-"]), st.integers(0, 500), st.integers(0, 300),
        st.integers(0, 780), st.sampled_from([6.0, 10.0, 24.0]), st.booleans(),
    ),
    max_size=40,
)  # fmt: skip


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(parts=SEGMENTS)
def test_no_step_of_layout_loses_or_doubles_a_piece(parts: list[Segment]):
    ordered = regions(parts)
    assert sorted(map(id, (one for region in ordered for one in region))) == sorted(map(id, parts))
    for region in ordered:
        made = rows(region)
        assert sorted(id(s) for row in made for s in row.segments) == sorted(map(id, region))
        letters = "".join(sorted("".join(line for block in blocks(made) for line in block.lines)))
        assert "".join(letters.split()) == "".join(sorted("".join("".join(one.text.split()) for one in region)))  # fmt: skip


LINES = st.lists(st.lists(st.sampled_from(["Title", "a", "b", "1", "2", "3", "iv", ""]), max_size=7), max_size=8)  # fmt: skip


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(pages=LINES)
def test_running_lines_are_outermost_ones_without_a_gap(pages: list[list[str]]):
    made = [
        [Row((Segment(text or "-", 72, 100, 700 - 20 * at, 10, False, 0),)) for at, text in enumerate(own)]
        for own in pages
    ]  # fmt: skip
    for own, found in zip(made, running(made), strict=True):
        kept = [at for at in range(len(own)) if at not in found]
        assert kept == list(range(kept[0], kept[-1] + 1)) if kept else True
        assert len([at for at in found if at < (kept or [99])[0]]) <= 6
