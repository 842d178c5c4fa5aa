"""Both ancestries in step: from two artifacts upwards, as far as they differ.

Two jobs are a pair where the same input of a pair is made by them. At each pair the components of
the keys are compared; what differs there by itself is a cause, an input that differs is followed to
the pair that made it, and the walk stops at equal inputs (early cutoff), even if keys above them differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from regrow.ask.diff import common_ancestors
from regrow.ask.diff.inputs import content, differing, namesake, pair_name, shown_input
from regrow.ask.diff.parts import Difference, differences
from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record


@dataclass
class Cause:
    """A component that differs, and the pairs of jobs at which it acts."""

    difference: Difference
    jobs: list[str] = field(default_factory=list)
    moves: list[str] = field(default_factory=list)
    """those of the jobs at which nothing else differs and the bytes do: there it is the cause beyond
    doubt. How much of it arrives at the artifact beside other causes, records cannot tell."""
    more: dict[str, Any] = field(default_factory=dict)
    """what belongs to it: the jobs in between, the path of a source ..."""


@dataclass(frozen=True)
class Cut:
    """A pair whose keys differ and whose bytes do not: nothing below it differs because of it."""

    job: str
    changes: tuple[Difference, ...]


class Walk:
    """The comparison of two records and of everything that they were made from."""

    def __init__(self, left: Ledger, right: Ledger) -> None:
        self.left, self.right = left, right
        self.causes: dict[Difference, Cause] = {}
        self.cuts: dict[tuple[str, str], Cut] = {}
        self.pairs: dict[tuple[str, str], tuple[Record, Record]] = {}
        """every pair whose bytes differ, in the order of the walk"""
        self.own: dict[tuple[str, str], int] = {}
        """causes that act at a pair"""
        self._seen: set[tuple[str, str, bool]] = set()
        self._above: dict[tuple[int, str], dict[str, Record]] = {}

    def compare(self, a: Record, b: Record) -> None:
        """Walk from the two records that were asked about."""
        if a.sha256 != b.sha256 or a.key == b.key:
            self._visit(a, b, asked=True)
        else:
            # Equal bytes under other keys: what differs above explains the keys, and no byte.
            self._cut(a, b)
            self._visit(a, b, asked=True, written=True)

    def _visit(self, a: Record, b: Record, asked: bool = False, written: bool = False) -> None:
        """One pair. `written`: it is compared by its record, in which the key itself stands."""
        mark = (a.file, b.file, written)
        if mark in self._seen or (a.key == b.key and a.sha256 == b.sha256):
            return
        self._seen.add(mark)
        pair = (a.file, b.file)
        if a.sha256 == b.sha256 and not written:
            self._cut(a, b)
            return
        self.pairs.setdefault(pair, (a, b))
        self.own.setdefault(pair, 0)
        if a.key == b.key:
            # Equal code, params, packages and inputs: by the promise of the key the bytes should be equal.
            self._add(Difference("bits", a.name, a.sha256[:12], b.sha256[:12]), a, b, True)
            return
        if self._related(a, b):
            return
        mine, reached = differences(a, b)
        mine = self._position(a, b, mine, asked)
        inputs = differing(a, b)
        others = [difference for difference in mine if not difference.declares]
        # The values that a params model declares stand in the key themselves; a default that changed
        # there explains nothing where something else does.
        mine = others if others or inputs else mine
        alone = len(mine) == 1 and not inputs
        for difference in mine:
            self._add(difference, a, b, alone)
            if difference.part == "function" and reached:
                known = self.causes[difference].more.setdefault("reached", [])
                known[:] = sorted({*known, *reached})
        for name, before, after in inputs:
            self._input(a, b, name, before, after, len(inputs) == 1 and not mine, written)
        self._equal_inputs(a, b)

    def _cut(self, a: Record, b: Record) -> None:
        changes, _ = differences(a, b)
        for name, before, after in differing(a, b):
            changes.append(
                Difference("input", name, (before or "none")[:12], (after or "none")[:12])
            )
        self.cuts[(a.file, b.file)] = Cut(pair_name(a, b), tuple(changes))

    def _position(
        self, a: Record, b: Record, mine: list[Difference], asked: bool
    ) -> list[Difference]:
        """Add the instance where it is a cause: another training step of the same stage.

        The instance of what reads a checkpoint (evaluate, release) follows from the checkpoint, and
        those of a stage with other steps or checkpoints, below the artifact or at the end of both
        stages, follow from those params.
        """
        if a.step != b.step or a.instance == b.instance or not (a.makes_checkpoint or asked):
            return mine
        if not a.makes_checkpoint and {"checkpoint"} <= a.inputs.keys() & b.inputs.keys():
            return mine
        counted = ("steps", "checkpoint_every")
        ends = self.left.checkpoints(a.step)[-1:] == [a] and self.right.checkpoints(b.step)[
            -1:
        ] == [b]
        if (ends or not asked) and any(
            d.part == "param" and d.name.endswith(counted) for d in mine
        ):
            return mine
        return [*mine, Difference("position", a.step, str(a.instance), str(b.instance))]

    def _input(
        self,
        a: Record,
        b: Record,
        name: str,
        before: str | None,
        after: str | None,
        alone: bool,
        written: bool,
    ) -> None:
        one, two = a.inputs.get(name), b.inputs.get(name)
        if (one is None) != (two is None):
            # The same input under a new name: the code says so already.
            one, two = namesake(a, one or two), namesake(b, one or two)
            before, after = (content(r, e) for r, e in ((a, one), (b, two)))
            if before == after:
                return
        if one is None or two is None:
            side = (shown_input(one), shown_input(two))
            cause = self._add(Difference("input", name, *side), a, b, alone)
            source = one or two or {}
            if source.get("kind") == "source":
                cause.more["source"] = {"path": source["path"], "old": before, "new": after}
            return
        if one["kind"] == two["kind"] == "source":
            path = one["path"] if one["path"] == two["path"] else f"{one['path']}|{two['path']}"
            difference = Difference("source", path, str(before)[:12], str(after)[:12])
            cause = self._add(difference, a, b, alone)
            cause.more["source"] = {
                "path": two["path"], "left": one["path"], "old": before, "new": after,
            }  # fmt: skip
            return
        up_a = self.left.by_file.get(one.get("record", ""))
        up_b = self.right.by_file.get(two.get("record", ""))
        kept = one["kind"] == "record"
        fresh = (
            up_a is not None
            and up_b is not None
            and (kept or (up_a.sha256, up_b.sha256) == (before, after))
        )
        if not fresh or up_a is None or up_b is None:
            # The record of the producer is missing, or newer than this one: nothing explains the input.
            difference = Difference("input", name, str(before)[:12], str(after)[:12])
            self._add(difference, a, b, alone).more["unexplained"] = True
            return
        self._visit(up_a, up_b, written=kept or written)

    def _equal_inputs(self, a: Record, b: Record) -> None:
        """Note where the walk ends although keys differ above: equal bytes."""
        before, after = a.parts["inputs"], b.parts["inputs"]
        for name in sorted(before.keys() & after.keys()):
            one = self.left.by_file.get(a.inputs.get(name, {}).get("record", ""))
            two = self.right.by_file.get(b.inputs.get(name, {}).get("record", ""))
            if one is None or two is None or one.key == two.key:
                continue
            if before[name] == after[name] == one.sha256 == two.sha256:
                self._cut(one, two)

    def _related(self, a: Record, b: Record) -> bool:
        """One was made from the other, or they are made by different functions. True: explained."""
        above_a, above_b = self._ancestry(0, a), self._ancestry(1, b)
        if a.key in above_b or b.key in above_a:
            later = (self.right, b, a) if a.key in above_b else (self.left, a, b)
            jobs = common_ancestors.between(*later)
            self._apart("further", a, b, jobs, {"between": [r.name for r in jobs]})
            return True
        code = [r.parts.get("code", {}).get("function") for r in (a, b)]
        if a.step == b.step or (code[0] == code[1] and code[0] is not None):
            return False
        only_a = [r for key, r in above_a.items() if key not in above_b]
        only_b = [r for key, r in above_b.items() if key not in above_a]
        both = {r.name for r in only_a} & {r.name for r in only_b}
        more = {
            "only_left": [r.name for r in only_a if r.name not in both],
            "only_right": [r.name for r in only_b if r.name not in both],
            "both_from": common_ancestors.last_common(self.left, a, above_b),
        }
        self._apart("step", a, b, [*only_a, *only_b], more)
        for name in sorted(both):
            self._visit(self.left.by_name[name], self.right.by_name[name])
        return True

    def _apart(
        self, part: str, a: Record, b: Record, made: list[Record], more: dict[str, Any]
    ) -> None:
        stage = a.step if a.step == b.step else "made by"
        cause = self._add(Difference(part, stage, a.name, b.name), a, b, True)
        cause.more |= more
        cause.more["brings"] = common_ancestors.contributed(
            made, self._ancestry(0, a), self._ancestry(1, b)
        )

    def _ancestry(self, side: int, record: Record) -> dict[str, Record]:
        mark = (side, record.file)
        if mark not in self._above:
            ledger = (self.left, self.right)[side]
            self._above[mark] = {r.key: r for r in ledger.ancestry(record)}
        return self._above[mark]

    def _add(self, difference: Difference, a: Record, b: Record, alone: bool) -> Cause:
        cause = self.causes.setdefault(difference, Cause(difference))
        name = pair_name(a, b)
        if name not in cause.jobs:
            cause.jobs.append(name)
            self.own[(a.file, b.file)] = self.own.get((a.file, b.file), 0) + 1
        if alone and a.sha256 != b.sha256 and name not in cause.moves:
            cause.moves.append(name)
        return cause
