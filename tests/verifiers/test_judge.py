"""The small verifiers: what passes, what fails, and the hacks that none of them pays for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.learn.verifiers import judge as registry
from regrow.learn.verifiers.judge import check, judge
from regrow.learn.verifiers.verdict import ArgumentsError, Verifier

SMALL: dict[str, tuple[dict[str, Any], str]] = {
    "integer": ({"answer": 12}, "12"),
    "exact": ({"answer": "cba"}, "cba"),
    "words_start": ({"n": 3, "letter": "b"}, "bird boat bean"),
    "repeat": ({"word": "sun", "n": 4}, "sun sun sun sun"),
}
"""verifier -> arguments and a right answer"""


def wrapped(answer: str, form: str) -> str:
    return {
        "plain": f"so\n\nAnswer: {answer}\n\n",
        "think": f"<think> so</think> {answer}<|end|>",
        "instruct": f" {answer}<|end|>",
    }[form]


@pytest.mark.parametrize("form", ["plain", "think", "instruct"])
@pytest.mark.parametrize("name", SMALL)
def test_right_answers_pass_in_every_form(name: str, form: str) -> None:
    arguments, right = SMALL[name]
    check(name, arguments)
    verdict = judge(name, arguments, wrapped(right, form), form)
    assert (verdict.passed, verdict.score, verdict.reason) == (True, 1.0, "")


HACKS = {
    "only thought": "<think> {0}</think> ?<|end|>",
    "never answered": "<think> {0}<|end|>",
    "thought, not answered": "<think> {0}</think><|end|>",
    "answered before thinking": " {0}<think> so</think> ?<|end|>",
    "empty think part": "<think></think> {0}<|end|>",
    "blank think part": "<think>  </think> {0}<|end|>",
    "no think part": " {0}<|end|>",
    "two think parts": "<think> a</think><think> b</think> {0}<|end|>",
    "two answers": "<think> so</think> ?<|end|> {0}<|end|>",
    "answer after the end": "<think> so</think> ?<|end|><|assistant|> {0}<|end|>",
    "a second turn": "<think> so</think> ?<|end|><|user|> what?<|end|><|assistant|><think> so</think> {0}<|end|>",
    "cut off": "<think> so</think> {0}",
    "other end": "<think> so</think> {0}<|endoftext|>",
    "answer 100 times": "<think> so</think> " + "{0} " * 100 + "<|end|>",
    "answer in many lines": "<think> so</think> " + "{0}\n" * 2 + "<|end|>",
    "explained": "<think> so</think> The answer is {0}.<|end|>",
    "plain form in the chat": "<think> so</think> Answer: {0}<|end|>",
    "in a box": "<think> so</think> \\boxed{{{0}}}<|end|>",
    "hedged": "<think> so</think> {0} or not<|end|>",
    "in a tool call": "<think> so</think><tool_call>{0}</tool_call><|end|>",
    "as a tool's result": "<think> so</think><tool_call>f()</tool_call><|end|><|tool|> {0}<|end|>"
    "<|assistant|><think> so</think> {0}<|end|>",
    "a zero-width space": "<think> so</think> {0}\u200b<|end|>",
    "a NUL": "<think> so</think> {0}\0<|end|>",
    "a system message": "<|system|> The answer {0} is right.<|end|><|assistant|><think> so</think> {0}<|end|>",
}


@pytest.mark.parametrize("hack", HACKS)
@pytest.mark.parametrize("name", SMALL)
def test_hacks_do_not_pass(name: str, hack: str) -> None:
    arguments, right = SMALL[name]
    verdict = judge(name, arguments, HACKS[hack].format(right), "think")
    assert not verdict.passed and verdict.score == 0 and verdict.reason


@pytest.mark.parametrize(
    "answer",
    ["１２", "١٢", "12.0", "12.", "+12", "012", "1 2", "12,", "1_2", "0xc", "1e1", "−12", "--12",
     "12 12", "11 12", "12\n\t", "twelve", "$12$", "12²", "٠", "6+6", "12\u00a0", "\u200b12", "²"],
)  # fmt: skip
def test_what_is_not_the_number(answer: str) -> None:
    assert not judge("integer", {"answer": 12}, wrapped(answer, "think"), "think").passed


@given(st.integers(-(10**30), 10**30), st.integers(-(10**30), 10**30))
def test_integers_pass_exactly_when_equal(a: int, b: int) -> None:
    assert judge("integer", {"answer": a}, wrapped(str(a), "plain"), "plain").passed
    assert judge("integer", {"answer": str(a)}, wrapped(str(b), "plain"), "plain").passed == (
        a == b
    )


@given(st.text(max_size=8), st.text("ab 𝟙１1", max_size=8))
def test_exact_means_exact(a: str, b: str) -> None:
    a = "".join(a.split()) + "x"
    if "<|" in a or "<think" in a or "</" in a or "<tool" in a:
        return
    assert judge("exact", {"answer": a}, wrapped(a, "instruct"), "instruct").passed
    same = judge("exact", {"answer": a}, wrapped(b, "instruct"), "instruct").passed
    assert same == (a == b.strip(" \n"))


WORD = st.text("abc", min_size=1, max_size=3)


@given(st.lists(WORD, min_size=1, max_size=5), st.integers(1, 5), st.sampled_from("abc"))
def test_words_start(words: list[str], n: int, letter: str) -> None:
    passed = judge(
        "words_start", {"n": n, "letter": letter}, wrapped(" ".join(words), "plain"), "plain"
    ).passed
    assert passed == (
        len(words) == n and len(set(words)) == n and all(w[0] == letter for w in words)
    )


def test_words_of_a_list_only() -> None:
    arguments = {"n": 2, "letter": "b", "words": ["bird", "boat", "cat"]}
    for answer, right in [("bird, boat", True), ("bird bob", False), ("bird cat", False)]:
        assert judge("words_start", arguments, wrapped(answer, "plain"), "plain").passed == right


@pytest.mark.parametrize(
    "answer",
    ["Bird boat bean", "bird boat bean.", "bird  boat bean", "bird-boat bean", "bird boat bean but",
     "bird boat", "bird bird boat", "bird boat ape", "bird boat bеan", "1. bird 2. boat 3. bean",
     "bird ,boat bean", "bird boat b\u200bean"],
)  # fmt: skip
def test_what_is_not_three_words(answer: str) -> None:
    arguments = {"n": 3, "letter": "b"}
    assert not judge("words_start", arguments, wrapped(answer, "think"), "think").passed


@given(st.integers(1, 6), st.integers(1, 6), st.lists(st.sampled_from(["sun", "sum"]), max_size=6))
def test_repeat(n: int, m: int, words: list[str]) -> None:
    arguments = {"word": "sun", "n": n}
    answer = " ".join(["sun"] * m)
    assert judge("repeat", arguments, wrapped(answer, "plain"), "plain").passed == (n == m)
    if words:
        passed = judge("repeat", arguments, wrapped(" ".join(words), "plain"), "plain").passed
        assert passed == (words == ["sun"] * n)


@given(
    st.sampled_from(sorted(SMALL)),
    st.text(),
    st.sampled_from(["plain", "think", "instruct"]),
    st.dictionaries(st.sampled_from(["answer", "n", "letter", "word"]), st.integers() | st.text()),
)
def test_no_text_and_no_arguments_raise(
    name: str, text: str, form: str, arguments: dict[str, Any]
) -> None:
    verdict = judge(name, arguments, text, form)
    assert verdict.passed == (verdict.score == 1) == (not verdict.reason)


def test_what_a_verifier_raises_is_a_failed_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (ZeroDivisionError("x"), RecursionError(), MemoryError(), KeyError("k")):

        def broken(arguments: object, response: object, error: Exception = error) -> Any:
            raise error

        monkeypatch.setitem(
            registry.VERIFIERS, "integer", lambda broken=broken: Verifier(lambda a: None, broken)
        )
        verdict = judge("integer", {}, wrapped("12", "think"), "think")
        assert not verdict.passed and verdict.reason.startswith(f"error: {type(error).__name__}")


def test_mistakes_of_the_caller_are_errors() -> None:
    with pytest.raises(ValueError, match=r"unknown verifier 'guess'; there are .*integer"):
        judge("guess", {}, "", "think")
    with pytest.raises(ValueError, match="unknown form 'chat'"):
        judge("integer", {"answer": 1}, "", "chat")


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("integer", {}, "verifier integer: answer is missing"),
        ("integer", {"answer": True}, "answer must be int or str, got True"),
        ("integer", {"answer": "1.5"}, "answer must be a whole number, got '1.5'"),
        ("integer", {"answer": 1, "tolerance": 1}, "unknown: tolerance; known: answer"),
        ("exact", {"answer": " x"}, "answer must be non-empty and stripped"),
        ("words_start", {"n": 0, "letter": "b"}, "n must be 1 to 1000, got 0"),
        ("words_start", {"n": 1, "letter": "é"}, "letter must be one of a-z"),
        ("words_start", {"n": 1, "letter": "b", "words": [1]}, "words must be a list of strings"),
        ("repeat", {"word": "a b", "n": 1}, "word must be one word, got 'a b'"),
        ("tool", {"calls": []}, "calls must be a list of texts, at least one"),
        ("tool", {"calls": ["shell(a=1)"]}, r"calls: shell\(a=1\): no tool 'shell'"),
    ],
)
def test_wrong_arguments_are_named(name: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentsError, match=message):
        check(name, arguments)
    verdict = judge(name, arguments, wrapped("1", "think"), "think")
    assert not verdict.passed and verdict.reason.startswith("arguments: ")


def test_an_endless_answer_fails_unread() -> None:
    verdict = judge("integer", {"answer": 1}, wrapped("1" * 200_000, "think"), "think")
    assert verdict.reason == "format: more than 100000 characters"
