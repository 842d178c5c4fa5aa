"""Which documents are held out: a keyed hash decides, group by group within each domain.

A group is a page with all its versions (same domain, same path but for version numbers), and is held out
or trained on as a whole: else the old version of a held-out page would be trained on, or all
such pages would have to be thrown away as overlaps.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Iterator

_VERSION = re.compile(r"[-_ ]v?[0-9]+(?:[._][0-9]+)+(?=[-_ ]|$)|[-_ ]v?[0-9]+$")
_DOTTED = re.compile(r"v?[0-9]+(?:[._][0-9]+)+(?=[/_-]|$)")
_LONGEST = 2_048
"""characters of a path in which version numbers are looked for"""
_NUMBER_FOLDER = re.compile(r"(?<=/)v?[0-9]+(?=/)")


def domain(url: str, source: str, prefixes: dict[str, list[str]]) -> str:
    """The domain of a document: the one with the longest matching URL prefix, else its source.

    Prefixes are `host/path` without scheme. Of a source the version is left out.
    """
    place = url.split("://", 1)[-1]
    matches = [(len(p), name) for name, ps in prefixes.items() for p in ps if place.startswith(p)]
    if matches:
        return max(matches)[1]
    return (_VERSION.sub("", source) if len(source) <= _LONGEST else source) or source or "unknown"


def group(url: str, domain: str) -> str:
    """The name of a page whatever its version: domain and path without version numbers."""
    path = "/" + url.split("://", 1)[-1].partition("/")[2]
    # Patterns cost the square of a run of digits: of an absurd address the rest is taken as written.
    start, rest = path[:_LONGEST], path[_LONGEST:]
    start = _NUMBER_FOLDER.sub("", _DOTTED.sub("", start))
    return f"{domain}{re.sub('/+', '/', start)}{rest}"


def rank(name: str, seed: int) -> bytes:
    """The keyed hash by which groups are ordered."""
    return hashlib.blake2b(
        name.encode("utf-8", "surrogatepass"),
        key=seed.to_bytes(8, "little", signed=True),
        person=b"regrow-heldout",
        digest_size=16,
    ).digest()


def choose(groups: dict[str, int], share: float, least: int, seed: int) -> set[str]:
    """The groups of one domain that are held out, given how many documents each has.

    Groups come in the order of their hash until `share` of the documents, and at least
    `least`, are reached. A domain of fewer than twice `least` documents holds out only its
    share, rounded down, and no domain more than half; a group that would break that is passed over.
    """
    total = sum(groups.values())
    ranked = sorted(groups, key=lambda name: (rank(name, seed), name))
    return set(first(((name, groups[name], 0) for name in ranked), total, share, least, 0))


def first(
    groups: Iterable[tuple[str, int, int]], total: int, share: float, least: int, most: int
) -> Iterator[str]:
    """The groups of one domain that are held out, by the rule of `choose`, and within `most`.

    Args:
        groups: name, documents and size of each, in the order of their hash.
        total: documents of the domain.
        share, least: as in `choose`.
        most: size (as of the groups) that more than `least` documents together do not exceed. The hold-out ends with
            the first group that does not fit; a group that is larger than half of it by itself is passed over.
    """
    wanted = math.ceil(share * total)
    if total >= 2 * least:
        wanted = max(wanted, least)
    else:
        wanted = math.floor(share * total)
    held = size = 0
    for name, documents, own in groups:
        if held >= wanted:
            break
        if held + documents > least:
            if 2 * own > most:
                continue
            if size + own > most:
                break
        if 2 * (held + documents) <= total:
            yield name
            held += documents
            size += own
