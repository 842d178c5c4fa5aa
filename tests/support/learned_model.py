"""A small model that has learned a few conversations by heart, so that what it says is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import Olmo3ForCausalLM

from regrow.learn.model.files import load, save
from regrow.numerics.torch import functional
from regrow.numerics.torch.install import install


def learn(checkpoint: Path, texts: Sequence[Sequence[int]], folder: Path) -> Olmo3ForCausalLM:
    """Train the checkpoint's model on `texts` until greedy decoding repeats them; saved to `folder`."""
    model = install(load(checkpoint)).train()
    width = max(map(len, texts))
    tokens = torch.zeros(len(texts), width, dtype=torch.int64)
    for row, text in enumerate(texts):
        tokens[row, : len(text)] = torch.tensor(text)
    targets = torch.full_like(tokens, functional.IGNORE)
    for row, text in enumerate(texts):
        targets[row, : len(text) - 1] = tokens[row, 1 : len(text)]
    known = targets != functional.IGNORE
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, foreach=False)
    for _ in range(400):
        logits = model(input_ids=tokens, use_cache=False).logits
        loss, _, _ = functional.cross_entropy(logits, targets)
        right = (logits.argmax(-1) == targets)[known].float()
        if loss.item() < 0.05 and bool(right.min() == 1):
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    save(model, folder)
    (folder / "state.json").write_text('{"step": 7, "tokens": 70}')
    return model.eval()
