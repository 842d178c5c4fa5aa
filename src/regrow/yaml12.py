"""Reads and writes YAML 1.2 (the core schema) as editors and DVC do: `no` is a language, `1e-5` a number.

PyYAML follows YAML 1.1, where `no` is false and `1e-5` a string.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

_BOOL = re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$")
_INT = re.compile(r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$")
_FLOAT = re.compile(
    r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)
_NULL = re.compile(r"^(?:~|null|Null|NULL|)$")
_RESOLVERS = (
    ("bool", _BOOL, "tTfF"),
    ("int", _INT, "-+0123456789"),
    ("float", _FLOAT, "-+0123456789."),
    ("null", _NULL, ["~", "n", "N", ""]),
    ("merge", re.compile(r"^<<$"), "<"),
)


# Plain scalars that readers of YAML disagree about: dates, and numbers with underscores.
_AMBIGUOUS = re.compile(
    r"^(?:[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?|[-+]?(?:0[xob])?[0-9.]*[0-9]_[0-9_.eE+-]*)$"
)
_AMBIGUOUS_TAG = "tag:regrow,2026:ambiguous"


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads the core schema; refuses a key that is given twice."""

    yaml_implicit_resolvers: dict[str, Any] = {}

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """A mapping, without repeated keys."""
        seen = set()
        for key, _ in node.value:
            if key.value in seen and key.value != "<<":
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key `{key.value}` is given twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class Dumper(yaml.SafeDumper):
    """Writes what Loader, and any YAML 1.2 reader, reads back."""

    # A string is quoted if YAML 1.1 or 1.2 would take it for something else.
    yaml_implicit_resolvers = {
        k: list(v) for k, v in yaml.SafeDumper.yaml_implicit_resolvers.items()
    }

    def ignore_aliases(self, data: Any) -> bool:
        """Never write anchors: equal values are spelled out."""
        return True


def _integer(loader: Any, node: Any) -> int:
    text = loader.construct_scalar(node)
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text, 10)


def _ambiguous(loader: Any, node: Any) -> Any:
    raise yaml.constructor.ConstructorError(
        None, None, f"`{node.value}` is not the same to every reader of YAML: quote it, or write "
        "the number without underscores", node.start_mark,
    )  # fmt: skip


for _tag, _pattern, _first in _RESOLVERS:
    for _class in (Loader, Dumper):
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _pattern, list(_first))
for _class in (Loader, Dumper):
    _class.add_implicit_resolver(_AMBIGUOUS_TAG, _AMBIGUOUS, list("-+0123456789"))
Loader.add_constructor("tag:yaml.org,2002:int", _integer)
Loader.add_constructor(_AMBIGUOUS_TAG, _ambiguous)


def _text(dumper: Dumper, text: str) -> yaml.ScalarNode:
    # To one reader of YAML these end a line, to another they are text: spelt as escapes they are text to all.
    style = '"' if any(sign in text for sign in "\x85\u2028\u2029\ufeff") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


Dumper.add_representer(str, _text)


def load(text: str) -> Any:
    """Parse a document. Raises yaml.YAMLError."""
    return yaml.load(text, Loader)


def dump(value: Any) -> str:
    """Write a document in block style, mappings in their own order."""
    return str(yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=10**6))
