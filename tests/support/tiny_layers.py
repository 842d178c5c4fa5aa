"""A tiny Olmo3 and a few training steps on it: `python tests/support/tiny_layers.py` prints a hash per step."""

from __future__ import annotations

import hashlib

STEPS, ROWS, LENGTH, VOCABULARY = 3, 4, 32, 128


def config(kv_heads: int = 2):
    from transformers import Olmo3Config

    rope = {"rope_type": "default", "rope_theta": 5e5}
    return Olmo3Config(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=kv_heads,
        max_position_embeddings=128,
        sliding_window=16,
        layer_types=["sliding_attention", "full_attention"],
        rope_parameters={"sliding_attention": dict(rope), "full_attention": dict(rope)},
        tie_word_embeddings=True,
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=1,
    )


def model(kv_heads: int = 2):
    """Weights from integers alone."""
    import torch
    from transformers import Olmo3ForCausalLM

    from regrow.numerics.torch.selfcheck import numbers

    net = Olmo3ForCausalLM._from_config(config(kv_heads), attn_implementation="eager").float()
    with torch.no_grad():
        for i, (_, p) in enumerate(sorted(net.named_parameters())):
            p.copy_(numbers(*p.shape, seed=i + 1) * 0.0625 + (1.0 if p.dim() == 1 else 0.0))
    return net


def tokens(seed: int):
    import torch

    state, values = seed, []
    for _ in range(ROWS * LENGTH):
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        values.append((state >> 33) % VOCABULARY)
    return torch.tensor(values).view(ROWS, LENGTH)


def train(threads: int = 1, fast: bool = True) -> list[str]:
    """Train in two micro-batches per step with Muon and AdamW; a hash of the state per step."""
    from regrow.numerics.torch import activate

    activate(threads)
    import torch

    from regrow.numerics.torch import functional, optim
    from regrow.numerics.torch.install import install

    net = model()
    if fast:
        install(net)
    named = dict(sorted(net.named_parameters()))
    state = {n: (torch.zeros_like(p), torch.zeros_like(p)) for n, p in named.items()}
    lines = []
    for step in range(1, STEPS + 1):
        total, sums = ROWS * (LENGTH - 1), []
        for rows in tokens(step).split(ROWS // 2):
            logits = net(input_ids=rows, use_cache=False).logits
            loss, *_ = functional.next_token_loss(logits, rows, total=total, z_loss=1e-4)
            loss.backward()
            grads = [p.grad for p in named.values()]
            if sums:
                optim.tree_add(sums, grads)
            sums = sums or grads
            net.zero_grad(set_to_none=True)
        norm = optim.grad_norm(sums)
        optim.scale(sums, 1.0 / max(norm, 1.0))
        with torch.no_grad():
            for (name, p), g in zip(named.items(), sums, strict=True):
                first, second = state[name]
                if p.dim() == 2 and "embed" not in name:
                    optim.muon_step(p, g, first, lr=0.02, momentum=0.95, wd=0.1)
                else:
                    optim.adamw_step(
                        *(p, g, first, second),
                        step=step,
                        lr=0.02,
                        betas=(0.9, 0.95),
                        eps=1e-8,
                        wd=0.0,
                    )
        digest = hashlib.sha256(f"{loss.item().hex()} {norm.hex()}".encode())
        for name, p in named.items():
            for x in (p, *state[name]):
                digest.update(x.detach().numpy().tobytes())
        lines.append(digest.hexdigest()[:16])
    return lines


if __name__ == "__main__":
    print("\n".join(train()))
