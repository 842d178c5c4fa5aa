"""The checkers of IFEval decide as lm-eval's own; the verifier refuses what games them."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.learn.verifiers.ifeval import patterns
from regrow.learn.verifiers.ifeval.language import LANGUAGES as LANGUAGES_
from regrow.learn.verifiers.ifeval.verifier import INSTRUCTIONS, follows
from regrow.learn.verifiers.judge import check, judge
from regrow.learn.verifiers.verdict import Verdict

LANGUAGES = {
    "en": "The river runs slowly past the old mill and the children play on the bridge every day.",
    "de": "Der Fluss fließt langsam an der alten Mühle vorbei und die Kinder spielen auf der Brücke.",
    "fr": "La rivière coule lentement devant le vieux moulin et les enfants jouent sur le pont.",
    "es": "El río pasa despacio por el viejo molino y los niños juegan en el puente todos los días.",
    "ru": "Река медленно течёт мимо старой мельницы, и дети каждый день играют на мосту.",
    "hi": "नदी पुरानी चक्की के पास से धीरे धीरे बहती है और बच्चे पुल पर खेलते हैं।",
}
PIECES = [
    *("river", "mill", "Mill", "RIVER", "bridge", "U.S.", "Dr. Hall", "IT'S", "don't", "e.g.", "No. 5", "x1"),
    *("slow,", "and", "so.", "Why?", "Ha!", "...", "3.14", "naïve", "Ωmega", "a-b", "ABC-DEF", "p.m."),
    *("[name]", "[ ]", "[", "]", "[two words]", "[a\nb]", "<<A Title>>", "<<", ">>", "<< >>", "<<<x>>>"),
    *("*high*", "**strong**", "* *", "**", "*", "***", "******", "\n* item", "\n- item", "\n ** no", "\n\n* a"),
    *("\n", "\n\n", "\n\n\n\n", " ", "\t", "Section 1", "SECTION 2", "Section3", "Section four", "section 5"),
    *("P.S. more", "P.P.S more", "p. s. x", "p.p.s.", "PS", "My answer is yes.", "My answer is maybe.", "yes"),
    *('"', "'", '"quoted"', "'mill'", "“curly”", "Any other questions?", "```json", "```", '{"a": 1}', "[1, 2]"),
    *("null", "NaN", "{}", "{'a': 1}", "first. second", '"mill"s', "mill's", "bridge!", "1.", "，", "\u2028"),
]  # fmt: skip
WORDS = [
    "river",
    "mill",
    "bridge",
    "slow",
    "answer",
    "section",
    "e.g.",
    "x1",
    "naïve",
    "Dr.",
    "a|b",
    "s..",
]
RELATIONS = ["less than", "at least"]

DRAWN: dict[str, Callable[[random.Random], dict[str, Any]]] = {
    "keywords:existence": lambda r: {"keywords": r.sample(WORDS, r.randint(1, 2))},
    "keywords:frequency": lambda r: {
        "keyword": r.choice(WORDS) + r.choice(["", " "]),
        "frequency": r.randint(1, 3),
        "relation": r.choice(RELATIONS),
    },
    "keywords:forbidden_words": lambda r: {"forbidden_words": r.sample(WORDS, r.randint(1, 2))},
    "keywords:letter_frequency": lambda r: {
        "letter": r.choice("aeiRSx"),
        "let_frequency": r.randint(1, 8),
        "let_relation": r.choice(RELATIONS),
    },
    "language:response_language": lambda r: {"language": r.choice(sorted(LANGUAGES))},
    "length_constraints:number_sentences": lambda r: {
        "num_sentences": r.randint(2, 6),
        "relation": r.choice(RELATIONS),
    },
    "length_constraints:number_paragraphs": lambda r: {"num_paragraphs": r.randint(1, 3)},
    "length_constraints:number_words": lambda r: {
        "num_words": r.randint(5, 30),
        "relation": r.choice(RELATIONS),
    },
    "length_constraints:nth_paragraph_first_word": lambda r: {
        "num_paragraphs": (n := r.randint(1, 3)),
        "nth_paragraph": r.randint(1, n),
        "first_word": r.choice(["river", "Mill", "bridge", "so", "first", "quoted"]),
    },
    "detectable_content:number_placeholders": lambda r: {"num_placeholders": r.randint(1, 3)},
    "detectable_content:postscript": lambda r: {
        "postscript_marker": r.choice(["P.S.", "P.P.S", "P.P.S.", "PS", " P.S. "])
    },
    "detectable_format:number_bullet_lists": lambda r: {"num_bullets": r.randint(1, 3)},
    "detectable_format:constrained_response": lambda r: {},
    "detectable_format:number_highlighted_sections": lambda r: {"num_highlights": r.randint(1, 4)},
    "detectable_format:multiple_sections": lambda r: {
        "section_spliter": r.choice(["Section", "SECTION", " Section"]),
        "num_sections": r.randint(1, 2),
    },
    "detectable_format:json_format": lambda r: {},
    "detectable_format:title": lambda r: {},
    "combination:two_responses": lambda r: {},
    "combination:repeat_prompt": lambda r: {"prompt_to_repeat": r.choice(["river", "Mill ", "so.", "*"])},
    "startend:end_checker": lambda r: {"end_phrase": r.choice(["so.", "Any other questions?", "mill", "yes "])},
    "startend:quotation": lambda r: {},
    "change_case:capital_word_frequency": lambda r: {
        "capital_frequency": r.randint(1, 4),
        "capital_relation": r.choice(RELATIONS),
    },
    "change_case:english_capital": lambda r: {},
    "change_case:english_lowercase": lambda r: {},
    "punctuation:no_comma": lambda r: {},
}  # fmt: skip


def text(r: random.Random, name: str) -> str:
    """A text on which the instruction may turn out either way."""
    if INSTRUCTIONS[name].language:
        found = r.choice([*LANGUAGES.values(), LANGUAGES["en"], "12 + 3", "..."])
        return r.choice([str, str.upper, str.lower])(found)
    said = "".join(
        r.choice(PIECES) + r.choice([" ", " ", " ", ""]) for _ in range(r.randint(1, 25))
    )
    if name == "detectable_format:json_format":
        said = r.choice(['{"a": [1, "é"]}', "[]", "NaN", "{'a': 1}", "{", '"x"', "1 2", said])
        said = (
            r.choice(["", "```", "```json\n", "```Json ", "```JSON", "x"])
            + said
            + r.choice(["", "```", "\n```"])
        )
    if name == "combination:two_responses":
        said = "******".join(
            r.choice(["", " ", "river", "mill", " mill ", "*"]) for _ in range(r.randint(1, 4))
        )
    if name == "length_constraints:number_paragraphs":
        parts = [r.choice(["", " ", "river", "mill *"]) for _ in range(r.randint(1, 4))]
        said = r.choice(["***", "\n***\n", " *** "]).join(parts)
    if name.endswith("first_word"):
        firsts = ["river", "Mill,", '"bridge"', "'so' x", "first.", '"quoted!', "", " ", "bridge's"]
        said = r.choice(["\n\n", "\n\n", "\n\n\n"]).join(
            r.choice(firsts) for _ in range(r.randint(1, 4))
        )
    if name == "combination:repeat_prompt":
        said = r.choice(["river ", "MILL\n", " so. ", "* ", ""]) + said
    if name == "startend:quotation":
        said = r.choice(['"', '"', '" ', "'", ""]) + said + r.choice(['"', ' "', "'", ""])
    if name == "startend:end_checker":
        said += r.choice(
            ["so.", "Any other questions?", 'SO."', "any other questions? ", "mill", "yes", "x"]
        )
    return said


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, dict[str, Any], str], bool]:
    """lm-eval's strict verdict on one instruction; NLTK's model laid where its download would be."""
    import langdetect
    import nltk
    from punkt import load_model

    model = load_model("english")
    folder = tmp_path_factory.mktemp("nltk_data")
    english = folder / "tokenizers/punkt_tab/english"
    english.mkdir(parents=True)
    files = {
        "abbrev_types.txt": sorted(model.abbrev_types),
        "sent_starters.txt": sorted(model.sent_starters),
        "collocations.tab": ["\t".join(pair) for pair in sorted(model.collocations)],
        "ortho_context.tab": [f"{word}\t{flags}" for word, flags in model.ortho_context.items()],
    }
    for name, lines in files.items():
        (english / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    nltk.data.path.insert(0, str(folder))
    langdetect.DetectorFactory.seed = 0
    from lm_eval.tasks.ifeval.utils import InputExample
    from lm_eval.tasks.ifeval.utils import test_instruction_following_strict as strict

    def verdict(name: str, arguments: dict[str, Any], said: str) -> bool:
        found = strict(InputExample(0, [name], "", [arguments]), said)
        return bool(found.follow_all_instructions)

    return verdict


def test_all_instructions_of_the_paper_are_there() -> None:
    from lm_eval.tasks.ifeval.instructions_registry import INSTRUCTION_DICT

    assert set(INSTRUCTIONS) == set(INSTRUCTION_DICT) == set(DRAWN)
    assert len(INSTRUCTIONS) == 25


@pytest.mark.parametrize("name", sorted(DRAWN))
def test_equal_to_lm_eval(theirs: Callable[[str, dict[str, Any], str], bool], name: str) -> None:
    r = random.Random(name)
    verdicts = []
    for _ in range(40 if INSTRUCTIONS[name].language else 120):
        arguments, said = DRAWN[name](r), text(r, name)
        check("ifeval", {"constraints": [{"id": name, "arguments": arguments}]})
        ours = follows(said, {"id": name, "arguments": arguments})
        assert ours == theirs(name, arguments, said), (name, arguments, said)
        verdicts.append(ours)
    assert 3 <= sum(verdicts) <= len(verdicts) - 3, "the texts decide nothing"


@given(
    st.text() | st.lists(st.sampled_from(PIECES)).map("".join), st.integers(0, 24), st.integers()
)
@settings(max_examples=150, deadline=None)
def test_equal_on_any_text(
    theirs: Callable[[str, dict[str, Any], str], bool], said: str, which: int, seed: int
) -> None:
    name = sorted(DRAWN)[which]
    arguments = DRAWN[name](random.Random(seed))
    assert follows(said, {"id": name, "arguments": arguments}) == theirs(name, arguments, said)


def said(constraints: list[dict[str, Any]], answer: str) -> Verdict:
    check("ifeval", {"constraints": constraints})
    arguments = json.loads(json.dumps({"constraints": constraints}))
    return judge("ifeval", arguments, f"<think> so</think> {answer}<|end|>", "think")


COMMA = {"id": "punctuation:no_comma"}
SHORT = {
    "id": "length_constraints:number_words",
    "arguments": {"num_words": 4, "relation": "less than"},
}


def test_all_must_hold() -> None:
    assert said([COMMA, SHORT], "three words here") == Verdict(True, 1.0, "")
    verdict = said([COMMA, SHORT], "one, two")
    assert verdict == Verdict(False, 0.5, "answer: not followed: punctuation:no_comma")
    assert said([COMMA, SHORT], "a, b c d").score == 0


GERMAN = {"id": "language:response_language", "arguments": {"language": "de"}}
CAPITAL = {"id": "change_case:english_capital"}
KEYWORD = {"id": "keywords:existence", "arguments": {"keywords": ["mill"]}}


@pytest.mark.parametrize(
    ("constraint", "text"),
    [
        (GERMAN, "<think> so</think> 12 34<|end|>"),
        (GERMAN, "<think> so</think> ...<|end|>"),
        (GERMAN, f"<think> {LANGUAGES['de']}</think> {LANGUAGES['en']}<|end|>"),
        (CAPITAL, "<think> so</think> 42<|end|>"),
        (CAPITAL, "<think> so</think> DER FLUSS FLIESST AN DER MÜHLE VORBEI UND DIE KINDER SPIELEN<|end|>"),
        (KEYWORD, "<think> mill</think> river<|end|>"),
        (KEYWORD, "<think> mill</think><|end|>"),
        (KEYWORD, "<think> so</think> river<|end|> mill<|end|>"),
        (KEYWORD, "<think> so</think> m1ll<|end|>"),
        (COMMA, "<think></think> river<|end|>"),
        (COMMA, "<think> so</think> \u200b,<|end|>"),
        (SHORT, "<think> so</think> " + "river " * 5000 + "<|end|>"),
        (SHORT, "<think> so</think> " + "." * 30_000 + "<|end|>"),
        ({"id": "detectable_format:json_format"}, "<think> so</think> " + "[" * 15_000 + "<|end|>"),
        ({"id": "detectable_format:json_format"}, "<think> so</think> Here: {}<|end|>"),
        ({"id": "combination:two_responses"}, "<think> so</think> mill ****** mill<|end|>"),
        ({"id": "startend:quotation"}, '<think> so</think> "<|end|>'),
    ],
)  # fmt: skip
def test_hacks_do_not_pass(constraint: dict[str, Any], text: str) -> None:
    verdict = judge("ifeval", {"constraints": [constraint]}, text, "think")
    assert not verdict.passed and verdict.reason


@pytest.mark.parametrize(
    "run", ["[", "<<", "*", "* ", "\n", " ", "\n* ", "`", "a.", "p.", '"', "((", "ABC "]
)
@pytest.mark.parametrize(
    "name", sorted(set(DRAWN) - {n for n, i in INSTRUCTIONS.items() if i.language})
)
def test_nothing_takes_for_ever(name: str, run: str) -> None:
    """The suite's time limit would end a checker that does not come back."""
    answer = (run * 20_000)[:19_990] + "x"
    said([{"id": name, "arguments": DRAWN[name](random.Random(1))}], answer)


@pytest.mark.parametrize(
    ("constraints", "message"),
    [
        ([], "constraints must not be empty"),
        ([{"id": "no_comma"}], "constraint 1: no instruction 'no_comma'; there are change_case:"),
        (
            [COMMA, {"id": COMMA["id"], "arguments": {"n": 1}}],
            "constraint 2: .* takes nothing, got",
        ),
        ([{"id": SHORT["id"], "arguments": {"num_words": 4}}], "takes num_words, relation, got"),
        (
            [{"id": SHORT["id"], "arguments": {"num_words": 0, "relation": "at least"}}],
            "num_words must be a whole number, at least 1 and at most 20000, got 0",
        ),
        (
            [{"id": SHORT["id"], "arguments": {"num_words": 1, "relation": "at most"}}],
            "relation must be 'less than' or 'at least', got 'at most'",
        ),
        (
            [{"id": KEYWORD["id"], "arguments": {"keywords": ["c++", "("]}}],
            "keywords must be a list",
        ),
        (["no_comma"], "constraint 1: must be a mapping, got 'no_comma'"),
    ],
)
def test_wrong_arguments_are_named(constraints: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check("ifeval", {"constraints": constraints})


LANGUAGE, END = "language:response_language", "startend:end_checker"
FIRST = "length_constraints:nth_paragraph_first_word"
WORDS_, SENTENCES = "length_constraints:number_words", "length_constraints:number_sentences"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        *((LANGUAGE, {"language": n}) for n in ("zh", "German", "EN", "xx", "", "en-US", "pt-br", 1)),
        *((END, {"end_phrase": p}) for p in ('"', ' " ', 'so."', '""', "", " ")),
        *((FIRST, {"num_paragraphs": 2, "nth_paragraph": 1, "first_word": w})
          for w in ("so far", "so.", "U.S.", "'so", "", " so", "why?")),
        (FIRST, {"num_paragraphs": 2, "nth_paragraph": 3, "first_word": "so"}),
        (WORDS_, {"num_words": 10**9, "relation": "at least"}),
        (SENTENCES, {"num_sentences": 1, "relation": "less than"}),
        ("detectable_format:number_bullet_lists", {"num_bullets": 30_000}),
        ("combination:repeat_prompt", {"prompt_to_repeat": "x" * 30_000}),
    ],
)  # fmt: skip
def test_an_argument_that_no_answer_can_follow_is_refused(
    name: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"verifier ifeval: constraint 1: "):
        check("ifeval", {"constraints": [{"id": name, "arguments": arguments}]})


def test_the_languages_are_those_of_langdetect() -> None:
    import langdetect

    assert set(LANGUAGES_) == {p.name for p in Path(langdetect.PROFILES_DIRECTORY).iterdir()}


COSTLY = [
    "(a+)+b", "(a*)*b", "(a|a)*b", "(a|aa)+$", "(a?){30}a{30}", "a?" * 12 + "a" * 12, "(.*)(.*)x", ".*.*x",
    "(x+x+)+y", r"(\w+\s?)+$", "a{1,1001}", "(a{1,99}){1,99}b", "(?=(a+))b", r"(a)\1", "((a|b)+)+c", "x" * 1001,
    "(a{1000}){1000}", "(?:" * 200 + "a" + ")*" * 200, r"(\d+)*!", "a*a*b", "(", "[", "*",
]  # fmt: skip
CHEAP = [
    "river",
    "c++",
    "a|b",
    "s..",
    "e.g.",
    "x1",
    "colou?r",
    "P.S.",
    r"\d+",
    "[a-z]+ing",
    "(mill|river)s?",
    "naïve",
    "a{2,9}",
]


@pytest.mark.parametrize("pattern", COSTLY)
def test_a_pattern_that_may_take_for_ever_is_refused(pattern: str) -> None:
    for name, arguments in (
        ("keywords:existence", {"keywords": ["mill", pattern]}),
        ("keywords:frequency", {"keyword": pattern, "frequency": 1, "relation": "at least"}),
        ("keywords:forbidden_words", {"forbidden_words": [pattern]}),
        ("detectable_content:postscript", {"postscript_marker": pattern}),
        ("detectable_format:multiple_sections", {"section_spliter": pattern, "num_sections": 1}),
    ):
        with pytest.raises(ValueError, match="bounded cost"):
            check("ifeval", {"constraints": [{"id": name, "arguments": arguments}]})


@pytest.mark.parametrize("pattern", CHEAP)
def test_ordinary_keywords_are_taken(pattern: str) -> None:
    said([{"id": "keywords:existence", "arguments": {"keywords": [pattern]}}], "mill")


@given(st.text("ab*+?(|){}1,.[]^$\\w", max_size=14))
@settings(max_examples=150, deadline=None)
def test_a_pattern_that_is_taken_ends_soon(pattern: str) -> None:
    if patterns.bounded(pattern):
        start = time.process_time()
        for unit in ("a", "b", "ab", "1"):
            re.findall(pattern, unit * (2_000 // len(unit)) + "!", re.IGNORECASE)
        assert time.process_time() - start < 2


def of(name: str, **arguments: Any) -> dict[str, Any]:
    return {"id": name, "arguments": arguments}


LETTERS = "keywords:letter_frequency"
CAPITALS = "change_case:capital_word_frequency"
CONTRADICTIONS = [
    (of(WORDS_, num_words=5, relation="less than"), of(WORDS_, num_words=5, relation="at least")),
    (of(SENTENCES, num_sentences=2, relation="less than"), of(SENTENCES, num_sentences=3, relation="at least")),
    (of(LETTERS, letter="a", let_frequency=1, let_relation="less than"),
     of(LETTERS, letter="A", let_frequency=1, let_relation="at least")),
    (of("keywords:frequency", keyword="mill", frequency=1, relation="less than"),
     of("keywords:existence", keywords=["river", "Mill"])),
    (of(LANGUAGE, language="de"), of(LANGUAGE, language="en")),
    (of(LANGUAGE, language="de"), of("change_case:english_capital")),
    (of("change_case:english_lowercase"), of("change_case:english_capital")),
    (of("change_case:english_lowercase"), of(CAPITALS, capital_frequency=1, capital_relation="at least")),
    (of("length_constraints:number_paragraphs", num_paragraphs=2),
     of("length_constraints:number_paragraphs", num_paragraphs=3)),
    (of("detectable_format:number_bullet_lists", num_bullets=2),
     of("detectable_format:number_bullet_lists", num_bullets=3)),
    (of(FIRST, num_paragraphs=2, nth_paragraph=1, first_word="so"),
     of(FIRST, num_paragraphs=2, nth_paragraph=1, first_word="and")),
    (of(END, end_phrase="so."), of(END, end_phrase="and.")),
    (of("combination:repeat_prompt", prompt_to_repeat="Why?"), of("startend:quotation")),
    (of("combination:repeat_prompt", prompt_to_repeat="Why, so?"), of("punctuation:no_comma")),
]  # fmt: skip


@pytest.mark.parametrize("pair", CONTRADICTIONS)
def test_constraints_that_exclude_each_other_are_refused(pair: tuple[dict[str, Any], ...]) -> None:
    for constraints in (list(pair), [COMMA, *reversed(pair)]):
        with pytest.raises(ValueError, match="no answer can follow all constraints: "):
            check("ifeval", {"constraints": constraints})
    for constraint in pair:
        check("ifeval", {"constraints": [constraint, constraint]})


def test_constraints_that_agree_are_taken() -> None:
    between = [
        of(WORDS_, num_words=9, relation="less than"),
        of(WORDS_, num_words=3, relation="at least"),
    ]
    assert said(
        [*between, of(END, end_phrase="now"), of(END, end_phrase="so now")], "it is so now"
    ).passed
    said([of(LANGUAGE, language="en"), of("change_case:english_capital")], "YES")
    said([of(LETTERS, letter="a", let_frequency=1, let_relation="less than"),
          of(LETTERS, letter="b", let_frequency=1, let_relation="at least")], "b")  # fmt: skip


def test_the_docs_name_every_instruction() -> None:
    docs = (Path(__file__).parents[2] / "docs/reference/verifiers.md").read_text()
    assert {n for n in INSTRUCTIONS if not re.search(re.escape(n.split(":")[1]), docs)} == set()
