"""A params file written again with a changed section, its comments kept where YAML allows that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from regrow import yaml12


def behind(text: str, section: Mapping[str, Any]) -> str:
    """The text with a section (its name and content) behind it."""
    return f"{text.rstrip()}\n{yaml12.dump(dict(section))}"


def first_that_says(values: Mapping[str, Any], *texts: str) -> str:
    """The first of the texts that YAML reads as the values; where none is, the values without any comments."""
    for text in texts:
        try:
            if yaml12.load(text) == values:
                return text
        except (yaml.YAMLError, ValueError):
            continue
    return yaml12.dump(dict(values))
