"""The fast path: fma32's fused operators under transformers' own Olmo3 modules.

Weights, configuration and module names stay as they are; only the `forward` of the given
model's instances is replaced.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, Olmo3ForCausalLM
from transformers.masking_utils import sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.olmo3 import modeling_olmo3

from regrow.numerics.torch.attention import attention, runs_of_mask
from regrow.numerics.torch.functional import embedding, linear, rms_norm
from regrow.numerics.torch.fused import mlp, projections
from regrow.numerics.torch.kernels import unary

NAME = "fma32"
ROPE_TYPES = ("default", "linear", "llama3", "yarn")
"""rotary types whose frequencies do not change with the length of the input"""


def _mask(
    batch_size: int,
    q_length: int,
    kv_length: int,
    q_offset: int = 0,
    kv_offset: int = 0,
    attention_mask: Tensor | None = None,
    allow_is_causal_skip: bool = True,
    **kwargs: Any,
) -> Tensor | None:
    """No mask where each query sees all keys up to its own (within the window), else a bool one."""
    plain = attention_mask is None and allow_is_causal_skip and kwargs.get("use_vmap") is not True
    if plain and isinstance(q_offset, int) and q_offset + q_length == kv_offset + kv_length:
        return None
    return sdpa_mask(
        batch_size,
        q_length,
        kv_length,
        q_offset,
        kv_offset,
        attention_mask=attention_mask,
        allow_is_causal_skip=False,
        **kwargs,
    )


def attention_forward(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """transformers' attention interface: (batch, heads, length, dim) -> (batch, length, heads, dim)."""
    if dropout:
        raise ValueError("fma32 attention has no dropout: set attention_dropout to 0")
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    if attention_mask is None:
        return attention(query, key, value, scale=scale, window=sliding_window), None
    runs = getattr(attention_mask, "fma32_runs", None)
    if runs is None:  # the layers share a mask: read it once
        runs = runs_of_mask(attention_mask[..., : key.shape[2]])
        attention_mask.fma32_runs = runs  # type: ignore[attr-defined]
    return attention(query, key, value, scale=scale, runs=runs), None


def register() -> None:
    """Make `attn_implementation="fma32"` known to transformers."""
    AttentionInterface.register(NAME, attention_forward)
    AttentionMaskInterface.register(NAME, _mask)


def _attention(
    self: Any,
    hidden_states: Tensor,
    position_embeddings: tuple[Tensor, Tensor],
    attention_mask: Tensor | None = None,
    past_key_values: Any = None,
    **kwargs: Any,
) -> tuple[Tensor, Tensor | None]:
    q, k, v = projections(
        hidden_states,
        *(self.q_proj.weight, self.k_proj.weight, self.v_proj.weight),
        *(self.q_norm.weight, self.k_norm.weight, *position_embeddings),
        dim=self.head_dim,
        eps=self.q_norm.variance_epsilon,
    )
    if past_key_values is not None:
        k, v = past_key_values.update(k, v, self.layer_idx)
    kwargs.pop("dropout", None)
    out, weights = ALL_ATTENTION_FUNCTIONS[self.config._attn_implementation](
        self,
        q,
        k,
        v,
        attention_mask,
        dropout=self.attention_dropout if self.training else 0.0,
        scaling=self.scaling,
        sliding_window=self.sliding_window,
        **kwargs,
    )
    return linear(out.flatten(2), self.o_proj.weight), weights


def _layer(self: Any, hidden_states: Tensor, **kwargs: Any) -> Tensor:
    out, _ = self.self_attn(hidden_states=hidden_states, **kwargs)
    norm = self.post_attention_layernorm
    hidden_states = rms_norm(out, norm.weight, norm.variance_epsilon, hidden_states)
    norm = self.post_feedforward_layernorm
    return rms_norm(self.mlp(hidden_states), norm.weight, norm.variance_epsilon, hidden_states)


def _mlp(self: Any, x: Tensor) -> Tensor:
    return mlp(x, self.gate_proj.weight, self.up_proj.weight, self.down_proj.weight)


def _norm(self: Any, x: Tensor) -> Tensor:
    return rms_norm(x, self.weight, self.variance_epsilon)


def _linear(self: Any, x: Tensor) -> Tensor:
    return linear(x, self.weight)


def _embedding(self: Any, ids: Tensor) -> Tensor:
    return embedding(ids, self.weight, self.padding_idx)


@torch.no_grad()
def _rotary(self: Any, x: Tensor, position_ids: Tensor, layer_type: str) -> tuple[Tensor, Tensor]:
    tables = self.__dict__.setdefault("fma32_tables", {})
    frequencies = getattr(self, f"{layer_type}_inv_freq")
    known = tables.get(layer_type)
    if known is None or not torch.equal(known[0], position_ids):
        angles = (position_ids[..., None].float() * frequencies.float()).repeat(1, 1, 2)
        scale = getattr(self, f"{layer_type}_attention_scaling")
        known = (position_ids.clone(), unary("cos", angles) * scale, unary("sin", angles) * scale)
        tables[layer_type] = known
    return known[1], known[2]


def _refresh(rotary: Any) -> None:
    """Frequencies computed under the overrides, whatever the model was built under."""
    for kind in rotary.layer_types:
        make = rotary.compute_default_rope_parameters
        if rotary.rope_type[kind] != "default":
            make = modeling_olmo3.ROPE_INIT_FUNCTIONS[rotary.rope_type[kind]]
        frequencies, scale = make(rotary.config, None, layer_type=kind)
        getattr(rotary, f"{kind}_inv_freq").copy_(frequencies)
        getattr(rotary, f"{kind}_original_inv_freq").copy_(frequencies)
        setattr(rotary, f"{kind}_attention_scaling", scale)


FORWARDS = {
    modeling_olmo3.Olmo3Attention: _attention,
    modeling_olmo3.Olmo3DecoderLayer: _layer,
    modeling_olmo3.Olmo3MLP: _mlp,
    modeling_olmo3.Olmo3RMSNorm: _norm,
    modeling_olmo3.Olmo3RotaryEmbedding: _rotary,
    nn.Linear: _linear,
    nn.Embedding: _embedding,
}


def install(model: Olmo3ForCausalLM) -> Olmo3ForCausalLM:
    """Put the fused operators under `model` and return it; `activate()` comes first.

    Raises:
        ValueError: the model needs something that the fused operators do not have.
        TypeError: its weights are not float32 on the CPU.
    """
    from regrow.numerics.torch.switch import require

    require()
    config = model.config
    if config.model_type != "olmo3" or config.hidden_act != "silu" or config.attention_bias:
        raise ValueError("fma32 installs under Olmo3 with silu and without attention bias")
    for kind, parameters in config.rope_parameters.items():  # type: ignore[union-attr]
        if parameters and parameters["rope_type"] not in ROPE_TYPES:  # type: ignore[index]
            raise ValueError(
                f"{kind}: rope_type {parameters['rope_type']} is not one of {ROPE_TYPES}"  # type: ignore[index]
            )
    for name, weight in model.named_parameters():
        if weight.dtype is not torch.float32 or weight.device.type != "cpu":
            raise TypeError(f"{name} is {weight.dtype} on {weight.device}, not float32 on the CPU")
    register()
    model.set_attn_implementation(NAME)
    for module in model.modules():
        forward = FORWARDS.get(type(module))
        if isinstance(module, nn.Linear) and module.bias is not None:
            raise ValueError("fma32 installs under linear layers without bias")
        if forward is not None:
            module.forward = MethodType(forward, module)  # type: ignore[arg-type]
    with torch.no_grad():
        _refresh(model.model.rotary_emb)
    return model
