"""Compare expressions by math-verify, each pair in a child of its own that can be stopped.

A process that has loaded math-verify and forks for every pair, so that each comparison starts from the
same state (sympy caches what it has seen) and one that does not end is killed without harm to others.
Reads a line of JSON `[gold, answer]`, writes a line: `equal`, `different`, `time-out`, or what went wrong.
"""

from __future__ import annotations

import json
import logging
import os
import re
import resource
import signal
import sys
from typing import Any

import sympy
from latex2sympy2_extended import NormalizationConfig, latex2sympy, normalize_latex
from latex2sympy2_extended.latex2sympy2 import ConversionConfig
from math_verify import verify

from regrow.learn.verifiers import math_exact

CPU_SECONDS = 3
MEMORY_BYTES = 2 * 2**30
_NORMAL = NormalizationConfig(
    basic_latex=True, units=False, malformed_operators=True, nits=True, boxed="none"
)
_CONVERSION = ConversionConfig(lowercase_symbols=False)
_IMAGINARY = re.compile(r"(?<![A-Za-z\\])i(?![A-Za-z])")
_CAPITAL_I = re.compile(r"(?<!\\)(?<!\\[A-Za-z])I")
_INDEXED = re.compile(r"\\(?:sum|prod)(?![A-Za-z])|_ ?\{? ?i")


def compare(gold: str, answer: str) -> str:
    """What math-verify says of two texts in LaTeX, here and now, without any limit.

    math-verify's own `parse` looks for the last expression in a text and passes over what stands round
    it, units and the case of letters; here the whole text is one expression.
    """
    both = gold + " " + answer
    imaginary = bool(_IMAGINARY.search(both)) and not _INDEXED.search(both)
    read = []
    for text, whose in ((gold, "the expected answer cannot be read"), (answer, "cannot be read")):
        try:
            read.append(_parsed(text, imaginary=imaginary))
        except (RecursionError, MemoryError):
            raise
        except Exception:
            return whose
    return "equal" if verify(*read, timeout_seconds=None) else "different"


def _parsed(text: str, *, imaginary: bool) -> Any:
    """A text as a sympy object; a letter `i` is the imaginary unit, or a letter."""
    real = None if imaginary else True
    # latex2sympy reads the letter I as the imaginary unit; `readable` lets no other \Upsilon through.
    text = normalize_latex(_CAPITAL_I.sub(r"\\Upsilon ", text), _NORMAL)
    found = latex2sympy(
        text,
        is_real=real,
        convert_degrees=False,
        normalization_config=None,
        conversion_config=_CONVERSION,
    )
    return found.subs(sympy.Symbol("i"), sympy.I) if imaginary else found


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
    math_exact.install()
    compare("\\frac{1}{2}", "x^2 + 0.5")  # grammars are built at first use
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
