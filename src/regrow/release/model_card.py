"""The model card: what it is, how it scores, where it comes from, how to regrow it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from regrow.params.evaluate import Release
from regrow.release import stages
from regrow.release.own import Own
from regrow.release.probes import FAMILIES, probes
from regrow.release.records import Artifact, Source
from regrow.release.render import card, number

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
_PARENTS = ("base", "previous", "a", "b")
"""inputs of a training step that are checkpoints"""


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
    release: Release, stage: stages.Stage, results: Mapping[str, Any], languages: Sequence[str]
) -> dict[str, Any]:
    """The head of the card, as model hubs read it."""
    kind = "conversational" if stage.chats else "base-model"
    value: dict[str, Any] = {
        "license": release.licence.lower(),
        "language": list(languages) or ["en"],
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["regrow", "olmo3", "reproducible", kind, stage.name],
    }
    overall = results.get("overall")
    score = overall.get("bits_per_byte") if isinstance(overall, Mapping) else None
    found = []
    if _number(score):
        metric = {"type": "bits_per_byte", "name": "Bits per byte", "value": score}
        found.append(_result("heldout", "Held-out documents of the training domains", [metric]))
    metrics = [
        {"type": probe.name, "name": probe.name, "value": probe.value}
        for probe in probes(results)
        if FAMILIES not in probe.name
    ]
    if metrics:
        found.append(_result("probes", "Held-out items of the flow's probes", metrics))
    if found:
        value["model-index"] = [{"name": release.name, "results": found}]
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
    found = {s.name: s for s in (record.inputs if record else ()) if s.name in _PARENTS}
    if "previous" in found:
        return [found["previous"]]
    return list(found.values())


def data(record: Artifact | None) -> list[Source]:
    """What the record names as inputs beside checkpoints."""
    return [s for s in (record.inputs if record else ()) if s.name not in _PARENTS]


def soup(decision: Mapping[str, Any]) -> str:
    """What a soup kept and why, "" for what is none."""
    losses = decision.get("losses")
    found = {
        name: losses[name]["mean"]
        for name in ("a", "b", "mean")
        if isinstance(losses, Mapping) and _number((losses.get(name) or {}).get("mean"))
    }
    names = {"a": "the first run", "b": "the second run", "mean": "the mean of their weights"}
    kept = names.get(str(decision.get("kept")))
    if kept is None or len(found) < len(names):
        return ""
    shown = ", ".join(f"{names[name]} {number(value, 3)}" for name, value in found.items())
    return f"Held-out loss (nats per token): {shown}. Kept: {kept}."


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
    languages: Sequence[str],
    own: Sequence[Own] = (),
) -> str:
    """The text of `README.md` of the checkpoint `instance` (`rlvr-000080`)."""
    name, step = stages.split(instance)
    stage = stages.stage(name)
    record = records.get("checkpoint")
    shown = samples.get("samples")
    architectures = config.get("architectures") or ["unknown"]
    lineage = list(records.values())
    if record is None:
        lineage.append(Artifact(step=f"{name}.{step:06d}", output=checkpoint, numerics="fma32"))
    return card(
        "README.md.jinja",
        {
            "front": front_matter(release, stage, results, languages),
            "name": release.name,
            "description": release.description,
            "licence": release.licence,
            "stage": stage,
            "chain": stages.chain(name),
            "step": step,
            "revision": stages.revision(instance),
            "parents": parents(record),
            "data": data(record),
            "optimizer": optimizer(record),
            "soup": soup(decision),
            "tokens": state.get("tokens"),
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
        },
    )
