"""What `snakemake` would do now, and why: which steps run, which are known by key, and which
component of the key changed: the param (old -> new), the function, the package, the input.

With --scale instead: what the params file would take at full size: parameters, tokens, FLOPs, memory
per rank by ZeRO stage, days on so many GPUs, storage, jobs (docs/guides/scale.md has the formulas).

Nothing is run or written. Examples:
  regrow plan
  regrow plan --params params/small.yaml
  regrow plan --json | jq '.jobs[] | select(.action == "run") | .job'
  regrow plan --scale --params params/olmo3-7b.yaml --vocabulary 100278 --gpus 512 --utilisation 0.43
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "--params",
        "--configfile",
        default="params/demo.yaml",
        help="the params file (params/demo.yaml)",
    )
    parser.add_argument("--all", action="store_true", help="list jobs with nothing to do as well")
    parser.add_argument("--seeds", action="store_true", help="of `snakemake seeds` instead")
    parser.add_argument("--json", action="store_true", help="the answer as JSON")
    scale = parser.add_argument_group("what it would take")
    scale.add_argument("--scale", action="store_true", help="estimate instead of planning a run")
    scale.add_argument("--gpus", type=int, default=1024, help="GPUs, each a rank (1024)")
    scale.add_argument(
        "--utilisation", type=float, default=0.4, help="share of the peak that is reached (0.4)"
    )
    scale.add_argument(
        "--peak-flops", type=float, default=989e12, help="of a GPU, per second (989e12: H100, bf16)"
    )
    scale.add_argument("--vocabulary", type=int, help="tokens (default: as in the params file)")


def run(args: argparse.Namespace) -> int:
    """Print the plan, or the estimate."""
    if args.scale:
        return _scale(args)
    from regrow.engine.plan import plan
    from regrow.engine.present import Present, find_root

    root = find_root()
    found = plan(Present(root, args.params), args.seeds)
    if args.json:
        print(json.dumps(found, indent=2))
        return 0
    _show(found, args.all)
    if hint := _elsewhere(root, args.params):
        print(hint)
    return 0


def _scale(args: argparse.Namespace) -> int:
    from regrow.ask.scale.estimate import Machine, estimate
    from regrow.cli import scale
    from regrow.cli.paint import Paint
    from regrow.engine.present import find_root

    machine = Machine(args.gpus, args.utilisation, args.peak_flops)
    answer = estimate(find_root(), args.params, machine, args.vocabulary)
    if args.json:
        print(json.dumps(answer, indent=2))
    else:
        scale.show(answer, Paint())
    return 0


def _show(found: dict[str, Any], everything: bool) -> None:
    from regrow.cli.paint import Paint
    from regrow.engine.plan import MEANING

    paint = Paint()
    colour = {
        "run": paint.yellow,
        "follow": paint.yellow,
        "hit": paint.green,
        "restore": paint.blue,
        "current": paint.dim,
        "aside": paint.dim,
    }
    width = max(len(job["job"]) for job in found["jobs"])
    for group in _grouped(found["jobs"], everything):
        job = group[0]
        name = job["job"] if len(group) == 1 else f"{job['step']} x {len(group)}"
        action = colour[job["action"]](f"{job['action']:<7}")
        print(f"{name:<{width}}  {action}  {MEANING[job['action']]}")
        for reason in job["reasons"]:
            print(f"{'':<{width}}    {reason['part']}: {reason['text']}")
        if not job["reasons"] and job["upstream"] and job["action"] != "current":
            print(f"{'':<{width}}    after {', '.join(job['upstream'][:6])}")
    if found["remote_trouble"]:
        print(paint.red(f"The DVC remote could not be asked: {found['remote_trouble']}"))
    parts = [f"{n} {action}" for action, n in found["summary"].items() if n]
    print(f"{len(found['jobs'])} jobs under {found['params_file']}: {', '.join(parts)}.")


def _elsewhere(root: Path, file: str) -> str:
    """A hint where the records are those of another params file, and the default one was planned."""
    from regrow.engine.present import DEFAULT_PARAMS
    from regrow.evidence.errors import Unanswerable
    from regrow.evidence.ledger import Ledger
    from regrow.evidence.left_over import grown_under

    if file != DEFAULT_PARAMS or not any((root / "records").glob("*.json")):
        return ""
    try:
        grown = grown_under(Ledger.load(root))
    except Unanswerable:
        return ""
    return (
        ""
        if grown == file
        else f"The records here are those of {grown}: `regrow plan --configfile {grown}`."
    )


def _grouped(jobs: list[dict[str, Any]], everything: bool) -> list[list[dict[str, Any]]]:
    """Neighbouring instances of a step whose action and reasons are the same, together."""
    groups: list[list[dict[str, Any]]] = []
    for job in jobs:
        if job["action"] in ("current", "aside") and not everything:
            continue
        last = groups[-1][0] if groups else None
        if last is not None and (last["step"], last["action"], last["reasons"]) == (
            job["step"],
            job["action"],
            job["reasons"],
        ):
            groups[-1].append(job)
        else:
            groups.append([job])
    return groups
