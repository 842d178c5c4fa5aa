"""The step `swarm`: one drawn mixture, and the pack of its proxy: whole sequences of the domains, in these shares."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import balanced
from regrow.data.tokens import shares as sharing
from regrow.learn.search import draw, supply
from regrow.learn.search.names import MIXTURE
from regrow.learn.search.supply import Domain
from regrow.params.search import Search

_SAME = ("eos", "pad", "sequence_length", "vocabulary")
_CHUNK = 1 << 14
"""sequences that are copied at once"""


def run(inputs: dict[str, Path], params: Any, output: Path, *, instance: str) -> dict[str, Any]:
    """Fill `output` with a pack (tokens.bin, meta.json), sequences.parquet and mixture.json.

    What it writes depends on the domains of its round alone. So when a source is added, its bytes stay, and the
    proxy that reads them is not trained again.

    Raises:
        ValueError: a domain of the round is not there, or no mixture can be drawn.
    """
    p: Search = params.search
    number, proxy = p.place(instance)
    domains = supply.chosen(supply.read(inputs["domains"]), p.rounds[number - 1].domains, number)
    whole = p.proxy.steps * p.proxy.batch_sequences
    caps = {n: one.sequences * p.proxy_repeats / whole for n, one in domains.items()}
    natural = supply.natural(domains)
    if scarce := [name for name in sorted(domains) if natural[name] > caps[name]]:
        raise ValueError(
            f"search: proxies of {whole} sequences would read {scarce[0]} more than {p.proxy_repeats:g} times even in the "
            "natural mix. Fix: shorter proxies, or a higher search.proxy_repeats."
        )
    shares = draw.mixtures(p, number, natural, caps, proxy + 1)[-1]
    counts = pack(output, domains, shares, whole)
    return {"sequences": whole, "domains": counts}


def pack(
    output: Path, domains: Mapping[str, Domain], shares: Mapping[str, float], whole: int
) -> dict[str, int]:
    """Write the pack of a mixture of `whole` sequences; returns the sequences of each domain.

    Each gives its share, rounded down or up so that the numbers sum to `whole`. mixture.json has the shares as
    they are then: what a law is fitted to.
    """
    counts = _rounded(shares, whole)
    output.mkdir(parents=True, exist_ok=True)
    frames, about, digest = [], dict[str, Any](), hashlib.sha256()
    with (output / "tokens.bin").open("wb") as file:
        for name in sorted(name for name in counts if counts[name]):
            domain = domains[name]
            about = json.loads((domain.folder / "meta.json").read_text(encoding="utf-8"))
            shape = (domain.sequences, int(about["sequence_length"]))
            tokens = np.memmap(domain.folder / "tokens.bin", dtype="<u2", mode="r", shape=shape)
            taken = sharing.chosen(domain.sequences, counts[name], f"search {name}")
            for copy, numbers in enumerate(taken):
                for begin in range(0, len(numbers), _CHUNK):
                    piece = tokens[numbers[begin : begin + _CHUNK]].tobytes()
                    digest.update(piece)
                    file.write(piece)
                frames.append(
                    pl.DataFrame({"number": numbers}).select(
                        domain=pl.lit(name), number="number", copy=pl.lit(copy, pl.Int32)
                    )
                )
    rows = pl.concat(frames)
    balanced("swarm", "sequences", whole, packed=rows.height)
    tables.write(rows, output / "sequences.parquet")
    meta = {field: about[field] for field in _SAME} | {
        "sequences": whole,
        "tokens": whole * int(about["sequence_length"]),
        "tokens_sha256": digest.hexdigest(),  # by it a partial state of another pack is recognised
    }
    given = {name: count for name, count in sorted(counts.items())}
    _json(output / "meta.json", meta | {"domains": given})
    mixture = {
        "shares": {name: count / whole for name, count in given.items()},
        "drawn": dict(shares),
    }
    _json(output / MIXTURE, mixture)
    return given


def _rounded(shares: Mapping[str, float], whole: int) -> dict[str, int]:
    exact = {name: Fraction(shares[name]) for name in sorted(shares)}
    every = sum(exact.values())
    return sharing.rounded({name: share / every for name, share in exact.items()}, whole)


def _json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")
