"""A model laid out for generation: weights in panels, keys and values by slot and position.

The arithmetic is that of `regrow.numerics.torch.install`, element by element
(native/decode.c), so that logits have the bits of a forward pass over the whole text.
"""

from __future__ import annotations

import ctypes

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import Olmo3ForCausalLM

from regrow.numerics.torch.install import NAME
from regrow.numerics.torch.kernels import native

PANEL = 32
"""columns of a panel, as in native/decode.c"""
LANES = 16
"""positions of a block of keys"""

Integers = NDArray[np.int64]


class _Layer(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("q", "k", "v", "o", "gate", "up", "down")),
        *((name, ctypes.c_void_p) for name in ("qnorm", "knorm", "anorm", "mnorm")),
        ("cosine", ctypes.c_void_p),
        ("sine", ctypes.c_void_p),
        ("window", ctypes.c_int64),
        ("keys", ctypes.c_void_p),
        ("values", ctypes.c_void_p),
    ]


class _Model(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("layers", "hidden", "heads", "kvheads", "dim")),
        *((name, ctypes.c_int64) for name in ("ffn", "vocabulary", "width")),
        ("eps", ctypes.c_double),
        ("scale", ctypes.c_double),
        *((name, ctypes.c_void_p) for name in ("embedding", "norm", "head", "layer")),
    ]


def panels(weight: Tensor) -> Tensor:
    """A weight (n, k) as (panels, k, PANEL): column j of panel p is row PANEL p + j, or zeros."""
    n, k = weight.shape
    count = -(-n // PANEL)
    if count * PANEL != n:
        weight = torch.cat([weight, weight.new_zeros(count * PANEL - n, k)])
    return weight.view(count, PANEL, k).transpose(1, 2).contiguous()


class Decoder:
    """The weights that `model` has now, and a cache of `slots` texts of up to `width` positions.

    Raises:
        ValueError: `model` has not been through `regrow.numerics.torch.install`.
    """

    @torch.no_grad()
    def __init__(self, model: Olmo3ForCausalLM, slots: int, width: int) -> None:
        config = model.config
        if config._attn_implementation != NAME:
            raise ValueError(
                "sampling needs the fused operators: call regrow.numerics.torch.install(model)"
            )
        body = model.model
        dim = body.layers[0].self_attn.head_dim
        blocks = -(-width // LANES)
        padded = -(-dim // LANES) * LANES
        kv = int(config.num_key_value_heads)  # type: ignore[arg-type]
        layers = int(config.num_hidden_layers)
        self.vocabulary = int(config.vocab_size)
        self.width = blocks * LANES
        # What is not written yet is never looked at.
        self._keys = torch.empty(layers, slots, kv, blocks, padded, LANES)
        self._values = torch.empty(layers, slots, kv, blocks, LANES, padded)
        positions = torch.arange(self.width)[None]
        tables = {
            kind: [t[0].contiguous() for t in body.rotary_emb(self._keys, positions, kind)]
            for kind in sorted(set(config.layer_types or ()))
        }
        self._held: list[Tensor] = []
        rows = (_Layer * layers)()
        for i, (layer, kind) in enumerate(zip(body.layers, config.layer_types or (), strict=True)):
            own, mlp = layer.self_attn, layer.mlp
            projections = (own.q_proj, own.k_proj, own.v_proj, own.o_proj)
            products = (*projections, mlp.gate_proj, mlp.up_proj, mlp.down_proj)
            after = (layer.post_attention_layernorm, layer.post_feedforward_layernorm)
            norms = (own.q_norm, own.k_norm, *after)
            rows[i] = _Layer(
                *(self._hold(panels(p.weight)) for p in products),
                *(self._hold(n.weight) for n in norms),
                *(self._hold(t) for t in tables[kind]),
                int(own.sliding_window or 0),
                self._keys[i].data_ptr(),
                self._values[i].data_ptr(),
            )
        self._rows = rows
        self._model = _Model(
            layers,
            config.hidden_size,
            config.num_attention_heads,
            kv,
            dim,
            config.intermediate_size,
            self.vocabulary,
            self.width,
            body.norm.variance_epsilon,
            body.layers[0].self_attn.scaling,
            self._hold(body.embed_tokens.weight),
            self._hold(body.norm.weight),
            self._hold(panels(model.lm_head.weight)),
            ctypes.addressof(rows),
        )
        self._kernels = native()

    def _hold(self, tensor: Tensor) -> int:
        kept = tensor.detach().contiguous()
        self._held.append(kept)
        return kept.data_ptr()

    def logits(
        self, ids: Integers, slots: Integers, positions: Integers, wanted: Integers
    ) -> NDArray[np.float32]:
        """Logits (wanted, vocabulary) after the tokens numbered `wanted` of the list given.

        Token i of the list, `ids[i]`, is put at `positions[i]` of the text in `slots[i]`; what
        stands before it there must be in the cache, or in the list before it. All are contiguous.

        Raises:
            ValueError: an id outside the vocabulary, or a position outside the cache.
        """
        out = np.empty((len(wanted), self.vocabulary), dtype=np.float32)
        odd = self._kernels.decode(
            ctypes.addressof(self._model),
            len(ids),
            *(a.ctypes.data for a in (ids, slots, positions)),
            len(wanted),
            wanted.ctypes.data,
            out.ctypes.data,
        )
        if odd >= 0:
            raise ValueError(
                f"token id {ids[odd]} at position {positions[odd]}: the model has {self.vocabulary} ids, "
                f"the cache {self.width} positions"
            )
        return out

    def copy(self, source: int, target: int, length: int) -> None:
        """Give the text in slot `target` the first `length` positions of `source`."""
        if source != target:
            blocks = -(-length // LANES)
            for cache in (self._keys, self._values):
                cache[:, target, :, :blocks] = cache[:, source, :, :blocks]
