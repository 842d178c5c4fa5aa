"""Call a step's function as the flow does, to any training step, in this process or in another one.

What runs is the published function itself, not a copy of its loop: a verifier rebuilds nothing
that could drift from it. Run as a program (`python worker.py task.json`) it needs nothing of this
package, so that it can run another revision's code.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def work(task: dict[str, Any]) -> None:
    """Fill `task["output"]`.

    `task` (JSON values): `function` (`module:name`), `params` (section -> values), `inputs`
    (name -> folder), `output`, and `more`: what the function takes by name (`scratch` a path).
    """
    from regrow.params.schema import Params

    checked = Params.model_validate(task["params"])
    params = SimpleNamespace(**{name: getattr(checked, name) for name in task["params"]})
    module, _, name = task["function"].partition(":")
    more = dict(task["more"])
    if "scratch" in more:
        more["scratch"] = Path(more["scratch"])
        more["scratch"].mkdir(parents=True, exist_ok=True)
    inputs = {key: Path(path) for key, path in task["inputs"].items()}
    output = Path(task["output"])
    output.mkdir(parents=True, exist_ok=True)
    getattr(importlib.import_module(module), name)(inputs, params, output, **more)


if __name__ == "__main__":
    # The folder of a program comes first on the path, and it is not one to import from.
    sys.path.pop(0)
    work(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
