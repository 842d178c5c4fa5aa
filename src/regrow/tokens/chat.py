"""The chat template: a conversation as tokens, and the plain form that base models know.

    <|system|> S<|user|> Q<|assistant|><think> TRACE</think> ANSWER<|end|>
    <|system|> S<|user|> Q<|assistant|><tool_call> name(a=1)</tool_call><|end|>
        <|tool|> RESULT<|end|><|assistant|> ANSWER<|end|>
    Question: Q\\n\\nTRACE\\n\\nAnswer: ANSWER\\n\\n                          (plain)

Control tokens are placed by id; what is said between them is encoded as text, so that a message
that spells `<|end|>` ends nothing. Every text begins with a space: ` 12` is then the token that it
is in the middle of a sentence. A message is a mapping with `role` (`system`, `user`, `assistant`,
`tool`) and `content`; an assistant's may have `reasoning_content` (the think part), and
`tool_calls` (a list of calls as text) in the place of its content.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tokenizers import Tokenizer

Message = Mapping[str, Any]

FORMS = ("plain", "think", "instruct")
SYSTEM, USER, ASSISTANT, TOOL = "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>"
END, END_OF_TEXT = "<|end|>", "<|endoftext|>"
THINK, THINK_END = "<think>", "</think>"
CALL, CALL_END = "<tool_call>", "</tool_call>"
_ROLES = {"system": SYSTEM, "user": USER, "assistant": ASSISTANT, "tool": TOOL}
_ANSWER = "Answer: "
ESCAPE = "\u241b"
"""before what looks like a control token in the text of a completion, and is none"""
_MARKER = re.compile(r"<\|[a-z_]+\|>|</?think>|</?tool_call>")

JINJA = """\
{%- for message in messages -%}
{%- if message['role'] == 'assistant' -%}
{{- '<|assistant|>' -}}
{%- if message.get('reasoning_content') -%}
{{- '<think> ' + message['reasoning_content'] | trim + '</think>' -}}
{%- endif -%}
{%- if message.get('tool_calls') -%}
{%- for call in message['tool_calls'] -%}
{{- '<tool_call> ' + call | trim + '</tool_call>' -}}
{%- endfor -%}
{%- else -%}
{{- ' ' + message['content'] | trim -}}
{%- endif -%}
{{- '<|end|>' -}}
{%- else -%}
{{- '<|' + message['role'] + '|> ' + message['content'] | trim -}}
{%- if message['role'] == 'tool' -%}
{{- '<|end|>' -}}
{%- endif -%}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|assistant|>' -}}
{%- endif -%}
"""
"""the same template for `transformers`' apply_chat_template (tokenizer_config.json)"""


def example(tokenizer: Tokenizer, messages: Sequence[Message]) -> tuple[list[int], list[bool]]:
    """Tokens of a conversation, and which of them are learned.

    Learned is what an assistant writes: everything after `<|assistant|>` up to its `<|end|>`,
    think tags, calls and the end included.

    Raises:
        ValueError: a message with an unknown role, or without anything to say; a control token
            that the vocabulary lacks.
    """
    tokens: list[int] = []
    mask: list[bool] = []
    for message in messages:
        for control, text, learned in _pieces(message):
            ids = [_control(tokenizer, control)] if control else _text(tokenizer, text)
            tokens += ids
            mask += [learned] * len(ids)
    return tokens, mask


def conversation(tokenizer: Tokenizer, messages: Sequence[Message]) -> list[int]:
    """Tokens of a conversation and the `<|assistant|>` that asks for the next turn."""
    return [*example(tokenizer, messages)[0], _control(tokenizer, ASSISTANT)]


def prompt(tokenizer: Tokenizer, question: str, form: str, system: str | None = None) -> list[int]:
    """Tokens of a prompt, after which the model writes its completion.

    Raises:
        ValueError: an unknown form, or a system message in the plain form.
    """
    _check(form)
    if form == "plain":
        if system is not None:
            raise ValueError("the plain form has no system message")
        # With a letter behind it the blank line is cut as it is inside a text.
        return _text(tokenizer, f"Question: {question.strip()}\n\na")[:-1]
    said = [{"role": "system", "content": system}] if system is not None else []
    return conversation(tokenizer, [*said, {"role": "user", "content": question}])


def result(tokenizer: Tokenizer, results: Sequence[str]) -> list[int]:
    """Tokens that follow a turn of calls: one tool message per call, then the next turn's start."""
    return conversation(tokenizer, [{"role": "tool", "content": text} for text in results])


def plain(question: str, trace: str, answer: str) -> str:
    """A question with its worked answer in the plain form."""
    worked = f"{trace.strip()}\n\n" if trace.strip() else ""
    return f"Question: {question.strip()}\n\n{worked}{_ANSWER}{answer.strip()}\n\n"


def end_tokens(tokenizer: Tokenizer, form: str) -> list[int]:
    """Tokens at which a completion ends."""
    _check(form)
    return [_control(tokenizer, END_OF_TEXT if form == "plain" else END)]


def finished(text: str, form: str) -> bool:
    """Whether a completion, decoded, has come to its end."""
    _check(form)
    if form == "plain":
        _, found, answer = text.partition(_ANSWER)
        return (bool(found) and "\n\n" in answer) or text.endswith(END_OF_TEXT)
    return text.endswith(END)


def decode(tokenizer: Tokenizer, tokens: Sequence[int]) -> str:
    """The text of tokens, control tokens as they are spelled."""
    return str(tokenizer.decode(list(tokens), skip_special_tokens=False))


def completion(tokenizer: Tokenizer, tokens: Sequence[int]) -> str:
    """The text of tokens that a model drew, in which a marker is a control token and nothing else.

    As `decode`, with ESCAPE before every marker that ordinary tokens spell, and before ESCAPE itself:
    `regrow.verifiers.response` reads such a marker as text. Texts that spell none are the same in both.
    """
    text = decode(tokenizer, tokens)
    if ESCAPE not in text:
        controls = sum(_MARKER.fullmatch(name) is not None for name in _controls(tokenizer, tokens))
        if len(_MARKER.findall(text)) == controls:
            return text
    escaped: list[str] = []
    run: list[int] = []
    for token, name in zip(tokens, _controls(tokenizer, tokens), strict=True):
        if name:
            escaped += [_escaped(decode(tokenizer, run)), name]
            run = []
        else:
            run.append(token)
    return "".join([*escaped, _escaped(decode(tokenizer, run))])


def _controls(tokenizer: Tokenizer, tokens: Sequence[int]) -> list[str]:
    """The spelling of each control token, "" for an ordinary one."""
    added = tokenizer.get_added_tokens_decoder()
    return [added[token].content if token in added else "" for token in tokens]


def _escaped(text: str) -> str:
    return _MARKER.sub(ESCAPE + r"\g<0>", text.replace(ESCAPE, ESCAPE * 2))


def _pieces(message: Message) -> Iterator[tuple[str, str, bool]]:
    """(control token, text, learned) in order; one of the first two is empty."""
    role = message.get("role")
    if role not in _ROLES:
        raise ValueError(f"role is {role!r}; it is one of {', '.join(_ROLES)}")
    yield _ROLES[role], "", False
    learned = role == "assistant"
    if learned and message.get("reasoning_content"):
        yield THINK, "", True
        yield "", " " + message["reasoning_content"].strip(), True
        yield THINK_END, "", True
    calls = message.get("tool_calls") if learned else None
    for call in calls or ():
        yield CALL, "", True
        yield "", " " + call.strip(), True
        yield CALL_END, "", True
    if not calls:
        content = (message.get("content") or "").strip()
        if not content:
            raise ValueError(f"a message of role {role} says nothing")
        yield "", " " + content, learned
    if role in ("assistant", "tool"):
        yield END, "", learned


def _text(tokenizer: Tokenizer, text: str) -> list[int]:
    """Tokens of a text; what it spells are never control tokens."""
    before, tokenizer.encode_special_tokens = tokenizer.encode_special_tokens, True
    try:
        return list(tokenizer.encode(text, add_special_tokens=False).ids)
    finally:
        tokenizer.encode_special_tokens = before


def _control(tokenizer: Tokenizer, token: str) -> int:
    number = tokenizer.token_to_id(token)
    if number is None:
        raise ValueError(
            f"the vocabulary has no {token}: add it to tokenizer.special_tokens and rebuild"
        )
    return int(number)


def _check(form: str) -> None:
    if form not in FORMS:
        raise ValueError(f"unknown form {form!r}; it is one of {', '.join(FORMS)}")
