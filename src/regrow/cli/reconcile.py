"""Compare the records with the present and write code.json, dvc.yaml, dvc.lock and file times.

`snakemake` does this by itself whenever it starts. `--check` is for commit hooks and CI: it fails
if a record, code.json, dvc.yaml or dvc.lock does not describe the code and params at hand.
"""

from __future__ import annotations

import argparse
import sys


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("--params", default="params/demo.yaml", help="the params file")
    parser.add_argument("--check", action="store_true", help="exit status 1 if anything is stale")


def run(args: argparse.Namespace) -> int:
    """Reconcile, and say what is stale."""
    from regrow.engine.present import Present, find_root
    from regrow.engine.reconcile import reconcile
    from regrow.engine.workflow import tell

    root = find_root()
    written = ("code.json", "dvc.yaml", "dvc.lock")
    before = {name: _read(root / name) for name in written}
    found = reconcile(Present(root, args.params))
    assessment = found.assessment
    stale = [v.job.name for v in assessment.verdicts.values() if v.stale]
    changed = [name for name in written if _read(root / name) != before[name]]
    for name in stale:
        print(f"{name}: " + "; ".join(c.text for c in assessment.verdicts[name].reasons))
    for name in changed:
        print(f"{name}: rewritten")
    tell(found, args.params)
    if found.unwritten:
        print(f"compared only, nothing can be written here: {found.unwritten}", file=sys.stderr)
    if not stale:
        print(f"{len(assessment.verdicts)} records describe the present.")
    upset = stale or changed or found.rewritten or found.left_over
    return 1 if (args.check and upset) or (found.unwritten and not args.check) else 0


def _read(path: object) -> bytes | None:
    from pathlib import Path

    try:
        return Path(str(path)).read_bytes()
    except OSError:
        return None
