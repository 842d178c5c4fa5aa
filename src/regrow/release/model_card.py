"""The model card: what it is, how it scores, where it comes from, how to regrow it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from regrow.params.evaluate import Release
from regrow.release import corpora, stages, statements
from regrow.release.history import WEIGHTS, Trained, book, history, unknown, upstream
from regrow.release.history import form as form_of
from regrow.release.methods import Methods, run_named
from regrow.release.own import Own
from regrow.release.probes import FAMILIES, probes
from regrow.release.records import Artifact, Source
from regrow.release.render import card, number
from regrow.release.sentence import NOT_STATED, TABLE, Sentence, plural, publisher

_SHAPE = (
    ("Layers", "num_hidden_layers"),
    ("Hidden size", "hidden_size"),
    ("Attention heads", "num_attention_heads"),
    ("Key-value heads", "num_key_value_heads"),
    ("Feed-forward size", "intermediate_size"),
    ("Vocabulary (rows)", "vocab_size"),
    ("Context (tokens)", "max_position_embeddings"),
    ("Sliding window (three of four layers)", "sliding_window"),
    ("Tied embeddings", "tie_word_embeddings"),
)
_BY_FAMILY = ("exact_match", "pass_rate", "loss_by_position", "preference", "needle", "tool_calls")
"""probes whose families are shown"""


def rows(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The evaluation table: domains by name, then their mean and all documents together."""
    domains = results.get("domains")
    found = [
        {"name": name, **scores}
        for name, scores in sorted((domains if isinstance(domains, Mapping) else {}).items())
        if isinstance(scores, Mapping)
    ]
    for key, label in (("mean", "mean of the domains"), ("overall", "all documents")):
        if isinstance(results.get(key), Mapping):
            found.append({"name": label, **results[key]})
    return found


def front_matter(
    release: Release,
    instance: str,
    form: str,
    config: Mapping[str, Any],
    results: Mapping[str, Any],
    languages: Sequence[str],
) -> dict[str, Any]:
    """The head of the card, as model hubs read it. A licence or a language that nobody named is left out."""
    kind = "base-model" if form == "plain" else "conversational"
    value: dict[str, Any] = {"license": release.licence.lower()} if release.licence else {}
    if languages:
        value["language"] = list(languages)
    value |= {
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": [
            "regrow",
            str(config.get("model_type") or "unknown"),
            "reproducible",
            kind,
            form,
            stages.split(instance)[0],
        ],
    }
    overall = results.get("overall")
    score = overall.get("bits_per_byte") if isinstance(overall, Mapping) else None
    found = []
    if _number(score):
        metric = {"type": "bits_per_byte", "name": "Bits per byte", "value": score}
        found.append(_result("heldout", "Held-out documents of the run", [metric]))
    metrics = [
        {"type": probe.name, "name": probe.name, "value": probe.value}
        for probe in probes(results)
        if FAMILIES not in probe.name
    ]
    if metrics:
        found.append(_result("probes", "Held-out items of the flow's probes", metrics))
    if found:
        value["model-index"] = [{"name": release.name or instance, "results": found}]
    return value


def _result(kind: str, name: str, metrics: list[dict[str, Any]]) -> dict[str, Any]:
    dataset = {"type": kind, "name": name}
    return {"task": {"type": "text-generation"}, "dataset": dataset, "metrics": metrics}


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def recipe(record: Artifact | None) -> list[tuple[str, Any]]:
    """Parameter and value of the step that trained the checkpoint, flattened; not of the model."""
    found: list[tuple[str, Any]] = []
    for name, section in (record.params if record else {}).items():
        if isinstance(section, Mapping) and name != "model":
            found += flat(section)
    return found


def optimizer(record: Artifact | None) -> str:
    """`muon, peak learning rate 0.01, linear`; "" where nothing was optimised."""
    for section in (record.params if record else {}).values():
        found = section.get("optimizer") if isinstance(section, Mapping) else None
        if isinstance(found, Mapping):
            parts = [str(found.get("name", ""))]
            if _number(found.get("learning_rate")):
                parts.append(f"peak learning rate {found['learning_rate']:g}")
            if isinstance(section.get("schedule"), str):
                parts.append(section["schedule"])
            return ", ".join(part for part in parts if part)
    return ""


def flat(section: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """("optimizer.eps", 1e-8) and so on, in the order of the mapping's keys."""
    found: list[tuple[str, Any]] = []
    for key in sorted(section):
        value, name = section[key], f"{prefix}{key}"
        if isinstance(value, Mapping):
            found += flat(value, f"{name}.")
        elif isinstance(value, list | tuple):
            found.append((name, ", ".join(map(str, value))))
        else:
            found.append((name, value))
    return found


def positions(config: Mapping[str, Any]) -> str:
    """How positions beyond the pretraining length are reached, "" where they are not."""
    rope = config.get("rope_parameters")
    full = rope.get("full_attention") if isinstance(rope, Mapping) else None
    if not isinstance(full, Mapping) or full.get("rope_type") != "yarn":
        return ""
    return f"YaRN × {full.get('factor'):g} on the full-attention layers"


def parents(record: Artifact | None) -> list[Source]:
    """The checkpoints that the record names as inputs; `previous` alone where it has one."""
    found = {s.name: s for s in (record.inputs if record else ()) if s.name in WEIGHTS}
    if "previous" in found:
        return [found["previous"]]
    return list(found.values())


def data(record: Artifact | None) -> list[Source]:
    """What the record names as inputs beside checkpoints."""
    return [s for s in (record.inputs if record else ()) if s.name not in WEIGHTS]


def soup(decision: Mapping[str, Any]) -> str:
    """What a soup kept and why, "" for what is none."""
    losses = decision.get("losses")
    losses = losses if isinstance(losses, Mapping) else {}
    found = {
        name: losses[name]["mean"]
        for name in sorted(losses)
        if run_named(name) and _number((losses.get(name) or {}).get("mean"))
    }
    kept = run_named(str(decision.get("kept")))
    if not kept or "mean" not in found or len(found) < 3:
        return ""
    shown = ", ".join(f"{run_named(name)} {number(value, 3)}" for name, value in found.items())
    return f"Held-out loss (nats per token): {shown}. Kept: {kept}."


def stated(release: Release) -> list[tuple[str, Sentence]]:
    """What the publisher says, field by field; what is not said is called so."""
    fields = {
        "name": release.name,
        "description": release.description,
        "licence": release.licence,
        "intended_use": release.intended_use,
    }
    labels = ("Name", "Description", "Licence of the weights", "Intended use")
    return [
        (label, publisher(field, value))
        for label, (field, value) in zip(labels, fields.items(), strict=True)
    ]


def opening(
    instance: str, tokens: Any, chain: Sequence[Trained], lineage: Sequence[Artifact], digest: str
) -> list[Sentence]:
    """What it is and what can be checked of it."""
    name, step = stages.split(instance)
    trained = f", {plural(tokens, 'token')} of training in that stage" if _number(tokens) else ""
    title = f"*{chain[-1].title}* (`{name}`)" if chain else f"`{name}`"
    said = [
        Sentence(
            f"This is training step {step:,} of the stage {title}{trained}.",
            ("checkpoint/function", "state/tokens"),
        )
    ]
    if chain:
        said.append(
            Sentence(
                f"{plural(len(lineage), 'record')} of what it was made from and by are listed below, with the hash of "
                "every input, parameter, piece of code and package; `regrow rebuild` runs them again and compares "
                "the bytes.",
                ("*/key",),
            )
        )
    return said


def limits(
    chain: Sequence[Trained],
    missing: Sequence[str],
    parameters: int,
    table: pl.DataFrame,
    records: Mapping[str, Artifact],
) -> list[Sentence]:
    """What a user should know before relying on it, as far as the records show."""
    said = [Sentence(f"It has {plural(parameters, 'parameter')}.", ("model.safetensors",))]
    by = tuple(f"{one.checkpoint}/step" for one in chain)
    if missing:
        text = f"Its chain of records ends at {', '.join(missing)}, of which no record is here."
        said.append(Sentence(text, tuple(f"{one.checkpoint}/inputs" for one in chain)))
    elif chain:
        said.append(
            Sentence(
                f"The stages listed above ({', '.join(one.name for one in chain)}) are all the training that is on "
                "record.",
                by,
            )
        )
        if all(one.form == "plain" and one.known for one in chain):
            text = "None of these stages used the chat template: it continues text."
            said.append(Sentence(text, tuple(f"{one.checkpoint}/function" for one in chain)))
    said += statements.licences(table, records)
    most = table.filter(~pl.col("heldout"))["repeats"].max() if len(table) else 0
    if isinstance(most, int) and most > 1:
        said.append(
            Sentence(
                f"Some documents are in the mix up to {most} times; it may repeat passages of them.",
                (f"{TABLE}/repeats",),
            )
        )
    return said


def model_card(
    *,
    release: Release,
    instance: str,
    config: Mapping[str, Any],
    parameters: int,
    weights: str,
    checkpoint: str,
    state: Mapping[str, Any],
    decision: Mapping[str, Any],
    eos: str,
    results: Mapping[str, Any],
    samples: Mapping[str, Any],
    records: Mapping[str, Artifact],
    table: pl.DataFrame,
    methods: Methods,
    own: Sequence[Own] = (),
) -> str:
    """The text of `README.md` of the checkpoint `instance` (`rlvr-000080`)."""
    return card(
        "README.md.jinja",
        facts(
            release=release, instance=instance, config=config, parameters=parameters, weights=weights,
            checkpoint=checkpoint, state=state, decision=decision, eos=eos, results=results,
            samples=samples, records=records, table=table, methods=methods, own=own,
        ),
    )  # fmt: skip


def facts(
    *,
    release: Release,
    instance: str,
    config: Mapping[str, Any],
    parameters: int,
    weights: str,
    checkpoint: str,
    state: Mapping[str, Any],
    decision: Mapping[str, Any],
    eos: str,
    results: Mapping[str, Any],
    samples: Mapping[str, Any],
    records: Mapping[str, Artifact],
    table: pl.DataFrame,
    methods: Methods,
    own: Sequence[Own] = (),
) -> dict[str, Any]:
    """What the card shows."""
    name, step = stages.split(instance)
    record = records.get("checkpoint")
    known = book(records.values())
    chain = history(known, record, methods) if record else []
    asked = results.get("form")
    named = asked if isinstance(asked, str) else "plain"
    form = form_of(known, record, named, methods) if record else named
    shown = samples.get("samples")
    architectures = config.get("architectures") or ["unknown"]
    lineage = upstream(known, record) if record else list(records.values())
    lineage = corpora.whole_steps([r for r in known.values() if r not in lineage] + lineage)
    keyed = corpora.keyed(lineage)
    lineage = [r if r.step in keyed else replace(r, key="") for r in lineage]
    if record is None:
        lineage.append(Artifact(step=f"{name}.{step:06d}", output=checkpoint))
    languages = statements.languages(table, records)
    return {
        "front": front_matter(release, instance, form, config, results, languages),
        "name": release.name or instance,
        "stated": stated(release),
        "licence": release.licence,
        "not_stated": NOT_STATED,
        "opening": opening(instance, state.get("tokens"), chain, lineage, checkpoint),
        "limits": limits(
            chain, unknown(known, [record] if record else []), parameters, table, records
        ),
        "chain": chain,
        "form": form,
        "stage": name,
        "step": step,
        "revision": stages.revision(instance),
        "parents": parents(record),
        "data": data(record),
        "optimizer": optimizer(record),
        "soup": soup(decision),
        "parameters": parameters,
        "weights": weights,
        "checkpoint": checkpoint,
        "checkpoint_name": f"{name}.{step:06d}",
        "context": config.get("max_position_embeddings"),
        "positions": positions(config),
        "prompt": "The",
        "eos": eos,
        "results": results,
        "evaluation": rows(results),
        "probes": [p for p in probes(results) if FAMILIES not in p.name],
        "families": [
            (*p.name.split(FAMILIES, 1), p)
            for p in probes(results)
            if FAMILIES in p.name and p.name.split(FAMILIES)[0] in _BY_FAMILY
        ],
        "samples": shown if isinstance(shown, list) else [],
        "temperature": samples.get("temperature"),
        "architecture": architectures[0],
        "shape": [(label, config[key]) for label, key in _SHAPE if key in config],
        "recipe": recipe(record),
        "lineage": lineage,
        "own": own,
    }
