"""Document instances: each document of the mix as often as it is repeated, in a keyed order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple


class Instance(NamedTuple):
    """The `repeat`-th copy (from 0) of document `id`."""

    id: str
    repeat: int


def ordered(mix: Iterable[tuple[str, int]], key: str) -> list[Instance]:
    """All instances of (id, repeats) pairs, in the order of a hash of key, id and repeat.

    The place of an instance relative to another depends on those two alone, so one document
    more or less leaves the order of the others as it was.
    """
    instances = [Instance(i, repeat) for i, repeats in mix for repeat in range(repeats)]

    def rank(instance: Instance) -> bytes:
        name = f"regrow instance {key} {instance.id} {instance.repeat}"
        return hashlib.sha256(name.encode()).digest()

    return sorted(instances, key=lambda instance: (rank(instance), instance))
