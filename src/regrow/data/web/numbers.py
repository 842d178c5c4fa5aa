"""Numbers from the wire: what another program wrote is not a number until it is shown to be one."""

from __future__ import annotations


def decimal(text: str, ceiling: int) -> int | None:
    """A number written in ASCII digits alone; None for anything else.

    `str.isdigit` accepts superscripts and other scripts that `int` refuses or reads, and `int`
    refuses more than 4,300 digits; neither may end a step. A number above `ceiling` counts as
    `ceiling`.
    """
    text = text.strip(" \t")
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0")
    if len(digits) > len(str(ceiling)):
        return ceiling
    return min(int(digits or "0"), ceiling)
