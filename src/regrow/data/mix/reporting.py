"""What a classifier is worth: precision and recall on documents that it has not learned from."""

from __future__ import annotations

import sys
from typing import Any

from regrow.data.mix import measure
from regrow.data.mix.fitting import Classifier
from regrow.data.mix.scoring import Given, best

ONLY = "all"
"""the topic of every document where params name no topics"""
GOOD, BAD = "positive", "negative"


def metrics(one: Classifier, given: Given | None) -> dict[str, Any]:
    """Measures on the documents that a classifier did not learn from.

    A model that is `given` is named; without a labelled document nothing is measured of it. A class that no document
    is labelled with is named on the terminal.
    """
    classes, name = one.labelled.classes, one.labelled.name
    if given is not None and not one.examples:
        return {"given": given.about, "test_documents": 0}
    tested = [one.examples[i] for i in one.parts.test]
    truth = [example.label for example in tested]
    guesses = [classes[best(one.said[example.place])] for example in tested]
    found = measure.report(truth, guesses, classes)
    for c in classes:
        learned = sum(one.examples[i].label == c for i in one.parts.train)
        found["classes"][c]["train_documents"] = learned
    if classes == (BAD, GOOD):
        by_label = {c: [one.said[e.place][1] for e in tested if e.label == c] for c in classes}
        found["auc"] = measure.auc(by_label[GOOD], by_label[BAD])
    if given is not None:
        return found | {"given": given.about}
    for c in classes:
        if not one.labelled.counts[c] and c != ONLY:
            print(f"  {name}: no document is labelled {c}", file=sys.stderr)
    return found
