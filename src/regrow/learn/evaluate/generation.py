"""What a task of lm-eval may ask of a generation, and what of it is offered here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lm_eval.models.utils import normalize_gen_kwargs

DEFAULT_NEW_TOKENS = 64

NEUTRAL: dict[str, tuple[Any, ...]] = {
    "num_beams": (1,),
    "num_return_sequences": (1,),
    "repetition_penalty": (1,),
    "length_penalty": (1,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "no_repeat_ngram_size": (0,),
    "use_cache": (True, False),
}
"""options that are not offered, and the values at which they change nothing"""
OF_DRAWS: dict[str, tuple[Any, ...]] = {
    "top_p": (1,),
    "top_k": (0, -1),
    "min_p": (0,),
    "typical_p": (1,),
}
"""the same of options that change nothing in a greedy generation either"""


@dataclass(frozen=True)
class Wanted:
    """How to continue a text."""

    max_new_tokens: int
    temperature: float
    """0: greedy"""
    until: tuple[str, ...]
    """the text is cut before the first of these"""


def wanted(options: Mapping[str, Any]) -> Wanted:
    """The `generation_kwargs` of a task, read as lm-eval's `normalize_gen_kwargs` reads them.

    `max_gen_toks` (default 64) has the aliases max_new_tokens, max_tokens and max_completion_tokens; a
    temperature above 0 draws unless `do_sample` is false. `do_sample` without a temperature draws at 1.

    Raises:
        ValueError: an option that is not offered, at a value that would change the text.
    """
    given = {name: value for name, value in options.items() if value is not None}
    found: dict[str, Any] = dict(normalize_gen_kwargs(given, DEFAULT_NEW_TOKENS))
    most, until = int(found.pop("max_gen_toks")), found.pop("until")
    drawn = bool(found.pop("do_sample", False))
    temperature = float(found.pop("temperature", 1.0)) if drawn else 0.0
    found.pop("temperature", None)
    if most < 0:
        raise ValueError(f"generation_kwargs: max_gen_toks is {most}; it must be 0 or more")
    for name, value in found.items():
        harmless = any(value == same for same in (NEUTRAL | OF_DRAWS).get(name, ()))
        if not harmless and not (name in OF_DRAWS and not temperature):
            raise ValueError(
                f"generation_kwargs: {name}: {value!r} is not offered. Offered are max_gen_toks, until, "
                "do_sample and temperature"
            )
    return Wanted(most, temperature, tuple(stop for stop in until if stop))
