"""language: the whole response is in one language.

By langdetect, as IFEval's own code, but with its sampling seeded: unseeded, it gives one text now this
verdict and now that.
"""

from __future__ import annotations

import functools
from typing import Any

from regrow.learn.verifiers.ifeval.instruction import Instruction, Kind

LANGUAGES = frozenset(
    {
        *("af", "ar", "bg", "bn", "ca", "cs", "cy", "da", "de", "el", "en", "es", "et", "fa", "fi"),
        *("fr", "gu", "he", "hi", "hr", "hu", "id", "it", "ja", "kn", "ko", "lt", "lv", "mk", "ml"),
        *("mr", "ne", "nl", "no", "pa", "pl", "pt", "ro", "ru", "sk", "sl", "so", "sq", "sv", "sw"),
        *("ta", "te", "th", "tl", "tr", "uk", "ur", "vi", "zh-cn", "zh-tw"),
    }
)
"""what langdetect can answer; no text is ever in another"""
LANGUAGE: Kind = (
    f"one of {', '.join(sorted(LANGUAGES))}",
    lambda v: isinstance(v, str) and v in LANGUAGES,
)


@functools.lru_cache(maxsize=1)
def _factory() -> Any:
    from langdetect import PROFILES_DIRECTORY, DetectorFactory

    class Seeded(DetectorFactory):
        seed = 0

    factory = Seeded()
    factory.load_profile(PROFILES_DIRECTORY)
    return factory


def identify(text: str) -> str:
    """The likeliest language (ISO 639-1, and zh-cn, zh-tw); "" where nothing tells it."""
    from langdetect import LangDetectException

    detector = _factory().create()
    detector.append(text)
    try:
        return str(detector.detect())
    except LangDetectException:
        return ""


def response_language(text: str, language: str) -> bool:
    """In that language, or in none that can be told."""
    return identify(text) in (language, "")


INSTRUCTIONS = {
    "language:response_language": Instruction(
        response_language, {"language": LANGUAGE}, language=True
    ),
}
