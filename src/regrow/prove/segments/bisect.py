"""Two runs: the first step at which they differ, the tensor, the element, the distance in ULPs.

The chains give the first link that differs. The steps before it are then run again for each side by
its own recipe, from the last stored state that is equal, with a digest at every step. That tells
three cases apart: both come out as published (then the recipes differ, and the very step is found);
one does not (then its published state does not follow from its recipe); neither does (then this
machine or its code is not what made them).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regrow.evidence.record import Record
from regrow.prove.rebuild.numerics import certify
from regrow.prove.segments import replay
from regrow.prove.segments.links import FILE, read
from regrow.prove.segments.locate import Parting, locate
from regrow.prove.segments.sides import Side
from regrow.prove.segments.units import begins_at

Say = Callable[[str], None]


@dataclass
class Replayed:
    """A side run again up to the first link that differs."""

    folder: Path
    digests: dict[int, str]
    reproduced: bool
    """its published link came out"""


def bisect(
    left: Side, right: Side, scratch: Path, say: Say, *, rerun: bool = True
) -> dict[str, Any]:
    """Where two runs part.

    Returns:
        `verdict` (`equal`, `differs`); if they differ: `stage`, `link` (step), `equal_at` (step),
        `tensors` by the links, `causes`, and as far as known `step`, `reproduced`, `state_at` and
        `apart` (tensors with element and distance).

    Raises:
        Unanswerable: nothing to compare, something needed is not on disk, or this machine cannot
            give the numerics class of the rerun.
    """
    found = locate(left, right)
    count = left.chains_read + right.chains_read
    answer: dict[str, Any] = {"left": left.label, "right": right.label, "chains_read": count}
    if found is None:
        return {**answer, "verdict": "equal", "digest": left.links(left.record)[-1]["digest"]}
    answer |= {
        "verdict": "differs",
        "stage": [found.left.step, found.right.step],
        "equal_at": found.before,
        "link": found.step,
        "tensors": found.tensors,
        "causes": causes(found.left, found.right),
    }
    begin = begins_at(found.left)
    trained = [record.trained for record in (found.left, found.right)]
    no_training = "data" not in found.left.inputs or found.step == 0
    if not rerun or no_training or begin != begins_at(found.right):
        return answer | _stored(left, right, found, trained)
    certify([found.left, found.right])
    same = not answer["causes"]  # one recipe: what it gives need be made once
    say(
        f"rerunning {found.left.step} from step {begin} to {found.step}: "
        f"{found.step - begin} steps, {'once' if same else 'for each side'}"
    )
    sides = [_replay(left, found.left, found.step, scratch / "left")]
    if same:
        sides.append(_as_published(right, found.right, found.step, sides[0]))
    else:
        sides.append(_replay(right, found.right, found.step, scratch / "right"))
    answer["reproduced"] = [one.reproduced for one in sides]
    if all(answer["reproduced"]):
        return answer | _both(left, right, found, sides, scratch)
    return answer | _one(left, right, found, sides, trained)


def causes(left: Record, right: Record) -> list[str]:
    """Which parts of the two keys differ: `code`, `params.midtrain`, `inputs.data`, `packages.torch` ..."""
    ours, theirs = left.parts, right.parts
    found = [
        name for name in ("numerics", "instance", "options") if ours.get(name) != theirs.get(name)
    ]
    if ours["code"]["digest"] != theirs["code"]["digest"]:
        found.append("code")
    for part in ("params", "packages", "inputs"):
        one, two = ours.get(part, {}), theirs.get(part, {})
        for name in sorted(one.keys() | two.keys()):
            if one.get(name) != two.get(name):
                found.append(f"{part}.{name}")
    return found


def _replay(side: Side, record: Record, step: int, folder: Path) -> Replayed:
    """Run a side again to `step`, with a digest at every step."""
    made = side.replay.run(record, folder, step=step, every_step=True, source=side.source(record))
    digests = {item["step"]: item["digest"] for item in read(made / FILE)}
    return _as_published(side, record, step, Replayed(made, digests, False))


def _as_published(side: Side, record: Record, step: int, made: Replayed) -> Replayed:
    """A replay compared with what a side published."""
    published = next(item for item in side.links(record) if item["step"] == step)
    return Replayed(made.folder, made.digests, made.digests.get(step) == published["digest"])


def _both(
    left: Side, right: Side, found: Parting, sides: list[Replayed], scratch: Path
) -> dict[str, Any]:
    """Both recipes give what was published: the first step whose digests differ."""
    ours, theirs = sides
    steps = sorted(ours.digests.keys() & theirs.digests.keys())
    step = next(s for s in steps if ours.digests[s] != theirs.digests[s])
    folders = [ours.folder, theirs.folder]
    if step != found.step:  # once more, to stop right there
        folders = [
            _replay_to(side, record, step, scratch / f"{name}-{step}")
            for side, record, name in ((left, found.left, "left"), (right, found.right, "right"))
        ]
    return {"step": step, "state_at": step, "apart": _apart(*folders)}


def _replay_to(side: Side, record: Record, step: int, folder: Path) -> Path:
    return side.replay.run(record, folder, step=step, source=side.source(record))


def _one(
    left: Side, right: Side, found: Parting, sides: list[Replayed], trained: list[Any]
) -> dict[str, Any]:
    """At most one side comes out: the other's state is known only where it is stored."""
    folders = [
        _state(side, record, found.step, one if one.reproduced else None)
        for side, record, one in zip((left, right), (found.left, found.right), sides, strict=True)
    ]
    if folders[0] is None or folders[1] is None:
        return _stored(left, right, found, trained)
    step = {"step": found.step} if found.step - found.before == 1 else {}
    return {**step, "state_at": found.step, "apart": _apart(folders[0], folders[1])}


def _state(side: Side, record: Record, step: int, made: Replayed | None) -> Path | None:
    if made is not None:
        return made.folder
    return side.verified.folder(record) if record.trained and record.trained[1] == step else None


def _stored(left: Side, right: Side, found: Parting, trained: list[Any]) -> dict[str, Any]:
    """The states stored at the ends of the two spans, if they are of one step."""
    if not all(trained) or trained[0][1] != trained[1][1]:
        return {}
    step = trained[0][1]
    apart = _apart(left.verified.folder(found.left), right.verified.folder(found.right))
    exact = {"step": step} if step == found.step and step - found.before <= 1 else {}
    return {**exact, "state_at": step, "apart": apart}


def _apart(left: Path, right: Path) -> list[dict[str, Any]]:
    replay.prepare()
    from regrow.prove.segments import ulps

    return [item.as_json() for item in ulps.states(left, right)]
