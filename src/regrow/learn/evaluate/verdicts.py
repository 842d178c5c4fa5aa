"""Verdicts on answers, as lm-eval's tasks ask for them.

A metric's value for one document is the list of its samples' values.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from regrow.learn.verifiers.judge import judge

METRICS = ("exact_match", "format", "score")
FORMAT = "format:"
"""how the reason of a verdict begins where the answer's form is wrong"""


def process_results(doc: Mapping[str, Any], results: Sequence[Any]) -> dict[str, list[float]]:
    """Per sample: whether the verifier accepts it, whether its form is right, and its score.

    Args:
        doc: a question with `verifier`, `arguments` (JSON) and `form`.
        results: lm-eval's filtered responses: one text, or the list of the samples' texts.
    """
    (texts,) = results
    arguments = json.loads(doc["arguments"] or "{}")
    found: dict[str, list[float]] = {name: [] for name in METRICS}
    for text in [texts] if isinstance(texts, str) else texts:
        verdict = judge(doc["verifier"], arguments, text, doc["form"])
        found["exact_match"].append(float(verdict.passed))
        found["format"].append(float(verdict.passed or not verdict.reason.startswith(FORMAT)))
        found["score"].append(float(verdict.score))
    return found


def process_loglikelihood(
    doc: Mapping[str, Any], results: Sequence[tuple[float, bool]]
) -> dict[str, tuple[float, int]]:
    """Log-likelihood and bytes of a worked answer, for lm-eval's `bits_per_byte`."""
    return {"bits_per_byte": (results[0][0], len(doc["solution"].encode("utf-8")))}


def mean(values: Iterable[Sequence[float]]) -> float:
    """The mean over all samples of all documents."""
    every = [value for samples in values for value in samples]
    return sum(every) / len(every)
