"""Cards from templates. A card shows what is known; it never fails on what is not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import jinja2
import yaml

TEMPLATES = Path(__file__).parent / "templates"


_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
"""controls, separators of lines, marks of direction: what has no shape, or changes that of others"""


def visible(value: object) -> str:
    """Text in which characters without a shape are spelled: `\\x1b`, `\\u202e`. Newlines and tabs stay."""

    def spelled(found: re.Match[str]) -> str:
        code = ord(found[0])
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"

    return _HIDDEN.sub(spelled, str(value))


def cell(value: object) -> str:
    """Text safe in a table cell of Markdown: one line, no bars, no HTML, no hidden characters."""
    text = "" if value is None or isinstance(value, jinja2.Undefined) else visible(value)
    for old, new in (("\\", "\\\\"), ("|", "\\|"), ("<", "&lt;"), (">", "&gt;"), ("`", "'")):
        text = text.replace(old, new)
    return " ".join(text.split()) or "–"


def prose(value: object) -> str:
    """A sentence whose own marks (`code`, **bold**) count; nothing in it opens HTML or a cell."""
    text = visible(value).replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")
    return " ".join(text.split())


def number(value: object, digits: int = 0) -> str:
    """A number with thousands separated by commas; what is no finite number becomes a dash."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "–"
    exact = Decimal(value)
    if not exact.is_finite():
        return "–"
    # Decimal rounds the exact binary value: the same digits everywhere.
    return f"{exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN):,}"


def megabytes(value: object) -> str:
    """Bytes as megabytes with two decimals."""
    return number(value / 1_000_000, 2) if isinstance(value, int | float) else "–"


def short(value: object, length: int = 16) -> str:
    """The first digits of a hash, as code."""
    return f"`{value[:length]}`" if isinstance(value, str) and value else "–"


def _shown(value: Any) -> Any:
    """The value with hidden characters spelled in its texts."""
    if isinstance(value, Mapping):
        return {name: _shown(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(inner) for inner in value]
    return visible(value) if isinstance(value, str) else value


def front_matter(value: Mapping[str, Any]) -> str:
    """The YAML block at the head of a card, without the fences."""
    return yaml.safe_dump(_shown(value), sort_keys=False, allow_unicode=True, width=100).rstrip()


def quoted(value: object) -> str:
    """Free text as a Markdown block quote, which it cannot leave; hidden characters are spelled."""
    text = "" if value is None else visible(value)
    lines = text.replace("<", "&lt;").split("\n")
    return "\n".join(f"> {line}".rstrip() for line in lines)


def environment() -> jinja2.Environment:
    """The environment of the cards' templates: missing values render as nothing."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=False,
        undefined=jinja2.ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters |= {
        "cell": cell,
        "number": number,
        "mb": megabytes,
        "short": short,
        "quoted": quoted,
        "visible": visible,
        "prose": prose,
        "front_matter": front_matter,
    }
    return found


def card(template: str, values: Mapping[str, Any]) -> str:
    """Render a template of the package with `values`; ends with one newline."""
    return environment().get_template(template).render(**values).rstrip() + "\n"
