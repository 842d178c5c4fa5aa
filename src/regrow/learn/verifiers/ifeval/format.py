"""detectable_format: bullets, highlights, sections, a title, JSON, one of three answers."""

from __future__ import annotations

import json
import re

from regrow.learn.verifiers.ifeval.instruction import COUNT, SECTION, Instruction

_STAR_BULLET = re.compile(r"^\s*\*[^\*].*$", re.MULTILINE)
_DASH_BULLET = re.compile(r"^\s*-.*$", re.MULTILINE)
_HIGHLIGHT = re.compile(r"\*[^\n*]*\*")
_STRONG = re.compile(r"\*\*[^\n*]*\*\*")
_OPTIONS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
_FENCES = ("```json", "```Json", "```JSON", "```")


def number_bullet_lists(text: str, num_bullets: int) -> bool:
    """Exactly so many lines that begin with `*` (not `**`) or `-`."""
    return len(_STAR_BULLET.findall(text)) + len(_DASH_BULLET.findall(text)) == num_bullets


def constrained_response(text: str) -> bool:
    """It holds one of the three answers."""
    return any(option in text for option in _OPTIONS)


def number_highlighted_sections(text: str, num_highlights: int) -> bool:
    """At least so many `*highlighted*` parts that are not empty; `**strong**` ones count too."""
    found = sum(bool(part.strip("*").strip()) for part in _HIGHLIGHT.findall(text))
    found += sum(bool(part[2:-2].strip()) for part in _STRONG.findall(text))
    return found >= num_highlights


def multiple_sections(text: str, section_spliter: str, num_sections: int) -> bool:
    """At least so many of the given word with a number after it."""
    pattern = rf"\s?{section_spliter.strip()}\s?\d+\s?"
    return len(re.split(pattern, text)) - 1 >= num_sections


def json_format(text: str) -> bool:
    """The whole, out of a Markdown fence if it is in one, is JSON."""
    text = text.strip()
    for fence in _FENCES:
        text = text.removeprefix(fence)
    try:
        json.loads(text.removesuffix("```").strip())
    except (ValueError, RecursionError):
        return False
    return True


def title(text: str) -> bool:
    """A line holds a `<<title>>` that is not empty."""
    return any(_title(line) for line in text.split("\n"))


def _title(line: str) -> bool:
    """From the first `<<` to the last `>>`, brackets and spaces aside."""
    start, end = line.find("<<"), line.rfind(">>")
    if start < 0 or end < start + 3:
        return False
    return bool(line[start : end + 2].lstrip("<").rstrip(">").strip())


INSTRUCTIONS = {
    "detectable_format:number_bullet_lists": Instruction(
        number_bullet_lists, {"num_bullets": COUNT}
    ),
    "detectable_format:constrained_response": Instruction(constrained_response),
    "detectable_format:number_highlighted_sections": Instruction(
        number_highlighted_sections, {"num_highlights": COUNT}
    ),
    "detectable_format:multiple_sections": Instruction(
        multiple_sections, {"section_spliter": SECTION, "num_sections": COUNT}
    ),
    "detectable_format:json_format": Instruction(json_format),
    "detectable_format:title": Instruction(title),
}
