"""Which artifact something is, by a file of statements: what the chain is about, a file of it, or an input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from regrow.prove.attest import terms
from regrow.prove.attest.check import Checked, byproducts, dependencies
from regrow.prove.attest.envelope import Refused
from regrow.prove.attest.subject import FILE, FOLDER

Kind = Literal["head", "file", "input", "several"]


@dataclass(frozen=True)
class Place:
    """A subject that has the digest in question."""

    item: Checked
    """the statement"""
    name: str
    """of the subject: its path below the root of the flow"""
    kind: Kind
    """head: it is what the chain is about; file: a file of the statement's artifact; input: something on the
    way to what the chain is about; several: the file of statements is about several things, and this is one"""
    of: str
    """the name of what the chain is about"""

    def said(self) -> str:
        """`data/sft/000140: an input of data/release/rlvr-000080`."""
        told = {
            "head": "what the statements are about",
            "file": f"one file of {self.item.name}",
            "input": f"an input of {self.of}",
            "several": f"one of several things that the statements are about ({self.of})",
        }
        return f"{self.name}: {told[self.kind]}"

    def as_json(self) -> dict[str, str]:
        """For `--json`."""
        return {"name": self.name, "place": self.kind, "of": self.of}


def heads(found: list[Checked]) -> list[Checked]:
    """The statements about what nothing else in the file was made from."""
    used = {
        digest
        for item in found
        if item.kind == terms.PROVENANCE
        for digest in dependencies(item) - _own(item)
    }
    return [item for item in found if not used & _own(item)]


def _own(item: Checked) -> set[tuple[str, str]]:
    """By what another statement names this one's artifact: its digest, and that of its record.

    Not its files: a file may have the bytes of a source that something else was made from.
    """
    first = item.opened.statement["subject"][0]["digest"]
    return {(str(kind), str(value)) for kind, value in first.items()} | byproducts(item)


def places(found: list[Checked], digest: Mapping[str, str]) -> list[Place]:
    """The subjects with a digest, those that the chain is about first.

    Args:
        found: checked statements.
        digest: `sha256` of a file, `dirHash` of a folder; both where only a number is known.
    """
    ends = heads(found)
    about = list(dict.fromkeys(item.name for item in ends))
    wanted = set(digest.items())
    places = []
    for item in found:
        for pair, name in item.digests.items():
            if pair in wanted:
                places.append(Place(item, name, _kind(item, name, ends, about), ", ".join(about)))
    return sorted(places, key=lambda place: place.kind != "head")


def _kind(item: Checked, name: str, ends: list[Checked], about: list[str]) -> Kind:
    if item not in ends:
        return "input"
    # Provenance and summary are about an artifact and name its files; others (a takedown's) are about each subject.
    if name != item.name and item.kind in (terms.PROVENANCE, terms.SUMMARY):
        return "file"
    return "head" if len(about) == 1 else "several"


def chosen(
    found: list[Place], name: str, asked: str | None, by_name: bool
) -> tuple[list[Place], str]:
    """The places that count, and why none of them is accepted ("" where one is).

    Args:
        found: where the digest is.
        name: how the artifact was called, for the message.
        asked: what it shall be (`--as`).
        by_name: whether it was named as an artifact of the repository, which says what it shall be.

    Raises:
        Refused: it is not what was asked for.
    """
    if asked is not None:
        mine = [place for place in found if asked in called(place.name)]
        if not mine:
            raise Refused(f"{name} is not {asked}, but {found[0].said()}.")
        return mine, ""
    mine = [place for place in found if place.kind == "head"]
    if mine or by_name:
        return mine or found, ""
    first = found[0]
    return found, f"{name} is {first.said()}. If that is what it shall be, add `--as {first.name}`."


def called(path: str) -> set[str]:
    """The names of an artifact: `data/sft/000140`, `sft/000140`, `sft.000140`."""
    short = path.removeprefix("data/")
    return {path, short, short.replace("/", ".", 1)}


def unlike(found: list[Checked], files: Mapping[str, str]) -> str:
    """How a folder differs from the artifact that the statements are about, "" where they name no files.

    Args:
        found: checked statements.
        files: path below the folder -> SHA-256.
    """
    ends = heads(found)
    if len(ends) != 1 or not any(kind == FOLDER for kind, _ in ends[0].digests):
        return ""
    top = f"{ends[0].name}/"
    wanted = {
        name.removeprefix(top): digest
        for (kind, digest), name in ends[0].named()
        if kind == FILE and name.startswith(top)
    }
    told: list[tuple[str, Any]] = [
        ("it also has", sorted(files.keys() - wanted.keys())),
        ("it lacks", sorted(wanted.keys() - files.keys())),
        ("other bytes are in", sorted(n for n in files.keys() & wanted if files[n] != wanted[n])),
    ]
    parts = [f"{how} {', '.join(names[:3])}" for how, names in told if names]
    return f" Beside {ends[0].name}: {'; '.join(parts)}." if parts and wanted else ""
