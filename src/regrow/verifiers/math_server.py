"""Compare expressions by math-verify, each pair in a child of its own that can be stopped.

A process that has loaded math-verify and forks for every pair, so that each comparison starts from the
same state (sympy caches what it has seen) and one that does not end is killed without harm to others.
Reads a line of JSON `[gold, answer]`, writes a line: `equal`, `different`, `time-out`, or what went wrong.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import sys

from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify

CPU_SECONDS = 3
MEMORY_BYTES = 2 * 2**30
_TARGETS = (LatexExtractionConfig(boxed_match_priority=0), ExprExtractionConfig())


def compare(gold: str, answer: str) -> str:
    """What math-verify says of a pair, here and now, without any limit."""
    read = [
        parse(text, _TARGETS, fallback_mode="no_fallback", parsing_timeout=None)
        for text in (gold, answer)
    ]
    if not read[0]:
        return "the expected answer cannot be read"
    if not read[1]:
        return "cannot be read"
    return "equal" if verify(*read, timeout_seconds=None) else "different"


def _child(pair: list[str]) -> None:
    """Compare and exit with the answer in a pipe's place: standard output."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)  # SIGPROF ends the process
    try:
        said = compare(*pair)
    except BaseException as error:
        said = f"{type(error).__name__} while comparing"
    os.write(1, said.encode() + b"\n")
    os._exit(0)


def main() -> None:
    """Serve until standard input ends."""
    logging.disable(logging.CRITICAL)
    compare("$\\frac{1}{2}$", "$x^2 + 0.5$")  # grammars are built at first use
    for line in sys.stdin.buffer:
        pair = json.loads(line)
        if (child := os.fork()) == 0:
            _child(pair)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code:
            said = (
                "time-out" if code in (-signal.SIGPROF, -signal.SIGXCPU) else "the comparison broke"
            )
            os.write(1, said.encode() + b"\n")


if __name__ == "__main__":
    main()
