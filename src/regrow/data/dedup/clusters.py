"""Clusters of documents from pairs: union-find, and the one of each that stays."""

from __future__ import annotations

import re

from regrow.data.web.numbers import decimal

_LARGEST = 10**18
"""of a number in a version: a larger one is none that anybody gave"""
_LONGEST = 4_096
"""characters of a source or URL in which a version is looked for"""
_VERSION = re.compile(r"(?<![0-9])[0-9]+(?:[._][0-9]+)+|(?<=[/_v-])[0-9]+(?=[/_-]|$)")


class UnionFind:
    """Disjoint sets over 0 .. n - 1; the root of a set is its smallest member."""

    def __init__(self, n: int) -> None:
        self._parent = list(range(n))

    def find(self, i: int) -> int:
        """The root of the set that holds i."""
        parent = self._parent
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    def join(self, i: int, j: int) -> None:
        """Make one set of the sets that hold i and j."""
        i, j = self.find(i), self.find(j)
        if i != j:
            self._parent[max(i, j)] = min(i, j)

    def sets(self) -> list[list[int]]:
        """All sets of more than one member, each ascending, by their smallest member."""
        members: dict[int, list[int]] = {}
        for i in range(len(self._parent)):
            members.setdefault(self.find(i), []).append(i)
        return [group for group in members.values() if len(group) > 1]


def version(text: str) -> tuple[int, ...]:
    """The first version number in a source or URL, as integers: `sqlalchemy-2.0.36` -> (2, 0, 36).

    Numbers above 10**18 count as 10**18.
    """
    found = _VERSION.search(text[:_LONGEST])
    numbers = re.split(r"[._]", found.group()) if found else []
    return tuple(decimal(number, _LARGEST) or 0 for number in numbers)


def preference(url: str, source: str, identity: str) -> tuple[object, ...]:
    """Sort key of a document within its cluster: the first in this order stays.

    The newest version (by the source's number, else by the URL's path) as OLMo 3 keeps the newest crawl, then
    the shortest URL, then the alphabetically first, then the smallest id.
    """
    path = url.split("://", 1)[-1].partition("/")[2]
    newest = version(source) or version(path)
    # Descending: negated numbers, and a longer version beats its prefix.
    return (*[-n for n in newest], 1), len(url), url, identity
