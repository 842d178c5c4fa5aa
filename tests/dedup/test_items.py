"""Items are found in texts, however short they are and however they are spelled; other texts are not."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import planted_items as planted
from regrow.data.dedup import marking, telling
from regrow.data.dedup.items import Item, Items, Reader

READER = Reader()
SETTINGS = [(13, 0.30), (8, 0.5)]
FILLER = planted.sentence(random.Random(7), 120)


def found(items: list[Item], text: str, n: int = 13, limit: float = 0.30) -> str | None:
    hit = Items(items, READER, n, limit).find(READER.read(text))
    return hit.id if hit else None


@pytest.mark.parametrize(("n", "limit"), SETTINGS)
def test_planted_items_of_every_length_are_found(n: int, limit: float) -> None:
    """Below six words those that say little are found only where they stand alone."""
    for length, row in planted.recall(n, limit, each=12).items():
        assert row["a line"] == row["a sentence"] == (12, 12), length
        assert row["running on"] == (12, 12) or length < 6, length


@pytest.mark.parametrize(("n", "limit"), SETTINGS)
@pytest.mark.parametrize("spelling", sorted(planted.SPELLINGS))
def test_another_spelling_hides_nothing(spelling: str, n: int, limit: float) -> None:
    spelled = planted.SPELLINGS[spelling]
    for length in (4, 7, 13, 20, 60):
        rng = random.Random(length)
        text = planted.sentence(rng, length - 1, common=0.2) + " isn't affected"
        assert found([Item("x", text)], planted.page(rng, spelled(text)), n, limit) == "x", length
        assert found([Item("x", spelled(text))], planted.page(rng, text), n, limit) == "x", length


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Divide 10,100 by seven", "divide 10100 by seven"),
        ("Divide 1\u202f000\u202f000 by seven", "Divide 1_000_000 by seven"),
        ("Divide 1,000,000 by seven", "Divide 1'000'000 by seven"),
        ("What is 3 + 4 exactly", "what is 3+4 exactly"),
        ("What is 3 + 4 exactly", "What is **3** + **4** exactly"),
        ("Ist die Straße naß genug", "IST DIE STRASSE NASS GENUG"),
        ("Le café est fermé demain", "Le cafe\u0301 est ferme\u0301 demain"),
        ("Is cats &amp; dogs &lt;b&gt; allowed", "is cats & dogs <b> allowed"),
    ],
)
def test_these_are_one_text(one: str, other: str) -> None:
    assert found([Item("x", one)], f"{FILLER}. {other}. {FILLER}") == "x"
    assert found([Item("x", other)], f"{FILLER}. {one}. {FILLER}") == "x"


def test_a_question_with_its_answer_and_without() -> None:
    item = Item("au", "What is the capital city of Australia? Canberra.")
    assert found([item], f"{FILLER} What is the capital city of Australia? Canberra. {FILLER}")
    assert found(
        [item], f"{FILLER} what is the capital city of australia\n\nIt is Sydney. {FILLER}"
    )
    assert not found([item], f"{FILLER} Canberra is the capital city of Australia. {FILLER}")
    named = Item("sum", "Name two primes. 2 and 3", question="Name two primes.")
    assert found([named], f"{FILLER}. Name two\nprimes. {FILLER}")


@pytest.mark.parametrize("words", [13, 15, 19, 40])
def test_a_page_that_holds_a_part_of_a_long_item_alone(words: int) -> None:
    rng = random.Random(words)
    question, rest = planted.sentence(rng, words), planted.sentence(rng, 220 - words)
    hit = Items([Item("long", f"{question}. {rest}")], READER, 13, 0.30).find(
        READER.read(planted.page(rng, question))
    )
    assert hit and hit.id == "long"
    assert hit.quote and hit.value == words and hit.threshold == 13
    fewer = " ".join(question.split()[:12])
    assert not found([Item("long", f"{question}. {rest}")], planted.page(rng, fewer))


def test_what_several_items_share_is_their_form() -> None:
    form = (
        "Read the passage carefully and then choose the one statement that follows from it exactly"
    )
    ask = "Which of the following statements is supported by the passage?"
    rng = random.Random(3)
    items = [Item(str(k), f"{form}. {planted.sentence(rng, 60)}. {ask}") for k in range(5)]
    assert not found(items, f"{FILLER}. {form}. {FILLER}. {ask}")
    assert found(items, f"{FILLER}. {items[3].text} {FILLER}") == "3"


@pytest.mark.parametrize(
    ("text", "running", "sentence", "whole"),
    [
        ("Sort 45, 64.", True, True, True),
        ("Define entropy precisely.", True, True, True),
        ("What is this about?", False, True, True),
        ("Tell me a joke.", False, True, True),
        ("Hello!", False, False, True),
        ("...", False, False, False),
    ],
)
def test_how_much_it_says_decides_where_it_is_looked_for(text, running, sentence, whole) -> None:
    bare = text.rstrip(".?!")
    assert bool(found([Item("x", text)], f"{FILLER} and {bare} and {FILLER}")) is running
    for place in (f"{FILLER}. {text} {FILLER}", f"{FILLER}\n1) {text}\n{FILLER}", f"Q: {text}\nA"):
        assert bool(found([Item("x", text)], place)) is sentence, place
    assert bool(found([Item("x", text)], f" {bare}\n")) is whole


TASKS = [
    Item("sum", "What is 3 + 4?", exact=True),
    Item("sort", "Sort 45, 64.", exact=True),
    Item("letters", "Reverse the letters n e w.", exact=True),
    Item("far", "What is n e w from the last letter to the first?", exact=True),
]


@pytest.mark.parametrize(
    "text",
    [
        "What is 3 + 5?",
        "What is 3 + 4 + 5?",
        "What is 2, 3 + 4?",
        "Sort 45, 64, 17.",
        "Sort 12, 45, 64.",
        "Sort 45.64",
        "Reverse the letters n e w s.",
        "What is c n e w from the last letter to the first?",
        "What is n e t from the last letter to the first?",
    ],
)
def test_a_task_with_other_numbers_or_letters_is_another_task(text: str) -> None:
    assert found(TASKS, f"Question: {text}\n\nAnswer: 7\n\n", 8, 0.5) is None


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("Question: What is 3 + 4?\n\n3 + 4 = 7\n\nAnswer: 7\n\n", "sum"),
        ("what is 3+4 = 7", "sum"),
        ("1) What is 3 + 4?\n2) What is 5 + 5?", "sum"),
        ("Sort 45, 64\n45, 64", "sort"),
        ("What is 3 “+ 4?", "sum"),
        ('What is "3" + "4"?', "sum"),
        ('"What is 3 + 4","7"', "sum"),
        ("“What is 3 + 4” – 7", "sum"),
        ('"Sort 45, 64.","45, 64"', "sort"),
        ("[Sort](http://x.example/) [45,](http://x.example/a_b) [64.](http://x.example/)", "sort"),
        ("Sort 45,\n64. Thanks", "sort"),
        ("**Reverse** the letters `n e w`.", "letters"),
        ("Please: What is n-e-w from the last letter to the first, he asked", "far"),
    ],
)
def test_a_task_is_found_wherever_it_is_asked(text: str, id: str) -> None:
    assert found(TASKS, text, 8, 0.5) == id


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(max_size=60), min_size=1, max_size=4),
    st.text(max_size=200),
    st.sampled_from(SETTINGS),
)
def test_any_text_can_be_an_item_and_a_document(texts, page, setting) -> None:
    items = [Item(str(i), text) for i, text in enumerate(texts)]
    finder = Items(items, READER, *setting)
    finder.find(READER.read(page))
    for text in texts:  # an item is found in a text that is nothing else
        says = marking.tokens(marking.marked(text))
        assert (finder.find(READER.read(text)) is not None) == bool(says)


def test_common_words_are_folded_as_texts_are() -> None:
    assert all(marking.tokens(marking.marked(f"xx {word} xx")) for word in telling.COMMON)
    assert {w for w in telling.COMMON if len(w) > 1} <= {
        marking.bare(t) for w in telling.COMMON for t in marking.tokens(marking.marked(w))
    }
