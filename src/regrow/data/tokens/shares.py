"""How many rows each of several data sets gives, so that their shares hold: whole numbers, computed exactly."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from regrow.numerics.permutation import Permutation


def sizes(
    available: Mapping[str, int],
    shares: Mapping[str, float],
    *,
    most: int = 0,
    max_repeats: int = 1,
) -> dict[str, int]:
    """Data set -> the rows that it gives, by name.

    The whole is the largest size for which no data set must give a row more than `max_repeats` times, and for
    which the one that lasts longest gives none twice. Of a whole of n rows each gives its share of n, rounded
    down or up so that the numbers sum to n.

    Args:
        available: rows of each.
        shares: of the rows, as decimals; they sum to 1.
        most: rows of the whole at most; 0: no such limit. With a limit even the longest one may be repeated.
        max_repeats: times that a row comes at most.

    Raises:
        ValueError: a data set is too small to hold its share, or its share of the whole is less than a row.
    """
    exact = {name: Fraction(str(shares[name])) for name in sorted(shares)}
    exact = {name: share / sum(exact.values()) for name, share in exact.items()}
    whole = min(int(available[name] * max_repeats / share) for name, share in exact.items())
    once = max(int(available[name] / share) for name, share in exact.items())
    whole = min(whole, most or once)
    found = rounded(exact, whole)
    empty = [name for name, rows in found.items() if not rows]
    if empty:
        raise ValueError(
            f"{empty[0]} has {available[empty[0]]} rows and a share of {shares[empty[0]]:g}: of the {whole} rows "
            f"that can be joined with the shares {dict(sorted(shares.items()))} it would give none. Fix: larger data "
            "sets, a larger share, or raise max_repeats."
        )
    return found


def rounded(shares: Mapping[str, Fraction], whole: int) -> dict[str, int]:
    """Whole numbers in these shares, which sum to 1: each rounded down or up so that they sum to `whole`."""
    wanted = {name: whole * share for name, share in shares.items()}
    found = {name: int(rows) for name, rows in wanted.items()}
    left = whole - sum(found.values())
    for name in sorted(found, key=lambda name: (found[name] - wanted[name], name))[:left]:
        found[name] += 1
    return found


def chosen(available: int, wanted: int, key: str) -> list[NDArray[np.int64]]:
    """The rows that a data set gives: one ascending array of row numbers per time that it is gone through.

    Every row comes equally often, but for those of the last time: they are the first in the keyed order `key`, so a
    larger wish only adds rows.
    """
    times, rest = divmod(wanted, available)
    found = [np.arange(available, dtype=np.int64) for _ in range(times)]
    if rest:
        order = Permutation(available, key)
        found.append(np.sort(order.forward(np.arange(rest, dtype=np.int64))))
    return found
