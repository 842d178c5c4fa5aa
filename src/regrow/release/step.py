"""The step: a checkpoint ready to be published, with its cards."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from regrow.params.evaluate import Release
from regrow.release import composition, history, own, records, stages
from regrow.release import sentence as stated
from regrow.release.data_card import data_card
from regrow.release.export import export, licence, parameters
from regrow.release.methods import Methods
from regrow.release.model_card import model_card


def run(
    inputs: dict[str, Path], params: Any, output: Path, *, instance: str, methods: Methods
) -> dict[str, Any]:
    """Fill `output` with the checkpoint in Hugging Face format, `README.md`, `DATA_CARD.md`.

    `LICENSE` is written where the publisher states a licence of the weights.

    Args:
        inputs: `checkpoint`, `tokenizer`, `evaluate`, `decontaminate`, `mix`, `sources` (the
            manifest, where there was a crawl), and records: `record.checkpoint` and `record.<step>` of what it was made from; of a
            fork also `forkmix.<name>`, `forksft.<name>` and their records.
        params: carries `release`.
        output: the folder to fill.
        instance: stage and step of the checkpoint, `rlvr-000080`.
        methods: what the kinds of training on the way to it are called and do (`regrow.release.words`).

    Returns:
        Counts: parameters, files.

    Raises:
        ValueError: a file is missing or damaged; the message names it.
    """
    release: Release = params.release
    stages.split(instance)
    print(f"release {instance}: {release.name or stated.NOT_STATED}", file=sys.stderr)
    found = records.read(inputs)
    results = _json(inputs["evaluate"] / "results.json")
    config = export(
        inputs["checkpoint"], inputs["tokenizer"], output, chats=_chats(found, results, methods)
    )
    table = composition.documents(inputs["decontaminate"], inputs["mix"])
    brought = own.read(inputs, found)
    count = parameters(output / "model.safetensors")
    readme = model_card(
        release=release,
        instance=instance,
        config=config,
        parameters=count,
        weights=records.sha256(output / "model.safetensors"),
        checkpoint=records.tree(inputs["checkpoint"]),
        state=_json(inputs["checkpoint"] / "state.json"),
        decision=_json(inputs["checkpoint"] / "decision.json"),
        eos=_eos(inputs["tokenizer"]),
        results=results,
        samples=_json(inputs["evaluate"] / "samples.json"),
        records=found,
        table=table,
        methods=methods,
        own=brought,
    )
    card = data_card(
        release=release,
        instance=instance,
        sources=composition.sources(inputs["sources"]) if "sources" in inputs else [],
        table=table,
        records=found,
        methods=methods,
        own=brought,
    )
    texts = {"README.md": readme, "DATA_CARD.md": card}
    if release.licence:
        texts["LICENSE"] = licence(release.licence)
    for name, text in texts.items():
        (output / name).write_text(text, encoding="utf-8")
    return {"parameters": count, "files": sum(1 for path in output.iterdir() if path.is_file())}


def _chats(found: dict[str, records.Artifact], results: dict[str, Any], methods: Methods) -> bool:
    """Whether the checkpoint answers in the chat template, by its chain of records."""
    asked = results.get("form")
    named = asked if isinstance(asked, str) else "plain"
    last = found.get("checkpoint")
    known = history.book(found.values())
    return (history.form(known, last, named, methods) if last else named) != "plain"


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else {}


def _eos(tokenizer: Path) -> str:
    token = _json(tokenizer / "tokenizer_config.json").get("eos_token")
    return token if isinstance(token, str) else str((token or {}).get("content", ""))
