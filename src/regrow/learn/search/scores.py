"""The step `proxy_scores`: bits per byte of a proxy on held-out documents, for each hold-out domain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from regrow.learn.evaluate import documents
from regrow.learn.evaluate.vocabulary import Vocabulary, end_token
from regrow.learn.evaluate.windows import Window, token_logprobs, total
from regrow.learn.model.files import load
from regrow.learn.search.names import MIXTURE, SCORES
from regrow.learn.train import runtime
from regrow.numerics import exact
from regrow.numerics.torch.install import install
from regrow.params.evaluate import Evaluate
from regrow.params.proxy import Scored

_LN2 = 0.6931471805599453


def run(
    inputs: dict[str, Path], params: Any, output: Path, *, instance: str, scored: dict[str, Any]
) -> dict[str, Any]:
    """Write scores.json: the shares of the proxy's mixture, and per hold-out domain its bits per byte.

    Args:
        inputs: `proxy`, `tokenizer`, `decontaminate`.
        params: none are read.
        output: the folder to fill.
        instance: of the proxy.
        scored: the fields of `regrow.params.proxy.Scored`.

    Raises:
        ValueError: no held-out document with text.
    """
    found = score(inputs["proxy"], inputs["tokenizer"], inputs["decontaminate"], scored)
    output.mkdir(parents=True, exist_ok=True)
    mixture = json.loads((inputs["proxy"] / MIXTURE).read_text(encoding="utf-8"))
    told = {"shares": mixture["shares"], "targets": found}
    text = json.dumps(told, indent=2, sort_keys=True) + "\n"
    (output / SCORES).write_text(text, encoding="utf-8")
    return {"bits_per_byte": {name: one["bits_per_byte"] for name, one in found.items()}}


def score(
    model: Path, tokenizer: Path, decontaminate: Path, scored: dict[str, Any]
) -> dict[str, Any]:
    """Per hold-out domain: bits per byte, documents and bytes. Each token is predicted once.

    Windows are as long as the model's positions and begin where the one before ended, with its last token; the
    end-of-document token stands before the first.
    """
    block = Scored.model_validate(scored)
    asked = Evaluate(**block.model_dump())
    chosen = documents.choose(decontaminate / "heldout.parquet", asked)
    runtime.prepare()
    loaded = install(load(model))
    vocabulary = Vocabulary(tokenizer)
    length = int(loaded.config.max_position_embeddings)
    windows: list[Window] = []
    owners: list[int] = []
    for place, document in enumerate(chosen):
        tokens = [end_token(loaded), *vocabulary.encode(document.text)]
        for begin in range(0, len(tokens) - 1, length):
            windows.append((tokens[begin : begin + 1], tokens[begin + 1 : begin + 1 + length]))
            owners.append(place)
    values = token_logprobs(loaded, windows, pad=int(loaded.config.pad_token_id or 0))
    bits: dict[int, list[float]] = {}
    for owner, (logprobs, _) in zip(owners, values, strict=True):
        bits.setdefault(owner, []).append(-total(logprobs) / _LN2)
    found: dict[str, Any] = {}
    for name in sorted({document.domain for document in chosen}):
        members = [place for place, document in enumerate(chosen) if document.domain == name]
        size = sum(chosen[place].size for place in members)
        whole = exact.total(bit for place in members for bit in bits[place])
        found[name] = {"bits_per_byte": whole / size, "documents": len(members), "bytes": size}
    return found
