"""The released chat template under plain transformers: the same tokens as `tokens.chat`, or both refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regrow.data.tokens import bpe, chat
from regrow.data.tokens.train import config as _config
from regrow.params.data import Tokenizer as Params
from regrow.release.export import _configure, _show_spoken

QUICK = settings(
    deadline=None,
    max_examples=150,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tokenizer's files as a release has them."""
    from pydoc_data.topics import topics

    found: Path = tmp_path_factory.mktemp("released")
    learned = bpe.train(list(topics.values())[:10], 500, Params().special_tokens)
    learned.save(str(found / "tokenizer.json"))
    (found / "tokenizer_config.json").write_text(json.dumps(_config(Params())))
    _show_spoken(found / "tokenizer.json")
    _configure(found / "tokenizer_config.json", 256, chats=True)
    return found


@pytest.fixture(scope="module")
def ours(folder: Path) -> Any:
    return bpe.load(folder)[0]


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def both(ours: Any, theirs: Any, messages: Any, tools: Any = None) -> tuple[Any, Any]:
    """(ids, learned) of each side; None where it raises."""
    from jinja2.exceptions import TemplateError

    try:
        one = chat.example(ours, messages, tools or ())
    except ValueError:
        one = None
    try:
        found = theirs.apply_chat_template(
            messages, tools=tools, return_dict=True, return_assistant_tokens_mask=True
        )
        other = (list(found["input_ids"]), [bool(m) for m in found["assistant_masks"]])
    except TemplateError:
        other = None
    return one, other


def agree(ours: Any, theirs: Any, messages: Any, tools: Any = None) -> str | None:
    """The text that both sides render, None where both refuse; fails where they differ."""
    one, other = both(ours, theirs, messages, tools)
    assert one == other
    return None if one is None else chat.decode(ours, one[0])


USER = {"role": "user", "content": "6 + 6?"}


def call(arguments: Any, name: Any = "add") -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {
        "role": "assistant",
        "tool_calls": [{"type": "function", "id": "1", "function": function}],
    }


RENDERED = [
    ([USER, call({"a": 2, "b": 3})], "<|user|> 6 + 6?<|assistant|><tool_call> add(a=2, b=3)</tool_call><|end|>"),
    ([USER, call({"a": 'x"\n', "b": [1, None, True, "é"]})], '<tool_call> add(a="x\\"\\n", b=[1, None, True, "é"])</tool_call>'),
    ([USER, call({})], "<tool_call> add()</tool_call>"),
    ([USER, {"role": "assistant", "tool_calls": [{"name": "f", "arguments": {"x": -1}}, "g(y=2)"]}], "<tool_call> f(x=-1)</tool_call><tool_call> g(y=2)</tool_call><|end|>"),
    ([USER, {**call({"a": 1}), "content": None}], "add(a=1)"),
    ([USER, {**call({"a": 1}), "content": " "}], "add(a=1)"),
    ([USER, {**call({"a": 1}), "reasoning_content": " so "}], "<think> so</think><tool_call> add(a=1)</tool_call>"),
    ([{"role": "user", "content": [{"type": "text", "text": " a "}, {"type": "text", "text": "b "}]}], "<|user|> a b"),
    ([USER, {"role": "tool", "content": "12"}], "<|tool|> 12<|end|>"),
]  # fmt: skip


@pytest.mark.parametrize(("messages", "text"), RENDERED)
def test_what_has_a_place_is_rendered_alike(
    ours: Any, theirs: Any, messages: list[Any], text: str
) -> None:
    rendered = agree(ours, theirs, messages)
    assert rendered is not None
    assert text in rendered


REFUSED = [
    [{"role": role, "content": "a"}] for role in ("developer", "ipython", "System", None, "")
] + [
    [{"content": "a"}],
    [{"role": "user"}],
    [{"role": "user", "content": None}],
    [{"role": "user", "content": ""}],
    [{"role": "user", "content": " \n"}],
    [{"role": "user", "content": []}],
    [{"role": "user", "content": 12}],
    [{"role": "user", "content": {"a": 1}}],
    [{"role": "user", "content": [{"type": "image", "url": "x"}]}],
    [{"role": "user", "content": [{"type": "text"}]}],
    [{"role": "user", "content": ["a"]}],
    [USER, {"role": "assistant", "content": ""}],
    [USER, {"role": "assistant", "content": "a", "reasoning_content": 4}],
    [USER, {"role": "assistant", "content": None, "tool_calls": []}],
    [USER, {**call({"a": 1}), "content": "I add."}],
    [USER, {"role": "tool", "content": {"result": 12}}],
    [{**USER, "tool_calls": ["add(a=1)"]}],
    [{**USER, "reasoning_content": "hm"}],
    [USER, {"role": "assistant", "tool_calls": "add(a=1)"}],
    [USER, {"role": "assistant", "tool_calls": {"name": "add", "arguments": {}}}],
    [USER, {"role": "assistant", "tool_calls": [12]}],
    [USER, {"role": "assistant", "tool_calls": [{"type": "function"}]}],
    [USER, call('{"a": 1}')],
    [USER, call(None)],
    [USER, call({"a": 1.5})],
    [USER, call({"a": {"b": 1}})],
    [USER, call({"a": [[1]]})],
    [USER, call({"a b": 1})],
    [USER, call({"é": 1})],
    [USER, call({"None": 1})],
    [USER, call({"a": 1}, "a.b")],
    [USER, call({"a": 1}, "x" * 65)],
    [USER, call({"a": 1}, None)],
]


@pytest.mark.parametrize("messages", REFUSED)
def test_what_has_no_place_is_refused_by_both(ours: Any, theirs: Any, messages: list[Any]) -> None:
    assert agree(ours, theirs, messages) is None


TOOL = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "The sum of two numbers.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        },
    },
}


def test_tools_are_described_as_in_training(ours: Any, theirs: Any) -> None:
    from regrow.learn.verifiers import tools

    text = f"Tools:\n{tools.describe(['add'])}"
    assert agree(ours, theirs, [USER], [TOOL]) == f"<|system|> {text}<|user|> 6 + 6?"
    said = [{"role": "system", "content": "Be short."}, USER]
    assert agree(ours, theirs, said, [TOOL]) == f"<|system|> Be short.\n\n{text}<|user|> 6 + 6?"
    bare = {"name": "now"}
    assert agree(ours, theirs, [USER], [bare, TOOL]) == (
        f"<|system|> Tools:\nnow()\n{tools.describe(['add'])}<|user|> 6 + 6?"
    )
    assert agree(ours, theirs, [USER], []) == "<|user|> 6 + 6?"
    for odd in ({"name": "a b"}, {"description": "x"}, {"name": "f", "description": 4}):
        assert agree(ours, theirs, [USER], [odd]) is None
    many = {"name": "f", "parameters": {"properties": {"a": {"type": ["string", "null"]}}}}
    assert agree(ours, theirs, [USER], [many]) is None


def test_a_python_function_is_described_by_transformers_and_spelled_by_us(theirs: Any) -> None:
    def add(a: int, b: list[str]) -> int:
        """The sum.

        Args:
            a: one
            b: other
        """
        return a

    text = theirs.apply_chat_template([USER], tools=[add], tokenize=False)
    assert text.startswith("<|system|> Tools:\nadd(a: int, b: list): The sum.<|user|>")


def test_documents_are_refused(theirs: Any) -> None:
    from jinja2.exceptions import TemplateError

    with pytest.raises(TemplateError, match="no place for documents"):
        theirs.apply_chat_template([USER], documents=[{"title": "a", "text": "b"}])


WORD = st.text("ab1 .,\né☃", min_size=0, max_size=8)
SAID = st.one_of(
    WORD,
    WORD,
    st.none(),
    st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": WORD}), max_size=2),
    st.sampled_from([3, {"a": 1}, [{"type": "image"}], ["x"]]),
)
NAME = st.sampled_from(["add", "f", "a_1", "a", "a-b", "", "True", "é"])
VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), WORD, st.sampled_from([1.5, 2.0])),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(NAME, inner, max_size=1)),
    max_leaves=3,
)
CALLED = st.one_of(
    WORD,
    st.fixed_dictionaries({"name": NAME, "arguments": st.dictionaries(NAME, VALUE, max_size=2)}),
    st.fixed_dictionaries(
        {"function": st.fixed_dictionaries({"name": NAME, "arguments": st.dictionaries(NAME, VALUE, max_size=2)})}
    ),
    st.sampled_from([None, 4, {"function": {"name": "f", "arguments": "{}"}}]),
)  # fmt: skip
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from([*chat._ROLES, *chat._ROLES, "assistant", "developer"])},
    optional={
        "content": SAID,
        "reasoning_content": st.one_of(WORD, st.none(), st.just(4)),
        "tool_calls": st.one_of(st.none(), st.lists(CALLED, max_size=2), st.just("f()")),
    },
)
TOOLS = st.one_of(st.none(), st.lists(st.fixed_dictionaries({"name": NAME}), max_size=2))


@given(st.lists(MESSAGE, min_size=1, max_size=4), TOOLS)
@QUICK
def test_any_messages_are_rendered_alike_or_refused_alike(
    ours: Any, theirs: Any, messages: list[Any], tools: Any
) -> None:
    agree(ours, theirs, messages, tools)


def test_tags_survive_where_special_tokens_are_skipped(ours: Any, theirs: Any) -> None:
    said = [USER, {"role": "assistant", "reasoning_content": "6 + 6 = 12", "content": "12"}]
    ids = chat.example(ours, said)[0]
    shown = theirs.decode(ids, skip_special_tokens=True)
    assert shown == " 6 + 6?<think> 6 + 6 = 12</think> 12"
    ids = chat.example(ours, [USER, call({"a": 2})])[0]
    shown = theirs.decode(ids, skip_special_tokens=True)
    assert shown == " 6 + 6?<tool_call> add(a=2)</tool_call>"
    assert theirs.model_max_length == 256


def test_a_round_trip_through_transformers_stays_equal(
    ours: Any, theirs: Any, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    theirs.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    for text in ("The assert statement, äöü.", "a <think> b</think> <tool_call>", "<|end|>\n\n 12"):
        ids = theirs(text)["input_ids"]
        assert again(text)["input_ids"] == ids
        assert again.decode(ids) == theirs.decode(ids) == text
        assert again.decode(ids, skip_special_tokens=True) == theirs.decode(
            ids, skip_special_tokens=True
        )
    assert again.chat_template == theirs.chat_template
    assert (again.eos_token_id, again.pad_token_id) == (theirs.eos_token_id, theirs.pad_token_id)


def test_a_released_tokenizer_read_by_us_takes_no_spelled_tag_for_a_control_token(
    ours: Any,
) -> None:
    ids = chat.prompt(ours, "<think> a</think><tool_call> f()</tool_call>", "think")
    control = [token for token in ids if token < len(Params().special_tokens)]
    assert chat.decode(ours, control) == "<|user|><|assistant|>"
