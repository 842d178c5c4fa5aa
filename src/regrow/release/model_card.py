"""The model card: what it is, how it scores, where it comes from, how to regrow it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from regrow.params.evaluate import Release
from regrow.release.records import Artifact
from regrow.release.render import card

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
    release: Release, results: Mapping[str, Any], languages: Sequence[str]
) -> dict[str, Any]:
    """The head of the card, as model hubs read it."""
    value: dict[str, Any] = {
        "license": release.licence.lower(),
        "language": list(languages) or ["en"],
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["regrow", "olmo3", "reproducible", "base-model"],
    }
    overall = results.get("overall")
    score = overall.get("bits_per_byte") if isinstance(overall, Mapping) else None
    if isinstance(score, int | float):
        metric = {"type": "bits_per_byte", "name": "Bits per byte", "value": score}
        dataset = {"type": "heldout", "name": "Held-out documents of the training domains"}
        value["model-index"] = [
            {
                "name": release.name,
                "results": [
                    {"task": {"type": "text-generation"}, "dataset": dataset, "metrics": [metric]}
                ],
            }
        ]
    return value


def recipe(record: Artifact | None) -> list[tuple[str, Any]]:
    """Parameter and value of the step that trained the checkpoint, flattened."""
    section = record.params.get("pretrain") if record else None
    return flat(section) if isinstance(section, Mapping) else []


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


def model_card(
    *,
    release: Release,
    instance: str,
    config: Mapping[str, Any],
    parameters: int,
    weights: str,
    checkpoint: str,
    eos: str,
    results: Mapping[str, Any],
    samples: Mapping[str, Any],
    records: Mapping[str, Artifact],
    languages: Sequence[str],
) -> str:
    """The text of `README.md`."""
    trained = results.get("trained")
    tokens = trained.get("tokens") if isinstance(trained, Mapping) else None
    shown = samples.get("samples")
    architectures = config.get("architectures") or ["unknown"]
    lineage = list(records.values())
    if "pretrain" not in records:
        lineage.append(Artifact(step=f"pretrain.{instance}", output=checkpoint, numerics="fma32"))
    return card(
        "README.md.jinja",
        {
            "front": front_matter(release, results, languages),
            "name": release.name,
            "description": release.description,
            "licence": release.licence,
            "step": int(instance) if instance.isdigit() else None,
            "tokens": tokens,
            "parameters": parameters,
            "weights": weights,
            "checkpoint": checkpoint,
            "checkpoint_name": f"pretrain.{instance}",
            "prompt": "The",
            "eos": eos,
            "results": results,
            "evaluation": rows(results),
            "samples": shown if isinstance(shown, list) else [],
            "temperature": samples.get("temperature"),
            "architecture": architectures[0],
            "shape": [(label, config[key]) for label, key in _SHAPE if key in config],
            "recipe": recipe(records.get("pretrain")),
            "lineage": lineage,
        },
    )
