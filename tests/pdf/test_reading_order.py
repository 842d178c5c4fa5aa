"""Text comes in the order in which people read it, whatever the columns and the order of drawing."""

from __future__ import annotations

from typing import Any

import pytest

from layout_pdf import ABOUT, HILLS, RIVER, Sheet, document, wrapped
from regrow.data.pdf.extract import Extracted, extract
from regrow.data.pdf.order import regions
from regrow.data.pdf.rows import rows, to_the_left
from regrow.data.pdf.segments import Segment

COLUMNS = {1: (90, (72,)), 2: (44, (72, 320)), 3: (28, (60, 230, 400))}
"""columns -> characters of a line, left ends"""


def read(*sheets: Sheet, **more: Any) -> Extracted:
    return extract(document(*sheets), 400, **more)


def places(text: str, *parts: str) -> list[int]:
    """Where the parts stand in a text; each stands there once."""
    assert [text.count(part) for part in parts] == [1] * len(parts), text
    return [text.index(part) for part in parts]


@pytest.mark.parametrize("drawn", ["by column", "by line"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_columns_are_read_one_after_the_other(count: int, drawn: str):
    characters, ends = COLUMNS[count]
    columns = [wrapped(text, characters) for text in (ABOUT, RIVER, HILLS)[:count]]
    sheet = Sheet()
    if drawn == "by column":
        for x, lines in zip(ends, columns, strict=True):
            sheet.lines(x, 700, lines)
    else:
        for number in range(max(map(len, columns))):
            for x, lines in zip(ends, columns, strict=True):
                sheet.lines(x, 700 - 12 * number, lines[number : number + 1])
    text = read(sheet).text
    assert " ".join(text.split()) == " ".join((ABOUT, RIVER, HILLS)[:count])


def test_a_title_and_a_footer_across_columns_end_them():
    left, right = wrapped(RIVER, 44), wrapped(HILLS, 44)
    sheet = Sheet()
    sheet.lines(320, 600, right[:4]).lines(72, 600, left[:4])  # drawn in the wrong order
    sheet.text(
        72, 640, "On rivers, on hills and on the counting of what passes by, a title over both", 14
    )
    sheet.text(72, 500, "A line in the middle goes across both of the columns and parts what is above from below.")  # fmt: skip
    sheet.lines(72, 440, left[4:]).lines(320, 440, right[4:])
    found = places(read(sheet).text, "On rivers", left[0], right[0], "A line in the middle", left[5], right[5])  # fmt: skip
    assert found == sorted(found)


def test_a_table_is_read_by_rows_with_tabs_between_its_cells():
    cells = [("Port", "Ships", "Year"), ("Ostend", "1204", "1871"), ("Bergen", "88", "1872"), ("Riga", "310", "1873")]  # fmt: skip
    sheet = Sheet().lines(72, 720, wrapped(ABOUT, 90))
    for number, row in enumerate(cells):
        for x, cell in zip((90, 250, 420), row, strict=True):
            sheet.text(x, 600 - 14 * number, cell)
    text = read(sheet).text
    assert "Port\tShips\tYear\nOstend\t1204\t1871\nBergen\t88\t1872\nRiga\t310\t1873" in text


def test_columns_that_only_look_like_a_table_are_columns_and_the_other_way_round():
    labels = ["Flag", "Hull", "Mast", "Sail", "Keel", "Helm", "Deck"]
    sheet = Sheet()
    for number, label in enumerate(labels):
        sheet.text(72, 700 - 14 * number, label)
        sheet.text(
            200, 700 - 14 * number, f"A word of the ship that means part number {number} of it."
        )
    lines = read(sheet).text.splitlines()
    assert [line.split("\t")[0] for line in lines if line] == labels


def test_notes_do_not_part_a_paragraph_that_goes_on_behind_them():
    left, right = wrapped(ABOUT, 44), wrapped(RIVER, 44)
    sheet = Sheet().lines(72, 700, left[:-2]).text(72, 560, "1 The tower was sold later.", 7)
    sheet.lines(320, 700, left[-2:]).lines(320, 670, right).text(320, 560, "2 So it was told.", 7)
    text = read(sheet).text
    assert ABOUT in text and RIVER in text
    assert text.endswith("1 The tower was sold later.\n\n2 So it was told.")


def test_a_page_that_is_set_sideways_is_read_like_others():
    turned = Sheet(rotate=90)
    for number, line in enumerate(wrapped(ABOUT, 90)):
        turned.text(100 + 12 * number, 60, line, turn=90)
    assert read(turned).text == ABOUT


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_text_at_another_angle_comes_behind_the_page_and_keeps_its_order(turn: int):
    sheet = Sheet().lines(72, 700, wrapped(ABOUT, 90))
    step = {90: (12, 0), 180: (0, 12), 270: (-12, 0)}[turn]
    for number, line in enumerate(("First along the margin", "second along the margin")):
        sheet.text(400 + number * step[0], 300 + number * step[1], line, turn=turn)
    text = read(sheet).text
    assert text.startswith(ABOUT)
    assert "First along the margin second along the margin" in " ".join(text.split())


def test_a_stamp_on_every_page_is_left_out_and_counted():
    sheets = [
        Sheet().lines(72, 700, wrapped(text, 90)).text(30, 200, "Copy 7 of the library", turn=90)
        for text in (ABOUT, RIVER, HILLS)
    ]
    found = read(*sheets)
    assert "library" not in found.text and found.running == 3


def test_text_off_the_page_is_not_there():
    sheet = Sheet().lines(72, 700, wrapped(ABOUT, 90)).text(900, 300, "Hidden words.").text(72, -50, "Hidden as well.")  # fmt: skip
    assert read(sheet).text == ABOUT


def segment(text: str, left: float, right: float, base: float, size: float = 10) -> Segment:
    return Segment(text, left, right, base, size, False, 0)


def test_columns_of_a_script_that_runs_to_the_left_begin_at_the_right():
    word = "שלום וברכה לכל הקוראים בעמוד"
    parts = [segment(f"{word} {n}", x, x + 200, 700 - 12 * n) for x in (60, 320) for n in range(6)]
    found = regions(parts)
    assert [part[0].left for part in found] == [320, 60]
    assert to_the_left(word) and not to_the_left("words") and not to_the_left("1234")


def test_cells_of_a_row_come_in_the_order_of_their_script():
    cells = [segment("אחת", 300, 340, 50), segment("שתיים", 100, 150, 50)]
    assert [one.text for one in rows(cells)[0].segments] == ["אחת", "שתיים"]
    latin = [segment("two", 300, 340, 50), segment("one", 100, 150, 50)]
    assert rows(latin)[0].text == "one two"


def test_a_superscript_that_is_drawn_by_itself_stays_in_its_line():
    sheet = Sheet().text(72, 700, "The area is 40 m").text(146, 703.5, "2", 6).text(152, 700, "and a half of it, as measured.")  # fmt: skip
    assert read(sheet).text.replace(" 2", "2") == "The area is 40 m2 and a half of it, as measured."


def test_more_segments_than_any_page_has_are_read_from_top_to_bottom():
    many = [segment(f"w{n}", 10.0 * (n % 40), 10.0 * (n % 40) + 8, 5_000 - 3 * n) for n in range(1_501)]  # fmt: skip
    assert regions(many) == [many]
