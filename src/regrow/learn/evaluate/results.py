"""`results.json`: what a checkpoint scored, with intervals, and what each document cost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from regrow.learn.evaluate.bootstrap import MICRO, Estimate, Score, by_domain
from regrow.learn.evaluate.documents import Document
from regrow.params.evaluate import Evaluate

DIGITS = 6
"""decimals of every figure in the file"""


def _shown(estimate: Estimate, scores: Sequence[Score]) -> dict[str, Any]:
    return {
        "bits_per_byte": round(estimate.value, DIGITS),
        "low": round(estimate.low, DIGITS),
        "high": round(estimate.high, DIGITS),
        "documents": len(scores),
        "bytes": sum(score.size for score in scores),
    }


def assemble(
    documents: Sequence[Document], bits: Mapping[str, float], params: Evaluate
) -> dict[str, Any]:
    """Results by domain (`domains`), over all documents (`overall`), and the domains' mean (`mean`).

    Figures follow from the rounded bits per document in `documents`, so that anyone can
    compute them again from the file.
    """
    scores: dict[str, list[Score]] = {}
    rows = []
    for document in documents:
        score = Score(round(bits[document.id] * MICRO), document.size)
        scores.setdefault(document.domain, []).append(score)
        rows.append(
            {
                "id": document.id,
                "domain": document.domain,
                "url": document.url,
                "bits": score.microbits / MICRO,
                "bytes": score.size,
            }
        )
    each, overall, mean = by_domain(scores, params.bootstrap, params.seed)
    everything = [score for name in sorted(scores) for score in scores[name]]
    return {
        "metric": "bits_per_byte",
        "interval": f"95 % percentile bootstrap over documents, {params.bootstrap} resamples",
        "overall": _shown(overall, everything),
        "mean": _shown(mean, everything),
        "domains": {name: _shown(each[name], scores[name]) for name in sorted(scores)},
        "documents": rows,
    }


def write(value: Any, path: Path) -> None:
    """JSON with sorted keys, two spaces, a final newline."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
