"""Run one job of the flow: look its key up, or else run its function and record the result.

The workflow's rules call this; people call `snakemake`. Exit status: 0 done, 1 the step failed,
2 the params are wrong, 130 interrupted. After a failure nothing is recorded and the previous
artifact is as it was.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("step", help="a step of the table")
    parser.add_argument("--instance", help="of an instanced step: which one")
    parser.add_argument("--params", default="params/demo.yaml", help="the params file")
    parser.add_argument("--log", type=Path, help="also write progress here")
    parser.add_argument(
        "--no-cache", action="store_true", help="look nothing up (also: REGROW_CACHE_OFF=1)"
    )
    parser.add_argument(
        "--hermetic",
        action="store_true",
        help="let the step see only what its key counts: undeclared files, variables and packages fail it "
        "(also, for a whole run: REGROW_HERMETIC=1 snakemake ...; docs/reference/keys.md)",
    )


def run(args: argparse.Namespace) -> int:
    """Run the job; errors are said inside the tee, so that the log file has them too."""
    from regrow.engine import files, hermetic, mistakes, runner
    from regrow.engine.present import find_root
    from regrow.engine.tee import tee

    if args.no_cache:
        os.environ[runner.CACHE_OFF] = "1"
    if args.hermetic:
        os.environ[hermetic.VARIABLE] = "1"
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    name = args.step if args.instance is None else f"{args.step}.{args.instance}"
    with tee(name, args.log):
        try:
            root = find_root()
            outcome = runner.run(root, args.step, args.instance, args.params)
        except KeyboardInterrupt:
            print(
                "interrupted: nothing was recorded; the next run goes on from here.",
                file=sys.stderr,
            )
            return 130
        except Exception as error:
            if (status := mistakes.status(error)) is not None:
                print(error, file=sys.stderr)
                return status
            if files.disk_full(error):
                print(
                    "the disk is full. Nothing was recorded; free space and run again.",
                    file=sys.stderr,
                )
                return 1
            traceback.print_exc()
            print(
                f"failed: {type(error).__name__}: {error}. Nothing was recorded.", file=sys.stderr
            )
            return 1
        print(
            {"run": "done", "hit": "known, not run", "fetched": "known, fetched"}[outcome],
            file=sys.stderr,
        )
    return 0
