"""What a teacher's answer must not be: repetitive, in another language, or a claim to be somebody.

After the filters of Dolci Think SFT (Olmo 3 report, appendix A.7.1): sentences and phrases that
come back, Chinese characters, names of other models and their makers, cut-off dates. The
limits are lower here, as the answers are short.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

from regrow.data.filters.language import identify
from regrow.data.filters.words import tokens

MAX_SENTENCES = 1
"""how often the same sentence may be said"""
PHRASE, MAX_PHRASES = 4, 2
"""words of a phrase, and how often one may be said"""
MAX_WORD_RUN = 3
"""how often a word may be said in a row"""
MAX_HAN = 0.05
"""share of Chinese characters"""

_SENTENCE = re.compile(r"[^.!?\n]+[.!?]?")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_IDENTITY = re.compile(
    r"""\b(?:
      (?:as|i\ am|i['’]m|being)\ (?:just\ |only\ )?(?:an?\ |your\ )?(?:\w+\ ){0,3}?
          (?:ai|artificial\ intelligence|language\ model|chat\s?bot|assistant|llm|bot|machine|program)
    | my\ (?:name\ is|creators?|developers?|training\ (?:data|cut-?off))
    | (?:i\ was|i['’]ve\ been|i\ have\ been)\ (?:created|trained|developed|made|built|designed|programmed)
    | (?:trained|developed|created|built|made)\ by\ [A-Z]
    | knowledge\ cut-?off | ai | artificial\ intelligence
    | smollm\d*|hugging\s?face|openai|chatgpt|gpt-?\d*|claude|anthropic|llama|gemini|deepmind
    | mistral|qwen|alibaba|deepseek|olmo|allenai|ai2
    )\b""",
    re.VERBOSE | re.IGNORECASE,
)


def problem(response: str) -> tuple[str, float | None, float | None, str] | None:
    """(reason, value, threshold, detail) of the first thing wrong with an answer, or None."""
    if match := _IDENTITY.search(response):
        return "identity", None, None, match[0]
    words = tokens(response.lower())
    if not words:
        return "empty", None, None, "no words"
    return _repetition(response, words) or _language(response)


def _repetition(
    response: str, words: list[str]
) -> tuple[str, float | None, float | None, str] | None:
    sentences = Counter(" ".join(tokens(part.lower())) for part in _SENTENCE.findall(response))
    phrases = Counter(" ".join(words[i : i + PHRASE]) for i in range(len(words) - PHRASE + 1))
    del sentences[""]
    for name, counted, limit in (
        ("repetition.sentence", sentences, MAX_SENTENCES),
        ("repetition.phrase", phrases, MAX_PHRASES),
    ):
        if counted:
            text, times = min(counted.items(), key=lambda item: (-item[1], item[0]))
            if times > limit:
                return name, float(times), float(limit), text
    run, longest, which = 1, 1, words[0]
    for before, word in pairwise(words):
        run = run + 1 if word == before else 1
        if run > longest:
            longest, which = run, word
    if longest > MAX_WORD_RUN:
        return "repetition.word", float(longest), float(MAX_WORD_RUN), which
    return None


def _language(response: str) -> tuple[str, float | None, float | None, str] | None:
    share = len(_HAN.findall(response)) / len(response)
    if share > MAX_HAN:
        return "language.han", share, MAX_HAN, ""
    code, score = identify(response)
    return None if code == "en" else ("language.other", score, None, code)
