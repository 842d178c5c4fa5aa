"""What a completion says, by form; what is not well formed and why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.learn.verifiers.response import FORMS, parse

PLAIN_TEXT = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="<|\n"), min_size=1
).map(lambda t: t.strip(" "))
WORDS = PLAIN_TEXT.filter(lambda t: t and "Answer:" not in t)


@given(WORDS, WORDS)
def test_what_was_written_is_read(trace: str, answer: str) -> None:
    said = parse(f"{trace}\n\nAnswer: {answer}\n\n", "plain")
    assert (said.think, said.answer, said.well_formed) == (trace, answer, True)
    said = parse(f"<think> {trace}</think> {answer}<|end|>", "think")
    assert (said.think, said.answer, said.well_formed) == (trace, answer, True)
    said = parse(f" {answer}<|end|>", "instruct")
    assert (said.think, said.answer, said.well_formed) == ("", answer, True)


@given(st.text(), st.sampled_from(FORMS))
def test_any_text_is_read(text: str, form: str) -> None:
    said = parse(text, form)
    assert said.well_formed == (not said.reason)
    assert said.answer == said.answer.strip(" \n")


PIECES = st.lists(
    st.sampled_from(
        [
            *("<think>", "</think>", "<tool_call>", "</tool_call>", "<|end|>", "<|tool|>"),
            *(
                "<|assistant|>",
                "<|user|>",
                "<|endoftext|>",
                " 12",
                "Answer: 7",
                "\n\n",
                "add(a=1, b=2)",
            ),
        ]
    ),
    max_size=12,
).map("".join)


@given(PIECES, st.sampled_from(("think", "instruct")))
def test_well_formed_chat_has_one_answer_at_its_end(text: str, form: str) -> None:
    said = parse(text, form)
    if said.well_formed:
        last = text.split("<|assistant|>")[-1]
        assert text.endswith("<|end|>") and last.count("<|end|>") == 1
        assert bool(said.answer) != ("<tool_call>" in last)
        assert last.count("<think>") == last.count("</think>") == (form == "think")
        assert len(said.tool_calls) == text.count("<tool_call>")
        assert len(said.tool_results) == text.count("<|tool|>")


def test_a_conversation_with_tools() -> None:
    said = parse(
        '<tool_call>add(a=1, b=2)</tool_call><tool_call>length(text="ab")</tool_call><|end|>'
        "<|tool|> 3<|end|><|tool|> 2<|end|><|assistant|> 3 and 2<|end|>",
        "instruct",
    )
    assert said.well_formed
    assert said.tool_calls == ("add(a=1, b=2)", 'length(text="ab")')
    assert said.tool_results == ("3", "2")
    assert said.answer == "3 and 2"


def test_a_conversation_that_stops_at_the_call() -> None:
    said = parse("<tool_call>add(a=1, b=2)</tool_call><|end|>", "instruct")
    assert said.well_formed and said.answer == "" and said.tool_calls == ("add(a=1, b=2)",)


def test_tools_after_thinking() -> None:
    said = parse(
        "<think> sum</think><tool_call>add(a=1, b=2)</tool_call><|end|><|tool|> 3<|end|>"
        "<|assistant|><think> done</think> 3<|end|>",
        "think",
    )
    assert said.well_formed and said.answer == "3" and said.think == "done"


@pytest.mark.parametrize(
    ("form", "text", "reason"),
    [
        ("plain", "", "no answer"),
        ("plain", "it is 12\n\n", "no answer"),
        ("plain", "it is 12\n\nAnswer: 12", "the answer does not end"),
        ("plain", "it is 12\n\nAnswer: 12\n", "the answer does not end"),
        ("plain", "it is 12\n\nAnswer: \n\n", "the answer is empty"),
        ("plain", "it is 12 Answer: 12\n\n", "no blank line before the answer"),
        ("plain", "Answer: 11\n\nAnswer: 12\n\n", "more than one answer"),
        ("plain", "Answer: 11 Answer: 12\n\n", "more than one answer"),
        ("plain", "Answer:11\n\nAnswer: 12\n\n", "more than one answer"),
        ("plain", "Answer: 12\n\nQuestion: more?", "text after the answer"),
        ("plain", "Answer: <|end|>12\n\n", "<|end|> in plain text"),
        ("think", "", "cut off: no <think> at the start"),
        ("think", " 12<|end|>", "text at the start, where <think> belongs"),
        ("think", "<think> x", "cut off: no </think> after the think part"),
        ("think", "<think> x</think>", "cut off: no <|end|> after the answer"),
        ("think", "<think> x</think> 12", "cut off: no <|end|> after the answer"),
        ("think", "<think> x</think><|end|>", "the answer is empty"),
        ("think", "<think></think> 12<|end|>", "the think part is empty"),
        ("think", "<think> \n</think> 12<|end|>", "the think part is empty"),
        ("think", "<think> 12<|end|>", "<|end|> after the think part, where </think> belongs"),
        (
            "think",
            "<think> x</think> 11</think> 12<|end|>",
            "</think> after the answer, where <|end|> belongs",
        ),
        (
            "think",
            "<think> x</think> 11<think> y</think> 12<|end|>",
            "<think> after the answer, where <|end|> belongs",
        ),
        ("think", "<think> x</think> 12<|end|> 13<|end|>", "something after the end"),
        ("think", "<think> x</think> 12<|end|><|end|>", "something after the end"),
        (
            "think",
            "<think> x</think> 12<|end|><|user|> thanks<|end|>",
            "something after the end",
        ),
        ("instruct", "<think> x</think> 12<|end|>", "a think part in a form that has none"),
        (
            "instruct",
            " 12<think> x</think><|end|>",
            "<think> after the answer, where <|end|> belongs",
        ),
        ("instruct", " so <tool_call>f()</tool_call><|end|>", "text beside a call"),
        ("instruct", "<tool_call>f()</tool_call> so<|end|>", "text beside a call"),
        ("instruct", "<tool_call>f()<|end|>", "<|end|> after a call, where </tool_call> belongs"),
        (
            "instruct",
            "<tool_call>f()</tool_call><|tool|> 3<|end|><|assistant|> 3<|end|>",
            "<|tool|> after the answer, where <|end|> belongs",
        ),
        (
            "instruct",
            "<tool_call>f()</tool_call><|end|><|assistant|> 3<|end|>",
            "<|assistant|> after a call, where <|tool|> belongs",
        ),
        (
            "instruct",
            "<tool_call>f()</tool_call><|end|><|tool|> 3<|end|><|tool|> 4<|end|><|assistant|> 3<|end|>",
            "<|tool|> after the tools' results, where <|assistant|> belongs",
        ),
    ],
)
def test_what_is_not_well_formed(form: str, text: str, reason: str) -> None:
    said = parse(text, form)
    assert not said.well_formed and said.reason == reason


def test_an_unknown_form_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown form 'chat'"):
        parse("", "chat")
