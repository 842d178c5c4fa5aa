"""Tool calls: their text, the tools, and the verifier of both and the answer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.learn.verifiers import tools
from regrow.learn.verifiers.calls import Call, CallError, read, write
from regrow.learn.verifiers.judge import judge

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,10}", fullmatch=True)
SCALARS = (
    st.integers(-(10**20), 10**20)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
    | st.booleans()
    | st.none()
)
CALLS = st.builds(
    Call, NAMES, st.dictionaries(NAMES, SCALARS | st.lists(SCALARS, max_size=4), max_size=4)
)


@given(CALLS)
def test_a_call_is_read_as_written(call: Call) -> None:
    assert repr(read(write(call))) == repr(call)


@given(st.text() | st.text("ab=(),[]\"'\\ 1-", max_size=30))
def test_any_text_is_a_call_or_a_call_error(text: str) -> None:
    try:
        call = read(text)
    except CallError:
        return
    assert repr(read(write(call))) == repr(call)


def test_spaces_and_quotes_are_free() -> None:
    assert read(" f ( a = 'it\\'s \"x\"' , b=[ 1,-2 ] ) ") == Call(
        "f", {"a": 'it\'s "x"', "b": [1, -2]}
    )


@pytest.mark.parametrize(
    "text",
    [
        *("", "f", "f(", "f)", "f(a)", "f(1)", "f(a=)", "f(a=1,)", "f(a=1 b=2)", "f(a=1, a=2)"),
        *("f(a=1)x", "f(a=1); f(a=2)", "f(a=1)\nf(a=2)", "f(a=1)(b=2)", "f.g(a=1)", "f(a=g(b=1))"),
        *("f(a=1+1)", "f(a=__import__('os'))", "f(a=x)", "f(a=1.5)", "f(a=01)", "f(a=1e3)", "f(a=0x1)"),
        *("f(**{'a': 1})", "f(*a)", "f(a={})", "f(a=(1,))", "f(a=[[1]])", "f(a=[1,])", "f(a=1_000)"),
        *("f(a='x)", "f(a='\\q')", "f(a='\n')", "f(a='\\ud800')", "f(a=b'x')", "f(a=f'x')", "f(a=１)"),
        *("None(a=1)", "f(True=1)", "f(é=1)", "f(a=" + "[" * 500 + "]" * 500 + ")", "f(a='" + "x" * 2000 + "')"),
        *("f(a=" + "9" * 101 + ")", "lambda: 1", "f(a=1 if 1 else 2)", "f(a='x' 'y')", "f(a=-'x')"),
    ],
)  # fmt: skip
def test_what_is_no_call(text: str) -> None:
    with pytest.raises(CallError):
        read(text)


def test_the_tools() -> None:
    for text, result in {
        "add(a=2, b=-3)": "-1",
        "subtract(b=2, a=3)": "1",
        "multiply(a=12, b=12)": "144",
        "divide(a=7, b=2)": "3",
        "length(text='abc')": "3",
        "count(text='banana', letter='a')": "3",
        "reverse(text='abc')": "cba",
        "upper(text='aß')": "Aß",
        "sort(items=[3, 1, 2])": "[1, 2, 3]",
        "sort(items=['b', 'a'])": "['a', 'b']",
        "largest(items=[3, 12, 2])": "12",
        "total(items=[3, 12, 2])": "17",
        "total(items=[])": "0",
    }.items():
        assert tools.answer(text) == result
    assert {c.split("(")[0] for c in tools.describe(tools.TOOLS).splitlines()} == set(tools.TOOLS)
    assert tools.describe(["add"]) == "add(a: int, b: int): The sum of two numbers."


@given(st.sampled_from(sorted(tools.TOOLS)), CALLS, st.lists(SCALARS | st.lists(SCALARS)))
def test_tools_give_a_text_or_a_tool_error(name: str, call: Call, values: list) -> None:
    wanted = ["a", "b", "text", "letter", "items"]
    for arguments in (call.arguments, dict(zip(wanted, values, strict=False))):
        try:
            assert isinstance(tools.execute(Call(name, arguments)), str)
        except tools.ToolError:
            assert tools.answer(write(Call(name, arguments))).startswith("error: ")


def test_errors_are_told_to_the_model() -> None:
    assert tools.answer("add(a=1)") == "error: add takes a, b"
    assert tools.answer("add(a=1, b='2')") == "error: add: b must be int"
    assert tools.answer("add(a=1, b=True)") == "error: add: b must be int"
    assert tools.answer("divide(a=1, b=0)") == "error: division by zero"
    assert tools.answer("rm(path='/')").startswith("error: no tool 'rm'; there are add, ")
    assert tools.answer("sort(items=[1, 'a'])").startswith("error: items must all be")


ARGUMENTS = {"calls": ["multiply(a=12, b=12)"], "answer": "144"}
CALLED = "<tool_call>multiply(b=12, a=12)</tool_call><|end|>"
RIGHT = CALLED + "<|tool|> 144<|end|><|assistant|> 144<|end|>"


def test_the_right_call_and_answer_pass() -> None:
    assert judge("tool", ARGUMENTS, RIGHT, "instruct").passed
    assert judge("tool", json.loads(json.dumps(ARGUMENTS)), RIGHT, "instruct").passed
    assert judge("tool", {"calls": ARGUMENTS["calls"]}, CALLED, "instruct").passed
    thought = "<think> so</think>" + RIGHT.replace(
        "<|assistant|>", "<|assistant|><think> ok</think>"
    )
    assert judge("tool", ARGUMENTS, thought, "think").passed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (" 144<|end|>", "call: 0 calls, expected 1"),
        (CALLED, "call: no answer after the calls"),
        (RIGHT.replace("<|tool|> 144", "<|tool|> 145"), "call: a result that the tool did not give"),
        (
            "<tool_call>multiply(a=12, b=13)</tool_call><|end|><|tool|> 144<|end|><|assistant|> 144<|end|>",
            "call: multiply(a, b) is not the call wanted",
        ),
        (
            "<tool_call>add(a=72, b=72)</tool_call><|end|><|tool|> 144<|end|><|assistant|> 144<|end|>",
            "call: add(a, b) is not the call wanted",
        ),
        (RIGHT.replace("<|assistant|> 144", "<|assistant|> 145"), "answer: '145', expected '144'"),
        (
            "<tool_call>multiply(a=12, b=12)</tool_call> 144<|end|>",
            "format: text beside a call",
        ),
        (
            "<tool_call>multiply(a=12, b=12)</tool_call><|tool|> 144<|end|><|assistant|> 144<|end|>",
            "format: <|tool|> after the answer, where <|end|> belongs",
        ),
        ("<|tool|> 144<|end|><|assistant|> 144<|end|>", "format: <|tool|> after the answer, where <|end|> belongs"),
        (
            CALLED.replace("<|end|>", "") + RIGHT,
            "format: <|assistant|> after a call, where <|tool|> belongs",
        ),
        (RIGHT + RIGHT, "format: something after the end"),
        (RIGHT.replace("b=12", "b='12'"), "call: multiply(b, a) is not the call wanted"),
        (RIGHT.replace("multiply(b=12, a=12)", "multiply(12, 12)"), "call: '12' where a name belongs"),
        (RIGHT.replace("multiply(b=12, a=12)", "eval(a='144')"), "call: eval(a) is not the call wanted"),
    ],
)  # fmt: skip
def test_forged_and_wrong_conversations_fail(text: str, reason: str) -> None:
    verdict = judge("tool", ARGUMENTS, text, "instruct")
    assert not verdict.passed and verdict.reason == reason


def test_one_is_not_true() -> None:
    from regrow.learn.verifiers.tool import _same

    assert not _same(Call("f", {"a": 1}), Call("f", {"a": True}))
