"""`regrow verify A B`: where two runs part."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from regrow.cli.paint import Paint

SHOWN = 5
"""tensors that are listed; --json has all"""


def runs(args: argparse.Namespace) -> int:
    """The exit status is 1 if the runs differ."""
    from regrow.evidence.ledger import find_root
    from regrow.prove.segments.bisect import bisect
    from regrow.prove.segments.sides import side

    root = find_root()
    out = sys.stderr if args.json else sys.stdout
    paint = Paint(out)

    def say(text: str) -> None:
        print(text, file=out, flush=True)

    with tempfile.TemporaryDirectory(prefix="regrow-verify-") as folder:
        scratch = Path(folder)
        left, right = (
            side(root, name, scratch / label)
            for name, label in zip(args.artifacts, ("a", "b"), strict=True)
        )
        say(f"A  {left.record.name:<20} {paint.blue(left.record.sha256[:16])}  {left.label}")
        say(f"B  {right.record.name:<20} {paint.blue(right.record.sha256[:16])}  {right.label}")
        answer = bisect(
            left,
            right,
            scratch,
            lambda text: say(paint.dim(f"  … {text}")),
            rerun=not args.no_rerun,
        )
    if args.json:
        print(json.dumps(answer, indent=2))
    else:
        _show(answer, paint)
    return 0 if answer["verdict"] == "equal" else 1


def _show(answer: dict[str, Any], paint: Paint) -> None:
    if answer["verdict"] == "equal":
        print(
            paint.green("equal: ")
            + f"the chains of digests end alike ({answer['digest'][:16]}), so every link of them is."
        )
        return
    stage = " / ".join(dict.fromkeys(answer["stage"]))
    where = f"step {answer['step']}" if "step" in answer else _between(answer)
    print(
        paint.red(f"differ, first at {stage} {where}") + f"  ({answer['chains_read']} chains read)"
    )
    print(f"  {_cause(answer)}")
    if made_apart := _late(answer):
        print(f"  {made_apart}")
    if answer["causes"]:
        print(f"  the keys differ in: {', '.join(answer['causes'])}")
    if "apart" not in answer:
        print(
            f"  tensors at that link: {', '.join(answer['tensors'][:SHOWN]) or 'none, only the position'}"
        )
        return
    tensors = answer["apart"]
    print(
        f"  state after step {answer['state_at']}: {len(tensors)} tensor{'s differ' if len(tensors) != 1 else ' differs'}"
    )
    for item in tensors[:SHOWN]:
        print(f"    {item['tensor']}: {item['elements']:,} of {item['of']:,} elements")
        if item["first"]:
            print(f"      first    {_element(item['first'])}")
            if item["elements"] > 1:
                print(f"      furthest {_element(item['furthest'])}")
    if len(tensors) > SHOWN:
        print(f"    and {len(tensors) - SHOWN} more (--json lists them)")


def _between(answer: dict[str, Any]) -> str:
    return f"between step {answer['equal_at']} (equal) and step {answer['link']}"


def _cause(answer: dict[str, Any]) -> str:
    made = answer.get("reproduced")
    if made is None:
        return "by the chains alone; nothing was rerun"
    if all(made):
        return "both come out as published: their recipes or inputs differ"
    if not any(made):
        return (
            "neither comes out as published here: other code, other packages or a machine that "
            "does not compute as it must (`regrow doctor`)"
        )
    good, bad = ("A", "B") if made[0] else ("B", "A")
    return f"{good} comes out as published, {bad} does not: {bad} does not follow from its recipe"


def _late(answer: dict[str, Any]) -> str:
    """What it means that weights differ and no optimizer state does."""
    lone = answer["tensors"] and all(name.startswith("model/") for name in answer["tensors"])
    if "step" in answer or not lone:
        return ""
    return (
        "only weights differ, no optimizer state: changed after the last update before that link, "
        "since other weights give other gradients"
    )


def _element(place: dict[str, Any]) -> str:
    index = ", ".join(map(str, place["index"]))
    far = "" if place["ulps"] is None else f"  {place['ulps']:,} ULP"
    return f"[{index}]  {place['left']!r} / {place['right']!r}{far}"
