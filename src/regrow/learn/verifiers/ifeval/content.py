"""detectable_content: placeholders and a postscript."""

from __future__ import annotations

import re

from regrow.learn.verifiers.ifeval.instruction import COUNT, PATTERN, Instruction

_POSTSCRIPTS = {"P.P.S": r"p\.\s?p\.\s?s", "P.S.": r"p\.\s?s\."}


def number_placeholders(text: str, num_placeholders: int) -> bool:
    """At least so many `[placeholder]`, each on one line."""
    return sum(_brackets(line) for line in text.split("\n")) >= num_placeholders


def _brackets(line: str) -> int:
    """Disjoint pairs `[…]` from the left. By hand: a pattern takes quadratic time on `[[[[[[…`."""
    count = 0
    at = line.find("[")
    while at >= 0 and (end := line.find("]", at)) >= 0:
        count += 1
        at = line.find("[", end + 1)
    return count


def postscript(text: str, postscript_marker: str) -> bool:
    """The marker occurs, in any case (and with spaces inside, if it is one of the usual two)."""
    marker = postscript_marker.strip()
    return re.search(_POSTSCRIPTS.get(marker, marker.lower()), text.lower()) is not None


INSTRUCTIONS = {
    "detectable_content:number_placeholders": Instruction(
        number_placeholders, {"num_placeholders": COUNT}
    ),
    "detectable_content:postscript": Instruction(postscript, {"postscript_marker": PATTERN}),
}
