"""Figures of the published run that sentences of the docs state: where they come from, how they are written.

A sentence is a template: `crawls {crawl/pages} real pages`. What stands in braces is looked up:

| written | is |
| --- | --- |
| `filter/dropped/language.other` | a count of `records/filter.json`; a mapping counts as its sum |
| `filter/dropped/repetition.*` | the sum over the names that match; so are `rlvr.*/sequences` and `index.*:size`, over records |
| `filter:size` | bytes of the output |
| `classify:metrics.json/topic/accuracy` | a value of a file of the output, as `data/` or `published/store` holds it |
| `mean evaluate.sft-000720/exact_match` | the mean over the three seeds |
| `gains/rlvr/pass_rate/paired/low` | a field of `regrow evals --gains --json`; `loss_long#2` is the second of that name |
| `=jobs` | what a function of `DERIVED` gives |
| `…` | whatever stands there, in one line |
| `A + B`, `A - B` | sum, difference |

and formatted by what follows the colon and a space: `,` (the default of whole numbers), `.2f`, `+.2f`, `~2` (two significant digits),
`k`, `M`, `k.1f`, `M.1f` (thousands, millions), `%.1f`.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from small_repository import ROOT

NUMBER = r"[+−-]?\d(?:[\d,.]*\d)?"
SEEDS = (1, 2)
DERIVED: dict[str, Callable[[], float | str]] = {}


class Absent(Exception):
    """A file that a plain clone does not hold: the figure can be computed where the run is."""


def derived(function: Callable[[], float | str]) -> Callable[[], float | str]:
    """Register a figure under the name of its function."""
    DERIVED[function.__name__] = function
    return function


@cache
def record(name: str) -> dict[str, Any]:
    """A committed record."""
    return dict(json.loads((ROOT / f"records/{name}.json").read_bytes()))


@cache
def names() -> tuple[str, ...]:
    """Every committed record."""
    return tuple(sorted(p.stem for p in (ROOT / "records").glob("*.json")))


def stored(name: str, path: str) -> Path:
    """A file of an output, of the recorded bytes: from the run, or from the store that git carries."""
    output = record(name)["output"]
    (entry,) = (f for f in output["files"] if f["path"] == path)
    kept = f"{entry['md5'][:2]}/{entry['md5'][2:]}"
    for place in (ROOT / output["path"] / path, ROOT / "published/store/files/md5" / kept):
        if place.is_file() and _sha256(place) == entry["sha256"]:
            return place
    raise Absent(f"{output['path']}/{path} is not here")


@cache
def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def _gains() -> dict[str, dict[str, Any]]:
    if not (ROOT / "data/evaluate").is_dir():
        raise Absent("data/evaluate is not here")
    code = "import sys; from regrow.cli.main import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "evals", "--gains", "--json"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    found: dict[str, dict[str, Any]] = {}
    for row in json.loads(done.stdout):
        name, number = f"{row['stage']}/{row['metric']}", 1
        while (key := name if number == 1 else f"{name}#{number}") in found:
            number += 1
        found[key] = row
    return found


def value(expression: str) -> Any:
    """What an expression of a template stands for."""
    if expression.startswith("mean "):
        before, _, after = expression.removeprefix("mean ").partition(" - mean ")
        return _mean(before) - (_mean(after) if after else 0.0)
    first, *rest = re.split(r" ([+-]) ", expression)
    total = _term(first)
    for sign, term in zip(rest[::2], rest[1::2], strict=True):
        total = total + _term(term) if sign == "+" else total - _term(term)
    return total


def _mean(term: str) -> float:
    """Of a checkpoint's evaluation and those of the same checkpoint under the other seeds."""
    matched = re.fullmatch(r"evaluate\.(\w+)-(\d+)/(.*)", term)
    assert matched, term
    stage, step, field = matched.groups()
    seeded = [f"evaluate_seed{n}.{stage}_seed{n}-{step}/{field}" for n in SEEDS]
    return math.fsum(float(_term(t)) for t in (term, *seeded)) / (1 + len(SEEDS))


def _term(term: str) -> Any:
    if term.startswith("="):
        return DERIVED[term[1:]]()
    if term.startswith("gains/"):
        stage, metric, *fields = term.split("/")[1:]
        return _inside(_gains()[f"{stage}/{metric}"], fields)
    head, *fields = term.split("/")
    name, _, of = head.partition(":")
    if of not in ("", "size"):
        return _inside(json.loads(stored(name, of).read_bytes()), fields)
    matched = [n for n in names() if fnmatchcase(n, name)]
    assert matched, name
    if of:
        return sum(record(n)["output"]["size"] for n in matched)
    first, *more = (_inside(record(n)["counts"], fields) for n in matched)
    return first if not more else first + sum(more)


def _inside(held: Any, fields: list[str]) -> Any:
    for number, field in enumerate(fields):
        if "*" in field:
            rest = fields[number + 1 :]
            matched = [held[key] for key in held if fnmatchcase(key, field)]
            assert matched, field
            return sum(_inside(m, rest) for m in matched)
        held = held[field]
    return sum(held.values()) if isinstance(held, dict) else held


def written(found: float | str, form: str) -> str:
    """A value as a sentence writes it."""
    if isinstance(found, str):
        return found
    if form.startswith("~"):
        digits = int(form[1:]) - 1 - math.floor(math.log10(abs(found)))
        text = f"{round(found, digits):,.{max(0, digits)}f}"
    elif form[:1] in ("k", "M", "%"):
        scaled = found * {"k": 1e-3, "M": 1e-6, "%": 100}[form[0]]
        text = format(scaled, form[1:] or ".0f")
    else:
        text = format(found, form or ("," if isinstance(found, int) else ""))
    return text.replace("-", "−")


PLACE = re.compile(r"\{([^{}]+?)(?:: ([^{}]+))?\}")


class Sentence:
    """A template: what it looks for in a page, and what should stand there."""

    def __init__(self, template: str) -> None:
        self.template = template
        self.places: list[tuple[str, str]] = []
        pattern, start = "", 0
        for match in PLACE.finditer(template):
            pattern += _literal(template[start : match.start()])
            start = match.end()
            if match[1] == "…":
                pattern += r"[^\n]*?"
                continue
            self.places.append((match[1], match[2] or ""))
            worded = match[1].startswith("=") and match[1][1:] in WORDED
            pattern += f"({'[^()|]+?' if worded else NUMBER})"
        pattern += _literal(template[start:])
        self.pattern = re.compile(pattern)

    def expected(self) -> list[str]:
        """The figures as they should be written, in their order."""
        return [written(value(expression), form) for expression, form in self.places]

    def found(self, text: str) -> list[list[str]]:
        """The figures of every place of a page that reads like the template."""
        return [list(m.groups()) for m in self.pattern.finditer(text)]

    def corrected(self, text: str) -> str:
        """The page with the right figures; nothing else moves."""
        right = self.expected()

        def put(match: re.Match[str]) -> str:
            whole, at = match.group(), match.start()
            for n in range(len(right), 0, -1):
                start, end = match.span(n)
                whole = whole[: start - at] + right[n - 1] + whole[end - at :]
            return whole

        return self.pattern.sub(put, text)


WORDED = {"skipped_midtrain", "kept_run", "flop"}
"""derived figures that are words or lists, not one number"""


def _literal(text: str) -> str:
    """Text of a template as a pattern: white space may be a line break (in a list, an indented one)."""
    return r"\s+".join(re.escape(part) for part in re.split(r"\s+", text))
