"""A key-value cache whose columns are absolute positions.

The caches that ship with transformers move columns about: the growing one changes the
width of every product, the sliding one drops and rolls columns. Here column j of a row
always holds position j, whatever the layer, and columns not written yet are zero and
masked. A masked column adds an exact zero to each sum, so a cached step sums the same
numbers in the same order as a forward pass over the whole text.
"""

from __future__ import annotations

import torch


class PositionCache:
    """Keys and values of every layer, (rows, kv_heads, width, head_dim) each, filled by position.

    Serves as `past_key_values` of a transformers model that is given its masks
    (see `masks`) and `position_ids`.
    """

    is_compileable = False

    def __init__(self, layers: int, width: int) -> None:
        self.width = width
        self.length = 0
        """positions filled so far; set by `advance` once all layers have written"""
        self._keys: list[torch.Tensor | None] = [None] * layers
        self._values: list[torch.Tensor | None] = [None] * layers

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, layer: int, *_: object, **__: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write keys and values (rows, kv_heads, n, head_dim) at the next n positions.

        Returns the whole width. Raises ValueError when it would overflow.
        """
        end = self.length + keys.shape[2]
        if end > self.width:
            raise ValueError(f"cache of {self.width} positions cannot hold position {end - 1}")
        held_keys, held_values = self._keys[layer], self._values[layer]
        if held_keys is None or held_values is None:
            shape = (keys.shape[0], keys.shape[1], self.width, keys.shape[3])
            held_keys, held_values = keys.new_zeros(shape), values.new_zeros(shape)
            self._keys[layer], self._values[layer] = held_keys, held_values
        held_keys[:, :, self.length : end] = keys
        held_values[:, :, self.length : end] = values
        return held_keys, held_values

    def advance(self, n: int) -> None:
        """Count n more positions as filled."""
        self.length += n

    def get_seq_length(self, *_: object) -> int:
        """Positions filled so far (transformers asks)."""
        return self.length


def masks(
    start: int, n: int, width: int, sliding_window: int | None, dtype: torch.dtype
) -> dict[str, torch.Tensor]:
    """Additive masks for queries at positions start .. start + n - 1 over `width` columns.

    Returns {"full_attention", "sliding_attention"}: (1, 1, n, width), 0 where a query may look,
    the lowest finite number elsewhere (as transformers' own masks). A sliding query sees itself
    and the sliding_window - 1 positions before it.
    """
    query = torch.arange(start, start + n).unsqueeze(1)
    column = torch.arange(width).unsqueeze(0)
    causal = column <= query
    near = causal if sliding_window is None else causal & (column > query - sliding_window)
    lowest = torch.finfo(dtype).min
    return {
        name: torch.zeros(n, width, dtype=dtype).masked_fill(~seen, lowest)[None, None]
        for name, seen in (("full_attention", causal), ("sliding_attention", near))
    }
