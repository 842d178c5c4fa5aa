"""Folders of sources as they are at one moment: each walked once, however many parts of it are asked for.

A recipe may read a folder in 10,000 parts. Were each part looked up by itself, planning would take the square of that.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from regrow.engine.state import FileTree, Memory, walk
from regrow.selection import Selection, aside, parse, part_of

Listing = Mapping[str, os.stat_result]


class Folders:
    """Trees of one repository that share what was found and what is remembered. `save` at the end keeps the latter."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._walked: dict[str, Listing] = {}
        self._memories: dict[str, Memory] = {}
        self._parts: dict[str, list[list[str]]] = {}
        self._beside: dict[str, list[str]] = {}

    def tree(self, path: str) -> FileTree:
        """The files that a path stands for (`regrow.selection`), as `FileTree(root, path)` finds them."""
        folder = parse(path).folder
        if folder not in self._memories:
            self._memories[folder] = Memory(self.root, folder)
        return _Shared(self, path, self._memories[folder])

    def listing(self, chosen: Selection) -> dict[str, os.stat_result]:
        """Files by path below the folder, sorted."""
        found = self._found(chosen.folder)
        names = sorted(found) if chosen.plain else self._counted(chosen, found)
        return {name: found[name] for name in names}

    def _found(self, folder: str) -> Listing:
        if folder not in self._walked:
            self._walked[folder] = walk(self.root / folder)
        return self._walked[folder]

    def _counted(self, chosen: Selection, found: Listing) -> list[str]:
        if chosen.parts == 1:
            return chosen.counted(found)
        return sorted({*self.parts(chosen)[chosen.part], *self._beside[_whole(chosen)]})

    def parts(self, chosen: Selection) -> list[list[str]]:
        """The files of each part of what a path selects."""
        whole = _whole(chosen)
        if whole not in self._parts:
            found = self._found(chosen.folder)
            parts: list[list[str]] = [[] for _ in range(chosen.parts)]
            for name in found:
                if not aside(name) and chosen.matches(name):
                    parts[part_of(name, chosen.parts)].append(name)
            self._parts[whole] = parts
            self._beside[whole] = [n for n in found if chosen.is_beside(n) and not aside(n)]
        return self._parts[whole]

    def save(self) -> None:
        """Write what was learned of the files."""
        for memory in self._memories.values():
            memory.save()


class _Shared(FileTree):
    """A tree that asks `Folders`, and leaves it to them to write what was learned."""

    def __init__(self, folders: Folders, path: str, memory: Memory) -> None:
        super().__init__(folders.root, path, memory=memory)
        self._folders = folders

    def listing(self) -> dict[str, os.stat_result]:
        return self._folders.listing(self.selection)

    def others(self) -> bool:
        return any(self._folders.parts(self.selection))

    def save(self) -> None:
        pass


def _whole(chosen: Selection) -> str:
    return f"{chosen.whole}#{chosen.parts}+{chosen.names}"
