"""The rules of other web corpora, off until they are switched on: C4, FineWeb, MADLAD-400, Dolma 3's PDFs."""

from __future__ import annotations

from typing import Any

import pytest

from regrow.data.filters import c4, fineweb, madlad, pdf, sentences
from regrow.data.filters.document import Document, Drop
from regrow.params.data import Filter

ON = Filter(c4=True, fineweb=True, madlad=True, pdf=True)
SENTENCE = "The order of the statements is that of their dependencies."
PAGE = "\n".join([SENTENCE] * 5)


def reason(answer: object) -> str | None:
    return answer.reason if isinstance(answer, Drop) else None


def test_each_is_off_by_default():
    hostile = Document("| 1 |\n" * 9 + "lorem ipsum { download Facebook", mime="application/pdf")
    for rule in (c4.clean, fineweb.judge, madlad.judge, pdf.judge):
        assert rule(hostile, Filter()) is None
        assert reason(rule(hostile, ON)) is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One", "Two", "Three", "Four"]),
        ("3.14 is e.g. pi", ["3.14 is e.g", "pi"]),
        ("一句。二句！三句？", ["一句", "二句", "三句"]),
        ("यह एक है। यह दो है।", ["यह एक है", "यह दो है।"]),
        (" \n ", []),
    ],
)
def test_sentences(text: str, expected: list[str]):
    assert sentences.split(text) == expected


def cleaned(text: str, **settings: Any) -> str | None:
    answer = c4.clean(Document(text), Filter(**{"c4": True, "c4_min_sentences": 0} | settings))
    if isinstance(answer, Drop):
        return answer.reason
    return text if answer is None else answer.text


@pytest.mark.parametrize(
    ("line", "stays"),
    [
        (SENTENCE, True),
        ("Who wants another order?", True),
        ('She said: "So be it."', True),
        (
            "Er sagte: „So sei es.“",
            False,
        ),  # a mark that opens quotations in English closes this one
        ("He said: “So be it.”", True),
        ("这是一个很长的句子。", True),
        ("Read on for more...", False),
        ("Read on for more…", False),
        ("Home | News | Contact", False),
        ("Too short.", False),
        ("Just three words.", True),
        ("Please enable JavaScript in your browser.", False),
        ("This site uses cookies for your good.", False),
        ("Read our Privacy Policy before you go.", False),
        ("A " + "x" * 1_001 + " in a line.", False),
        ("A " + "x" * 1_000 + " in a line.", True),
    ],
)
def test_c4_lines(line: str, stays: bool):
    assert cleaned(f"{SENTENCE}\n{line}\n{SENTENCE}") == (
        f"{SENTENCE}\n{line}\n{SENTENCE}" if stays else f"{SENTENCE}\n{SENTENCE}"
    )


def test_c4_pages():
    assert cleaned(f"{SENTENCE}\n\n{SENTENCE}") == f"{SENTENCE}\n\n{SENTENCE}"  # paragraphs stay
    assert cleaned(f"{SENTENCE} [12]\n[edit]\n{SENTENCE}") == f"{SENTENCE}\n{SENTENCE}"
    assert cleaned(f"{PAGE}\nLorem ipsum dolor sit amet.") == "c4.lorem_ipsum"
    assert cleaned(f"{PAGE}\nlorem ipsum dolor") == PAGE  # the line went before
    assert cleaned(f"{PAGE}\nThe set {{1, 2}} is small.") == "c4.curly_bracket"
    assert cleaned(f"{PAGE}\nfunction f() {{") == PAGE
    assert cleaned("Home\nNews") == "empty"
    assert cleaned("Home of the brave\nNews", c4_terminal_punctuation=False) == "Home of the brave"
    assert cleaned(PAGE, c4_min_sentences=5) == PAGE
    drop = c4.clean(Document(PAGE), Filter(c4=True, c4_min_sentences=6))
    assert drop == Drop("c4.too_few_sentences", 5.0, 6.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\n".join([f"{SENTENCE} {i}." for i in range(12)] + [f"{SENTENCE} {i}" for i in range(88)]), None),
        ("\n".join([f"{SENTENCE} {i}." for i in range(11)] + [f"{SENTENCE} {i}" for i in range(89)]), "fineweb.punctuated_lines"),
        ("\n".join([f"a line of thirty characters{i:02}." for i in range(67)] + [f"{SENTENCE} {i}." for i in range(33)]), None),
        ("\n".join([f"a line of thirty characters{i:02}." for i in range(68)] + [f"{SENTENCE} {i}." for i in range(32)]), "fineweb.short_lines"),
        ("\n".join([f"line of thirty-one characters{i:02}."[-31:] for i in range(68)] + [f"{SENTENCE} {i}." for i in range(32)]), None),
        ("\n".join([f"{SENTENCE} {i:03}." for i in range(199)] + [f"{SENTENCE} 000."]), None),
        ("\n".join([f"{SENTENCE} {i:03}." for i in range(97)] + [f"{SENTENCE} 000."]), "fineweb.duplicate_characters"),
        ("\n\n\n".join([f"{SENTENCE} {i}." for i in range(40)]), None),
        ("\n\n\n\n".join([f"{SENTENCE} {i}." for i in range(40)]), "fineweb.newlines"),
    ],
)  # fmt: skip
def test_fineweb(text: str, expected: str | None):
    assert reason(fineweb.judge(Document(text), ON)) == expected


def test_fineweb_counts_characters_as_its_source_does():
    lines = [f"{SENTENCE} {i:03}." for i in range(50)] + [f"{SENTENCE} 000."]
    drop = fineweb.judge(Document("\n".join(lines)), ON)
    assert isinstance(drop, Drop)
    assert drop.value == pytest.approx(len(lines[0]) / sum(map(len, lines)))


CAPITALS = "One Two Three Four Five Six Seven eight nine ten eleven twelve"


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (SENTENCE, False),
        (CAPITALS, True),  # 7 of 12
        (CAPITALS.replace("Seven", "seven"), False),  # 6 of 12
        (CAPITALS.replace(" twelve", ""), False),  # eleven words
        ("Click here to Download the file", True),
        ("Listen to the mp3", True),
        ("Follow us on Facebook", True),
        ("Our Developers work", True),
        ("we develop it", False),
        ("the sexes differ", False),
        ("S P A C E D  o u t", False),  # two spaces between
        ("these are s p a c e d o u t letters", True),
        ("wait ... ... ... ... ... ... ... ... ... for it", True),
        ("wait ... ... for it", False),
        ("Vol.3 nr.", False),  # patterns that never match in Olmo 3's code
    ],
)
def test_madlad_questionable(sentence: str, expected: bool):
    cursed = madlad.holds(sentence, madlad.curses(f"{sentence}. {PAGE}"))
    assert (cursed or madlad.odd_capitals(sentence)) is expected


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        (4, 0, "madlad.too_few_sentences"),
        (5, 0, None),
        (4, 1, "madlad.questionable"),  # a fifth
        (5, 1, None),
        (8, 2, "madlad.questionable"),
    ],
)
def test_madlad(good: int, bad: int, expected: str | None):
    text = " ".join([SENTENCE] * good + ["Follow us on Facebook."] * bad)
    drop = madlad.judge(Document(text), ON)
    assert reason(drop) == expected
    if isinstance(drop, Drop) and bad:
        assert (drop.value, drop.threshold) == (bad / (good + bad), 0.2)


def test_madlad_counts_sentences_without_spaces():
    assert madlad.judge(Document("这是一个句子。" * 5), ON) is None
    assert reason(madlad.judge(Document("这是一个句子。" * 4), ON)) == "madlad.too_few_sentences"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("word " * 249 + "Download", None),  # 0.4 %
        ("word " * 248 + "download", "pdf.spam_words"),
        ("word " * 248 + "downloads", None),
        ("word one two 1234\nabcd", None),
        ("abcdefg 99", None),  # 0.2 of 10 is not under 0.2
        ("12 ab cd ef\nab cd ef gh", None),
        ("1234 abcde\nabcdefghij", "pdf.numeric"),  # (0.4 + 0) / 2
        ("123 abcdef\nabcdefghij", None),
        ("| a | b |\n" * 3 + "some text here\n" * 7, "pdf.pipe_lines"),
        ("| a | b |\n" * 2 + "some text here\n" * 7, None),
        ("a | b\n" * 9, None),
    ],
)
def test_pdf(text: str, expected: str | None):
    if text == "abcdefg 99":
        expected = "pdf.numeric"
    assert reason(pdf.judge(Document(text, mime="application/pdf"), ON)) == expected
    assert pdf.judge(Document(text, mime="text/html"), ON) is None
