"""The closed process of `regrow.engine.hermetic`: shuts itself in, calls the function, reports what it saw."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from regrow.engine import environment, jobs, mistakes
from regrow.engine.handover import HOME, Call
from regrow.engine.landlock import enclose
from regrow.engine.watch import Watch


def main(place: Path) -> None:
    """Do what `order.json` in `place` says; leave `home/said.json` there, unless that fails."""
    order = json.loads((place / "order.json").read_text())
    flow = jobs.flow()
    try:
        params = Call.read(order).params(flow)
        said = called(place, order, params, set(sys.modules), flow.packages)
    except Exception as error:
        if (status := mistakes.status(error)) is None:
            raise
        said = {"failed": str(error), "status": status}
    (place / HOME / "said.json").write_text(json.dumps(said))


def called(
    place: Path,
    order: dict[str, Any],
    params: SimpleNamespace,
    before: set[str],
    ours: Collection[str],
) -> dict[str, Any]:
    """Shut this process in and call the step's function.

    Args:
        place: the process's folder; it may fill `HOME` in it.
        order: the call as JSON, and under `closed` what it may see.
        params: what the step sees of the params file.
        before: modules that do not count as loaded by the step.
        ours: packages whose modules the key counts one by one.

    Returns:
        Its `counts`, the `modules` of ours that it loaded, and what it has `seen` that its key does not count.
    """
    call = Call.read(order)
    closed = order["closed"]
    own = [call.output, place / HOME, *call.folders.values()]
    read = [*call.inputs.values(), *map(Path, closed["system"]), *_code()]
    watch = Watch(read=[*read, *own], kept=[*closed["kept"], *_SET_HERE])
    inside = enclose(read=[*read, place], write=[*own, Path("/dev"), Path("/proc")])
    if not inside:
        print("no Landlock here: what native code reads is not seen", file=sys.stderr)
    with watch:
        counts = call.run(call.function(), params)
    seen = [*watch.seen, *_strangers(set(closed["packages"]), before)]
    loaded = sorted(m for m in set(sys.modules) - before if m.split(".")[0] in ours)
    return {"counts": counts, "modules": loaded, "seen": seen}


def _code() -> list[Path]:
    """Where code and packages are: the interpreter, its environment, and the sources of ours."""
    tops = [Path(sys.prefix), Path(sys.base_prefix), Path(sys.exec_prefix)]
    return [*tops, *(Path(entry) for entry in sys.path if entry)]


_SET_HERE = ("HOME", "TMPDIR", "LC_CTYPE", "ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA")
"""variables that this process, Python itself or `regrow.numerics` gives a value where there is none"""
PROBED = {
    "brotli": "urllib3 and httpx, to unpack what a server sends; no step asks one",
    "cloudpickle": "pyarrow, to pickle what has no name; no step pickles",
    "colorama": "tqdm, to colour a bar",
    "dill": "datasets and torch, to pickle; no step pickles",
    "fsspec": "polars, for addresses; steps give it paths",
    "psutil": "torch and datasets, to look at the memory",
    "pydot": "torch, to draw graphs",
    "pytz": "pandas, for time zones; no step has times",
    "zstandard": "fsspec, which warcio loads as well, for addresses of packed files; steps give paths",
    "wcwidth": "tabulate, for the width of a letter on a terminal",
}
"""packages that others load only where they find them -> who, and why no byte depends on it"""


def _strangers(packages: set[str], before: set[str]) -> list[str]:
    """Distributions that the step loaded and that its key does not name. `before`: modules that do not count."""
    known = environment.makers()
    names = {name.lower().replace("_", "-") for name in packages}
    found: dict[str, str] = {}
    for module in sorted(set(sys.modules) - before):
        top = module.partition(".")[0]
        makers = known.get(top, set())
        if makers and not makers & (names | {"regrow"} | PROBED.keys()):
            found.setdefault(top, sorted(makers)[0])
    return [f"package {dist} (module {top})" for top, dist in found.items()]


if __name__ == "__main__":
    os.environ.pop("PYTHONSTARTUP", None)
    arguments: Any = sys.argv[1:]
    main(Path(arguments[0]))
