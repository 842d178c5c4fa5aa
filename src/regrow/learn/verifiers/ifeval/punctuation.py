"""punctuation: no commas."""

from __future__ import annotations

from regrow.learn.verifiers.ifeval.instruction import Instruction


def no_comma(text: str) -> bool:
    """No comma anywhere."""
    return "," not in text


INSTRUCTIONS = {"punctuation:no_comma": Instruction(no_comma)}
