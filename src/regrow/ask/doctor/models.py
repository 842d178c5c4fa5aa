"""The classifiers that a recipe takes from outside: whether classify will read them, and what can measure them."""

from __future__ import annotations

from pathlib import Path

from regrow.ask.guards.finding import Finding
from regrow.data.mix import model_file
from regrow.engine.visible import visible
from regrow.params.schema import Params


def models(root: Path, params: Params) -> list[Finding]:
    """A finding for each model file that `classify` names; the same checks stop the step."""
    p = params.classify
    found = []
    for name, file in (("topic", p.topic_model), ("quality", p.quality_model)):
        if not file:
            continue
        field = f"classify.{name}_model"
        try:
            said = model_file.describe(root / file, file, field, p.max_model_bytes)
            if name == "topic":
                model_file.check_topics(list(p.topics), said.names, file)
            else:
                model_file.good(said.labels, p.quality_label, file)
        except model_file.ModelError as error:
            found.append(Finding("classifier", "fail", visible(str(error)), file, step="classify"))
            continue
        labelled = p.topics if name == "topic" else p.quality_positive and p.quality_negative
        says = (
            f"{field}: {visible(file)} is a {said.format} model; "
            f"{'labels of the recipe measure it' if labelled else 'nothing measures it'}. "
            f"Its {len(said.labels):,} labels: {visible(model_file.listed(said.labels))}."
        )
        found.append(
            Finding(
                "classifier", "ok" if labelled else "note",
                says, len(said.labels), step="classify",
            )
        )  # fmt: skip
    return found
