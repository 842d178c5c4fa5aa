"""Probes of the long context: loss by position in held-out windows, and needles."""

from __future__ import annotations

from pathlib import Path

from transformers import Olmo3ForCausalLM

from regrow.data.tables import parquet
from regrow.data.tokens.reader import Packed
from regrow.learn.evaluate.items import Item
from regrow.learn.evaluate.windows import Window, token_logprobs
from regrow.numerics import exact

ROWS = 2
"""long windows side by side"""


def positions(
    model: Olmo3ForCausalLM, heldout: Path, *, most: int, width: int, short: int, end: str = ""
) -> list[Item]:
    """Loss by position: mean nats per token of each bin of `width` positions, window by window.

    Windows of one document are samples of it, so that intervals are over documents. Probe
    `loss_by_position` has the bins as families (`0-255`, ...); `loss_long` is all positions from
    `short` on, where a model of that context has never been. The model is run at the windows'
    length, whatever its own. `end`: added to the probes' names.
    """
    packed = Packed(heldout)
    length = packed.sequence_length
    names: list[tuple[str, int]] = []
    windows: list[Window] = []
    seen: dict[str, int] = {}
    for row in range(min(most, len(packed))):
        (piece,) = packed.documents_of_sequence(row)
        tokens = [int(t) for t in packed.take(row)[piece.start : piece.end]]
        number = seen.get(piece.id, 0)
        seen[piece.id] = number + 1
        names.append((piece.id, number))
        windows.append((tokens[:1], tokens[1:]))
    items = []
    scored = token_logprobs(model, windows, rows=ROWS, pad=packed.pad, context=length)
    for (identity, number), (logprobs, _) in zip(names, scored, strict=True):
        # logprobs[i] is the one of position i + 1.
        for first in range(0, length, width):
            part = logprobs[max(first - 1, 0) : first + width - 1]
            if part:
                label = f"{first}-{first + width - 1}"
                items.append(
                    Item(f"loss_by_position{end}", identity, label, number, -exact.mean(part))
                )
        if beyond := logprobs[short - 1 :]:
            items.append(Item(f"loss_long{end}", identity, "", number, -exact.mean(beyond)))
    return items


def needles(model: Olmo3ForCausalLM, path: Path, *, most: int, end: str = "") -> list[Item]:
    """Whether greedy decoding gives a needle's answer; probe `needle`, families are the kinds.

    At most `most` needles per kind, the first by id. The answer's tokens are all the likeliest
    exactly where greedy decoding would draw them, so one forward pass tells.
    """
    columns = ["id", "kind", "prompt", "answer"]
    rows = parquet.read(path, columns).sort("id").group_by("kind", maintain_order=True).head(most)
    windows = [
        (list(prompt), list(answer)) for prompt, answer in rows.select(columns[2:]).iter_rows()
    ]
    longest = max((len(p) + len(a) for p, a in windows), default=1)
    scored = token_logprobs(model, windows, rows=ROWS, greedy=True, context=longest)
    return [
        Item(f"needle{end}", identity, kind, 0, float(right))
        for (identity, kind), (_, right) in zip(
            rows.select("id", "kind").iter_rows(), scored, strict=True
        )
    ]
