"""startend: how the response ends; that it stands in quotation marks."""

from __future__ import annotations

from regrow.learn.verifiers.ifeval.instruction import TEXT, Instruction, Kind

PHRASE: Kind = (
    TEXT[0]
    + " that does not end with a quotation mark, since those at an answer's end do not count",
    lambda v: TEXT[1](v) and not v.strip().endswith('"'),
)


def end_checker(text: str, end_phrase: str) -> bool:
    """It ends with the phrase, in any case; closing quotation marks aside."""
    return text.strip().strip('"').lower().endswith(end_phrase.strip().lower())


def quotation(text: str) -> bool:
    """The whole stands in double quotation marks."""
    text = text.strip()
    return len(text) > 1 and text[0] == text[-1] == '"'


INSTRUCTIONS = {
    "startend:end_checker": Instruction(end_checker, {"end_phrase": PHRASE}),
    "startend:quotation": Instruction(quotation),
}
