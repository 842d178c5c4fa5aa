"""The shares that a mix search found, written into a params file as a decision that names its record."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from regrow import yaml12
from regrow.change import params_text
from regrow.evidence.errors import Unanswerable
from regrow.params.schema import check

_SECTION = "mix"


def adopt(found: Mapping[str, Any], path: Path, name: str) -> dict[str, Any]:
    """Rewrite the section `mix` of a params file; returns the section as it is now.

    Shares, what a domain is, the measured bytes per token of each domain, and the search's record and key are written
    in place of `topic_weights`; the other fields and, where YAML allows that, all comments outside the section stay.

    Args:
        found: the answer of `regrow.ask.mixture.answer`.
        path: of the params file, which exists.
        name: of it, for messages.

    Raises:
        Unanswerable: there is no such file.
        regrow.params.schema.ParamsError: the file would not be one of params with these shares.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unanswerable(f"{name}: cannot be read: {error}") from None
    try:
        raw = yaml12.load(text) or {}
    except (yaml.YAMLError, ValueError) as error:
        raise Unanswerable(f"{name}: not YAML: {error}") from None
    domains = found["domains"]
    before = {k: v for k, v in (raw.get(_SECTION) or {}).items() if k != "topic_weights"}
    section = before | {
        "shares": {domain: one["share"] for domain, one in domains.items()},
        "shares_by": found["by"],
        "domain_bytes_per_token": {
            domain: _down(one["bytes_per_token"]) for domain, one in domains.items()
        },
        "adopted": f"mixture {found['key']}",
    }
    changed = {**raw, _SECTION: section}
    check(changed, name)
    path.write_text(_written(text, changed, section), encoding="utf-8")
    return section


def _down(value: float) -> float:
    """Four decimals, none above the value: a domain at its limit must not look too small by rounding."""
    return math.floor(value * 10_000) / 10_000


def _written(text: str, raw: dict[str, Any], section: dict[str, Any]) -> str:
    """The file with the section in its old place, else behind the rest, else written whole."""
    replaced = _replaced(text, yaml12.dump({_SECTION: section}))
    return params_text.first_that_says(raw, replaced, params_text.behind(text, {_SECTION: section}))


def _replaced(text: str, block: str) -> str:
    """The text with a block in place of the lines of the section, "" where it has none."""
    lines = text.splitlines(keepends=True)
    begin = next((i for i, line in enumerate(lines) if line.startswith(f"{_SECTION}:")), None)
    if begin is None:
        return ""
    end = begin + 1
    while end < len(lines) and (lines[end][:1] in " \t\n" or lines[end].startswith("- ")):
        end += 1
    while not lines[end - 1].strip():
        end -= 1
    # A comment on the section's line is about the section: it stays.
    _, mark, comment = lines[begin].partition("  #")
    first, rest = block.split("\n", 1)
    head = f"{first}{mark}{comment}" if mark else f"{first}\n"
    return "".join([*lines[:begin], head, rest, *lines[end:]])
