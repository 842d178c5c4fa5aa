"""Messages as a chat template takes them: what one says, its calls as text, tools as a system message.

One reading for both sides: the flow's own (`regrow.data.tokens.chat`) and the released Jinja template
(`regrow.data.tokens.template`), which renders the same or raises where this raises.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Message = Mapping[str, Any]

ROLES = ("system", "user", "assistant", "tool")
KINDS = {"integer": "int", "string": "str", "array": "list", "boolean": "bool"}
"""JSON Schema's types as a system message spells them; any other stands as it is"""
_RESERVED = ("True", "False", "None")
_NAME = 64
"""characters of a name of a tool or an argument, at most"""


def role(message: Message) -> str:
    """The role. Raises ValueError where it is none of `ROLES`."""
    found = message.get("role")
    if found not in ROLES:
        raise ValueError(f"role is {found!r}; it is one of {', '.join(ROLES)}")
    return str(found)


def content(message: Message) -> str:
    """What a message says, trimmed; parts of type `text` are joined as they are; "" for nothing.

    Raises:
        ValueError: neither text nor parts of text.
    """
    found = message.get("content")
    if found is None:
        return ""
    if isinstance(found, str):
        return found.strip()
    if not isinstance(found, list | tuple):
        raise ValueError("content must be a text, or a list of parts of type text")
    texts = []
    for part in found:
        if (
            not isinstance(part, Mapping)
            or part.get("type") != "text"
            or not isinstance(part.get("text"), str)
        ):
            raise ValueError("content must be a text, or a list of parts of type text")
        texts.append(part["text"])
    return "".join(texts).strip()


def thinking(message: Message) -> str | None:
    """The think part of an assistant's message, trimmed; None where it has none.

    Raises:
        ValueError: no text, or somebody else thinks.
    """
    found = message.get("reasoning_content")
    if not found:
        return None
    if message.get("role") != "assistant" or not isinstance(found, str):
        raise ValueError("reasoning_content must be a text of the assistant's")
    return found.strip()


def calls(message: Message) -> list[str]:
    """The calls of an assistant's message as text, trimmed.

    A call is text, `add(a=2, b=3)`, or a mapping with `name` and `arguments` (a mapping), alone or
    under `function`, as OpenAI's interface has it.

    Raises:
        ValueError: something else, a value that a call cannot spell, calls of another role, or text
            beside them: the template has no place for it.
    """
    found = message.get("tool_calls")
    if not found:
        return []
    if message.get("role") != "assistant" or not isinstance(found, list | tuple):
        raise ValueError("tool_calls must be a list of the assistant's calls")
    if content(message):
        raise ValueError("an assistant's message has content beside tool_calls; it is one or other")
    return [_call(call) for call in found]


def _call(call: Any) -> str:
    if isinstance(call, str):
        return call.strip()
    function = call.get("function", call) if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("arguments"), Mapping):
        raise ValueError(
            "a call is text such as 'add(a=1)', or a mapping with name and arguments (a mapping)"
        )
    given = [f"{_name(k)}={_value(v)}" for k, v in function["arguments"].items()]
    return f"{_name(function.get('name'))}({', '.join(given)})"


def _name(name: Any) -> str:
    if (
        not isinstance(name, str)
        or not name.isidentifier()
        or not name.isascii()
        or len(name) > _NAME
        or name in _RESERVED
    ):
        raise ValueError(f"a tool or an argument cannot be called {name!r}")
    return name


def _value(value: Any, inside: bool = False) -> str:
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list | tuple) and not inside:
        return "[" + ", ".join(_value(item, inside=True) for item in value) + "]"
    raise ValueError(
        "an argument is a whole number, text, True, False, None or a flat list of these"
    )


def with_tools(messages: Sequence[Message], tools: Sequence[Mapping[str, Any]]) -> list[Message]:
    """The messages with the tools described in their system message, one line per tool.

    A tool has `name`, `description` and `parameters` (JSON Schema), alone or under `function`.

    Raises:
        ValueError: a tool that has no name, or a parameter of several types.
    """
    if not tools:
        return list(messages)
    described = "\n".join(["Tools:", *map(_described, tools)])
    if messages and messages[0].get("role") == "system":
        said = content(messages[0])
        first = {"role": "system", "content": f"{said}\n\n{described}" if said else described}
        return [first, *messages[1:]]
    return [{"role": "system", "content": described}, *messages]


def _described(tool: Mapping[str, Any]) -> str:
    function = tool.get("function", tool) if isinstance(tool, Mapping) else None
    if not isinstance(function, Mapping):
        raise ValueError("a tool is a mapping with name, description and parameters")
    properties = (function.get("parameters") or {}).get("properties") or {}
    given = [f"{_name(name)}: {_kind(about)}" for name, about in properties.items()]
    line = f"{_name(function.get('name'))}({', '.join(given)})"
    description = function.get("description")
    if description is not None and not isinstance(description, str):
        raise ValueError("a tool's description must be a text")
    return f"{line}: {description.strip()}" if description and description.strip() else line


def _kind(about: Mapping[str, Any]) -> str:
    found = about.get("type")
    if not isinstance(found, str):
        raise ValueError("a tool's parameter has one type, by name")
    return KINDS.get(found, found)
