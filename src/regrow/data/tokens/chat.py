"""The chat template: a conversation as tokens, and the plain form that base models know.

    <|system|> S<|user|> Q<|assistant|><think> TRACE</think> ANSWER<|end|>
    <|system|> S<|user|> Q<|assistant|><tool_call> name(a=1)</tool_call><|end|>
        <|tool|> RESULT<|end|><|assistant|> ANSWER<|end|>
    Question: Q\\n\\nTRACE\\n\\nAnswer: ANSWER\\n\\n                          (plain)

Control tokens are placed by id; what is said between them is encoded as text, so that a message
that spells `<|end|>` ends nothing. Every text begins with a space: ` 12` is then the token that it
is in the middle of a sentence. A message is a mapping with `role` (`system`, `user`, `assistant`,
`tool`) and `content`; an assistant's may have `reasoning_content` (the think part), and
`tool_calls` (a list of calls) in the place of its content: see `regrow.data.tokens.messages`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tokenizers import Tokenizer

from regrow.data.tokens import messages as reading
from regrow.data.tokens.messages import Message

FORMS = ("plain", "think", "instruct")
SYSTEM, USER, ASSISTANT, TOOL = "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>"
END, END_OF_TEXT = "<|end|>", "<|endoftext|>"
THINK, THINK_END = "<think>", "</think>"
CALL, CALL_END = "<tool_call>", "</tool_call>"
_ROLES = {"system": SYSTEM, "user": USER, "assistant": ASSISTANT, "tool": TOOL}
SPOKEN = (THINK, THINK_END, CALL, CALL_END)
"""control tokens that a reader of an answer needs to see: the released tokenizer calls them not special"""
_ANSWER = "Answer: "
ESCAPE = "\u241b"
"""before what looks like a control token in the text of a completion, and is none"""
_MARKER = re.compile(r"<\|[a-z_]+\|>|</?think>|</?tool_call>")


def example(
    tokenizer: Tokenizer, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = ()
) -> tuple[list[int], list[bool]]:
    """Tokens of a conversation, and which of them are learned. `tools` are described in its system message.

    Learned is what an assistant writes: everything after `<|assistant|>` up to its `<|end|>`,
    think tags, calls and the end included.

    Raises:
        ValueError: a message with an unknown role, without anything to say, or with something that the
            template has no place for; a control token that the vocabulary lacks.
    """
    tokens: list[int] = []
    mask: list[bool] = []
    for message in reading.with_tools(messages, tools):
        for control, text, learned in _pieces(message):
            ids = [_control(tokenizer, control)] if control else _text(tokenizer, text)
            tokens += ids
            mask += [learned] * len(ids)
    return tokens, mask


def conversation(
    tokenizer: Tokenizer, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = ()
) -> list[int]:
    """Tokens of a conversation and the `<|assistant|>` that asks for the next turn."""
    return [*example(tokenizer, messages, tools)[0], _control(tokenizer, ASSISTANT)]


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
    `regrow.learn.verifiers.response` reads such a marker as text. Texts that spell none are the same in both.
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
    role = reading.role(message)
    calls, think, content = (
        reading.calls(message),
        reading.thinking(message),
        reading.content(message),
    )
    if not calls and not content:
        raise ValueError(f"a message of role {role} says nothing")
    yield _ROLES[role], "", False
    learned = role == "assistant"
    if think is not None:
        yield THINK, "", True
        yield "", f" {think}", True
        yield THINK_END, "", True
    for call in calls:
        yield CALL, "", True
        yield "", f" {call}", True
        yield CALL_END, "", True
    if not calls:
        yield "", f" {content}", learned
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
