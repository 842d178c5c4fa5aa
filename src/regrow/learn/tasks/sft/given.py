"""Conversations that somebody brings, in the form of messages that chat templates read."""

from __future__ import annotations

import json
from typing import Any

ROLES = ("system", "user", "assistant", "tool")
_FIELDS = ("role", "content", "reasoning_content", "tool_calls")


def messages(place: str, value: Any) -> str:
    """The messages of a row as canonical JSON; fields that the template does not read are left out.

    A message has `role` and `content`; an assistant's may have `reasoning_content` (its thinking), and
    `tool_calls` (a list of calls as text, `add(a=1)`) in the place of its content.

    Raises:
        ValueError: not such messages, or the last is not the assistant's; it names place and message.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError(f"{place}: `messages` is text, but not JSON.") from None
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError(f"{place}: `messages` must be a list of objects with role and content.")
    found = [_message(f"{place}, message {n}", item) for n, item in enumerate(value, 1)]
    if not found or found[-1]["role"] != "assistant":
        raise ValueError(
            f"{place}: the last message must be the assistant's: its turns are what is learned."
        )
    return json.dumps(found, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _message(place: str, item: dict[str, Any]) -> dict[str, Any]:
    fields = _FIELDS if item.get("role") == "assistant" else _FIELDS[:2]
    found = {name: item[name] for name in fields if item.get(name) not in (None, "", [])}
    if not isinstance(found.get("role"), str) or found["role"] not in ROLES:
        raise ValueError(
            f"{place}: `role` must be one of {', '.join(ROLES)}, got {_short(item.get('role'))}."
        )
    mine = found["role"] == "assistant"
    calls = found.get("tool_calls") if mine else None
    if calls is not None and not (
        isinstance(calls, list) and all(isinstance(call, str) and call.strip() for call in calls)
    ):
        raise ValueError(
            f"{place}: `tool_calls` must be a list of calls as text, such as 'add(a=1, b=2)'."
        )
    for name in ("content", "reasoning_content"):
        if name in found and not isinstance(found[name], str):
            raise ValueError(f"{place}: `{name}` must be a string.")
    found = {name: _plain(value) for name, value in found.items()}
    if not calls and not str(found.get("content", "")).strip():
        raise ValueError(f"{place}: a message of role {found['role']} says nothing.")
    return found


def _plain(value: Any) -> Any:
    return [plain(part) for part in value] if isinstance(value, list) else plain(value)


def _short(value: Any) -> str:
    return repr(value)[:60] if isinstance(value, str) else type(value).__name__


def plain(text: str) -> str:
    """A text that can be stored: lone surrogates replaced, one kind of line end, no NUL, no byte order mark."""
    text = text.encode("utf-8", "replace").decode().removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
