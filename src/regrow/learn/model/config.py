"""The `transformers` configuration of an Olmo 3 model from the parameters of a run."""

from __future__ import annotations

from transformers import Olmo3Config

from regrow.params.model import Model

PAD_TO = 128
"""The embedding has a multiple of this many rows (Olmo 3: 100,278 tokens, 100,352 rows)."""


def layer_types(layers: int) -> list[str]:
    """Three sliding-window layers, one full, and so on; the last is full whatever its number.

    Source: OLMo 3 report, table 33; OLMo-core `nn/transformer/config.py`.
    """
    types = ["full_attention" if i % 4 == 3 else "sliding_attention" for i in range(layers)]
    types[-1] = "full_attention"
    return types


def olmo3_config(shape: Model, *, vocabulary: int, eos: int, pad: int) -> Olmo3Config:
    """The configuration of a model of this `shape` over `vocabulary` tokens.

    Rotary parameters are nested by layer type: a flat dictionary loses YaRN and another
    theta on one of the two types without a word.

    Raises:
        ValueError: eos or pad outside the vocabulary.
    """
    for name, token in (("eos", eos), ("pad", pad)):
        if not 0 <= token < vocabulary:
            raise ValueError(f"{name} token {token} is outside the vocabulary of {vocabulary}")
    rope = {"rope_type": "default", "rope_theta": shape.rope_theta}
    return Olmo3Config(
        architectures=["Olmo3ForCausalLM"],
        dtype="float32",
        vocab_size=-(-vocabulary // PAD_TO) * PAD_TO,
        hidden_size=shape.hidden,
        intermediate_size=shape.ffn,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=shape.context,
        initializer_range=shape.init_std,
        rms_norm_eps=shape.norm_eps,
        sliding_window=shape.sliding_window,
        layer_types=layer_types(shape.layers),
        rope_parameters={"sliding_attention": dict(rope), "full_attention": dict(rope)},
        tie_word_embeddings=shape.tied_embeddings,
        bos_token_id=None,
        eos_token_id=eos,
        pad_token_id=pad,
        use_cache=True,
    )
