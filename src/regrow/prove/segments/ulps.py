"""How far two float tensors are apart, in units in the last place.

The distance of two floats is the number of representable values between them: the bits as signed
integers, ordered as the numbers are (Dawson, "Comparing floating point numbers", 2012).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from regrow.learn.model import files
from regrow.learn.train import checkpoint

_INTEGERS = {
    torch.float64: (torch.int64, 63),
    torch.float32: (torch.int32, 31),
    torch.float16: (torch.int16, 15),
    torch.bfloat16: (torch.int16, 15),
}


@dataclass(frozen=True)
class Place:
    """An element that differs."""

    index: list[int]
    left: float
    right: float
    ulps: int | None
    """None: one of them is not a number, or the tensors are of no float type"""


@dataclass(frozen=True)
class Apart:
    """A tensor that differs."""

    tensor: str
    elements: int
    """that differ"""
    of: int
    first: Place | None
    """in row-major order; None: types or shapes differ"""
    furthest: Place | None

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def ordered(tensor: Tensor) -> Tensor:
    """The bits of floats as int64 whose order and differences are those of the floats.

    -0.0 comes right below 0.0, at a distance of one. Raises KeyError for other types.
    """
    integer, bits = _INTEGERS[tensor.dtype]
    raw = tensor.detach().contiguous().view(integer).to(torch.int64)
    low = torch.tensor((1 << bits) - 1, dtype=torch.int64)
    return torch.where(raw < 0, -(raw & low) - 1, raw)


def apart(name: str, left: Tensor, right: Tensor) -> Apart | None:
    """Where two tensors differ in bits; None if they do not."""
    if left.shape != right.shape or left.dtype != right.dtype:
        return Apart(name, max(left.numel(), right.numel()), left.numel(), None, None)
    if left.dtype not in _INTEGERS:
        raw = [value.contiguous().reshape(-1) for value in (left, right)]
        differing = (raw[0] != raw[1]).nonzero().reshape(-1)
        if not differing.numel():
            return None
        first = _place(left, right, int(differing[0]), None)
        return Apart(name, int(differing.numel()), left.numel(), first, first)
    keys = [ordered(value).reshape(-1) for value in (left, right)]
    differing = (keys[0] != keys[1]).nonzero().reshape(-1)
    if not differing.numel():
        return None
    nan = (left.isnan() | right.isnan()).reshape(-1)
    # float64's range of keys does not fit the difference of two int64; training is in float32.
    distance = (keys[0] - keys[1]).abs().masked_fill(nan, -1)
    at = int(differing[0])
    most = int(differing[int(distance[differing].argmax())])
    return Apart(
        name,
        int(differing.numel()),
        left.numel(),
        _place(left, right, at, int(distance[at])),
        _place(left, right, most, int(distance[most])),
    )


def _place(left: Tensor, right: Tensor, flat: int, ulps: int | None) -> Place:
    index = [int(i) for i in torch.unravel_index(torch.tensor(flat), left.shape)]
    values = [float(value.reshape(-1)[flat]) for value in (left, right)]
    return Place(index, values[0], values[1], None if ulps is None or ulps < 0 else ulps)


def states(left: Path, right: Path) -> list[Apart]:
    """The tensors in which two stored states differ, weights first, by name."""
    found = []
    for prefix, file in (("model", files.WEIGHTS), ("optimizer", checkpoint.OPTIMIZER)):
        ours, theirs = load_file(left / file), load_file(right / file)
        for name in sorted(ours.keys() | theirs.keys()):
            label = f"{prefix}/{name}"
            if name in ours and name in theirs:
                difference = apart(label, ours[name], theirs[name])
            else:
                count = (ours.get(name, theirs.get(name))).numel()  # type: ignore[union-attr]
                difference = Apart(label, count, count, None, None)
            if difference is not None:
                found.append(difference)
    return found
