"""Every filter: what it keeps, what it drops, and what it does exactly at its threshold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.data.filters import (
    language,
    length,
    lines,
    newlines,
    repetition,
    stop_words,
    symbols,
    url,
    word_length,
)
from regrow.data.filters.document import Document, Drop
from regrow.params.data import Filter

OLMO = Filter()
PROSE = (
    "The session keeps a list of the objects that have been changed and writes them to the "
    "database when it is flushed. Most programs never call flush themselves, because a commit "
    "does it for them, and so the order of the statements is that of their dependencies."
)


def reason(answer: object) -> str | None:
    return answer.reason if isinstance(answer, Drop) else None


def distinct(n: int) -> list[str]:
    """n different words of five letters."""
    return [f"w{chr(97 + i // 676)}{chr(97 + i // 26 % 26)}{chr(97 + i % 26)}x" for i in range(n)]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://example.org/sex-education/essex.html", None),  # part of a word only
        ("http://example.org/free-casino/index.html", "url.word"),
        ("http://example.org/CASINO", "url.word"),
        ("http://example.org/%63asino", "url.word"),
        ("http://bad.org:8080/page", "url.host"),
        ("http://user@www.bad.org/page", "url.host"),
        ("http://sub.bad.org/page", "url.host"),
        ("http://notbad.org/bad.org", None),
        ("", None),
    ],
)
def test_url(address, expected):
    params = Filter(url_hosts=["bad.org"])
    assert reason(url.judge(Document("text", address), params)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "empty"),
        (" \n\t\n ", "empty"),
        ("a" * 149, "length.characters"),
        (" ".join(distinct(49)), "length.too_few_words"),
        (" ".join(distinct(50)), None),
        (" ".join(distinct(49)) + " ... !!! --", "length.too_few_words"),  # no words
        ("word " * 100_000, None),
        ("word " * 100_001, "length.too_many_words"),
    ],
)
def test_length(text, expected):
    assert reason(length.judge(Document(text), OLMO)) == expected


def test_length_reports_what_it_measured():
    drop = length.judge(Document(" ".join(distinct(49))), OLMO)
    assert drop == Drop("length.too_few_words", 49.0, 50.0)


def test_chinese_is_long_enough_though_it_has_no_spaces():
    text = (
        "数据库会话保存所有已更改对象的列表，并在刷新时将它们写入数据库。大多数程序从不自己调用刷新。"
        * 4
    )
    document = Document(text)
    for judge in (length.judge, word_length.judge, symbols.judge):
        assert judge(document, OLMO) is None
    assert reason(language.judge(document, OLMO)) == "language.other"
    assert language.judge(document, OLMO).detail == "zh"
    kept = language.judge(document, Filter(languages=["en", "zh"]))
    assert isinstance(kept, Document)
    assert kept.language == "zh"
    assert stop_words.judge(kept, OLMO) is None  # the list is English


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc abc", None),  # 3
        ("abc ab", "word_length.short"),  # 2.5
        ("abcdefghij", None),  # 10
        ("abcdefghij abcdefghijk", "word_length.long"),  # 10.5
        ("漢字", None),
    ],
)
def test_word_length(text, expected):
    assert reason(word_length.judge(Document(text), OLMO)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# " + " ".join(distinct(10)), None),  # 0.1
        ("# " + " ".join(distinct(9)), "symbols.per_word"),
        (" ".join(distinct(10)) + "… and so on", None),
        ("\n".join(["- item here to read"] * 9 + ["no bullet"]), None),  # 0.9
        ("\n".join(["  • item here to read"] * 10), "symbols.bullet_lines"),
        ("\n".join(["one of many other words here..."] * 3 + [PROSE] * 7), None),  # 0.3
        ("\n".join(["one of many other words here…"] * 4 + [PROSE] * 6), "symbols.ellipsis_lines"),
        ("word word word word 1234", None),  # 0.8
        ("word word word 12 1_2", "symbols.alphabetic_words"),
        ("mot мир ελλ 12a 1234", None),
    ],
)
def test_symbols(text, expected):
    assert reason(symbols.judge(Document(text), OLMO)) == expected


@pytest.mark.parametrize(
    ("text", "code", "expected"),
    [
        ("the cat the dog", "en", None),  # not necessarily different ones
        ("The cat saw dogs", "en", "stop_words"),
        ("cats and dogs of war", "en", None),
        ("le chat et le chien", "fr", None),
        ("le chat et le chien", None, None),
    ],
)
def test_stop_words(text, code, expected):
    assert reason(stop_words.judge(Document(text, language=code), OLMO)) == expected


def test_newlines_leave_one_blank_line():
    text = newlines.clean(Document("a\n\n\n\nb\n \n\t\nc\n\nd\ne"), OLMO).text
    assert text == "a\n\nb\n\nc\n\nd\ne"


@given(st.text(alphabet="a \n\t", max_size=60))
def test_newlines_are_idempotent(text):
    once = newlines.clean(Document(text), OLMO)
    assert newlines.clean(once, OLMO).text == once.text
    assert "\n\n\n" not in once.text


def test_duplicate_lines_count_from_the_second_copy():
    assert repetition.duplicates(["a", "b", "a", "ccc", "ccc"]) == (2 / 5, 4 / 9)
    assert repetition.duplicates([]) == (0.0, 0.0)


def test_repetition_at_the_threshold():
    different = [f"{a} {b}" for a, b in zip(distinct(70), distinct(140)[70:], strict=True)]
    lines70 = [f"line {i:03d} of them" for i in range(70)]
    at = "\n".join([*lines70, *[lines70[0]] * 30])  # 30 copies of 100: not above 0.30
    over = "\n".join([*lines70, *[lines70[0]] * 31])
    loose = Filter(
        max_duplicate_line_characters=1.0,
        max_duplicate_paragraphs=1.0,
        max_top_ngram={},
        max_duplicate_ngram={},
    )
    assert repetition.judge(Document(at), loose) is None
    assert reason(repetition.judge(Document(over), loose)) == "repetition.lines"
    assert repetition.judge(Document("\n".join(different)), OLMO) is None


@pytest.mark.parametrize("expected", ["line_characters", "paragraphs", "paragraph_characters"])
def test_repetition_of_parts(expected):
    unique = [f"{w} stands alone here" for w in distinct(20)]
    long = "this is one rather long line that will be copied " * 3
    parts = {
        "line_characters": "\n".join([*unique, long, long, long]),
        "paragraphs": "\n\n".join([f"{unique[i]}\n{w}" for i, w in enumerate(distinct(6))] * 2),
        "paragraph_characters": "\n\n".join([*unique, long, long, long]),
    }
    off = {
        f"max_duplicate_{name}": 1.0
        for name in ("lines", "paragraphs", "line_characters", "paragraph_characters")
        if name != expected
    }
    params = Filter(**off, max_top_ngram={}, max_duplicate_ngram={})
    assert reason(repetition.judge(Document(parts[expected]), params)) == f"repetition.{expected}"


def naive_ngrams(words: list[str], n: int, unit: int = 1) -> float:
    """The definition, place by place."""
    top, n = n <= repetition.TOP, n * unit
    grams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    covered: set[int] = set()
    if top:
        repeated = [g for g in grams if grams.count(g) > 1]
        if repeated:
            best = min(repeated, key=lambda g: (-grams.count(g), -len("".join(g)), grams.index(g)))
            starts = [i for i, g in enumerate(grams) if g == best]
            covered = {i + k for i in starts for k in range(n)}
    else:
        starts = [i for i, g in enumerate(grams) if g in grams[:i]]
        covered = {i + k for i in starts for k in range(n)}
    return sum(len(words[i]) for i in covered) / max(sum(map(len, words)), 1)


@given(st.lists(st.sampled_from(["a", "bb", "ccc", "dddd"]), max_size=40), st.integers(1, 2))
def test_ngram_shares_follow_their_definition(words, unit):
    shares = dict(repetition.ngrams(words, 10, unit))
    assert shares == {n: naive_ngrams(words, n, unit) for n in range(2, 11)}


def test_characters_are_no_words_in_chinese():
    """A phrase of six characters is three words: repeated, it is no repeated 5-gram."""
    parts = [chr(0x4E00 + 7 * i) * 2 + chr(0x5E00 + i) * 2 + "数据库会话中" for i in range(30)]
    assert repetition.judge(Document("".join(parts)), Filter(max_top_ngram={})) is None
    again = "".join(parts[:9])
    assert (
        reason(repetition.judge(Document("".join(parts) + again), Filter(max_top_ngram={})))
        == "repetition.ngram_5"
    )


def test_repeated_phrases_are_dropped():
    text = " ".join(distinct(40)) + " buy one get one free today" * 10
    assert reason(repetition.judge(Document(text), OLMO)).startswith("repetition.ngram_")
    assert repetition.judge(Document(PROSE), OLMO) is None


@pytest.mark.parametrize(
    ("line", "is_junk"),
    [
        ("ABCde", True),  # 3 of 5 are capitals
        ("ABcd xx", False),
        ("ABCD efgh", False),  # 4 of 9
        ("2024 2025", False),
        ("20242025", True),
        ("12k likes", True),
        ("  3,400 followers!", True),
        ("12k likes were counted", False),
        ("word", True),
        ("two words", False),
        ("一行文字", False),
        ("ΑΒΓ δε", False),  # 3 of 6
        ("ΑΒΓΔ δε", True),
        ("", False),
        ("   ", False),
    ],
)
def test_junk_lines(line, is_junk):
    assert lines.junk(line, OLMO) is is_junk


def test_a_speaker_stays_where_the_params_say_so():
    assert not lines.junk("HAMLET.", Filter(max_uppercase_line=1.0, min_line_words=1))
    assert lines.junk("...", Filter(max_uppercase_line=1.0, min_line_words=1))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Sign-in to see it", "to see it"),
        ("Sign-in", None),
        ("The end is near. Read more...", "The end is near."),
        ("3 items in cart now", "3 now"),
        ("Sign-in " + "word " * 10, "Sign-in " + "word " * 10),  # 11 words: left alone
    ],
)
def test_page_furniture_is_cut(line, expected):
    assert lines.cut(line) == expected


def test_lines_drop_the_document_only_above_the_share():
    body = "\n".join(["four words per line"] * 19)  # 76 words
    four = "\n".join(["alone"] * 4)  # 4 of 80 words: 5 %
    kept = lines.clean(Document(f"{body}\n{four}"), OLMO)
    assert isinstance(kept, Document)
    assert kept.text == body
    drop = lines.clean(Document(f"{body}\n{four}\nalone"), OLMO)
    assert drop == Drop("lines.removed_words", 5 / 81, 0.05)


LINES = st.lists(
    st.sampled_from(
        [
            "Sign-in here",
            "Sign-in",
            "ok then",
            "LOUD",
            "9",
            "a Read more...",
            "Sign-in Read more...",
            "12 views",
            "",
            "x items in cart y",
            "items in cart",
            PROSE,
            "\u2028",
            "ΔΔΔ",
            "夜 LOUD",
        ]
    ),
    max_size=12,
)


@given(LINES)
def test_line_filter_is_idempotent(parts):
    loose = Filter(max_removed_words=1.0)
    once = lines.clean(Document("\n".join(parts)), loose)
    if isinstance(once, Document):
        again = lines.clean(once, loose)
        assert isinstance(again, Document)
        assert again.text == once.text


def test_language_keeps_english_and_names_others():
    kept = language.judge(Document(PROSE), OLMO)
    assert isinstance(kept, Document)
    assert kept.language == "en"
    assert kept.language_score == round(kept.language_score, language.DIGITS) >= 0.65
    german = "Die Sitzung merkt sich alle geänderten Objekte und schreibt sie in die Datenbank."
    assert language.judge(Document(german), OLMO).detail == "de"
    assert reason(language.judge(Document("x = 1; y[2] += 0x3f\n" * 9), OLMO)) is not None


def test_language_at_the_threshold():
    score = language.identify(PROSE)[1]
    assert isinstance(language.judge(Document(PROSE), Filter(language_min_score=score)), Document)
    above = Filter(language_min_score=score + 1e-4)
    assert language.judge(Document(PROSE), above) == Drop(
        "language.unsure", score, score + 1e-4, "en"
    )


@pytest.mark.parametrize("text", ["", "\x00", "\udc80 lone", "a" * 200_000, "\n\n", "🙂"])
def test_language_stands_odd_text(text):
    code, score = language.identify(text)
    assert 0 <= score <= 1
    assert isinstance(code, str)


def test_any_language_is_kept_with_its_code_and_score():
    french = "Le chat et le chien jouent dans la maison avec les enfants de la voisine. " * 3
    for text, code in ((PROSE, "en"), (french, "fr")):
        kept = language.judge(Document(text), Filter(languages=["any"]))
        assert isinstance(kept, Document)
        assert kept.language == code
        assert kept.language_score == language.identify(text)[1] > 0.65
    unsure = language.judge(Document("1 2 3"), Filter(languages=["any"], language_min_score=1.0))
    assert reason(unsure) == "language.unsure"


def test_a_text_without_a_language_is_kept_as_undetermined_only_if_any_score_will_do(monkeypatch):
    monkeypatch.setattr(language, "identify", lambda text: ("", 0.0))
    kept = language.judge(Document("?"), Filter(languages=["any"], language_min_score=0.0))
    assert isinstance(kept, Document)
    assert (kept.language, kept.language_score) == ("und", 0.0)
    assert reason(language.judge(Document("?"), Filter(languages=["any"]))) == "language.unsure"
    assert reason(language.judge(Document("?"), OLMO)) == "language.other"


@pytest.mark.parametrize(
    ("code", "score", "expected"),
    [("de", 0.5, None), ("de", 0.49, 0.5), ("en", 0.65, None), ("en", 0.64, 0.65), ("fr", 0.8, None), ("fr", 0.79, 0.8)],
)  # fmt: skip
def test_single_languages_have_thresholds_of_their_own(monkeypatch, code, score, expected):
    monkeypatch.setattr(language, "identify", lambda text: (code, score))
    params = Filter(languages=["en", "de", "fr"], language_min_scores={"de": 0.5, "fr": 0.8})
    answer = language.judge(Document("?"), params)
    assert (answer.threshold if isinstance(answer, Drop) else None) == expected
