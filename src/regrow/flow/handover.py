"""The call of a step's function, written down for another process (`hermetic`, `warm`) and read there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from regrow.flow import loading
from regrow.flow.jobs import Flow


def written(
    function: str,
    idle: Collection[str],
    paths: Mapping[str, Path],
    params: tuple[Path, Collection[str]],
    output: Path,
    extra: Mapping[str, Any],
) -> dict[str, Any]:
    """A call as JSON; arguments as those of `hermetic.call`."""
    return {
        "function": function,
        "idle": list(idle),
        "inputs": {name: str(path) for name, path in paths.items()},
        "params": [str(params[0]), list(params[1])],
        "output": str(output),
        "extra": {k: v for k, v in extra.items() if not isinstance(v, Path)},
        "folders": {k: str(v) for k, v in extra.items() if isinstance(v, Path)},
    }


@dataclass(frozen=True)
class Call:
    """A call that was written down; the params are read anew."""

    path: str
    idle: tuple[str, ...]
    inputs: dict[str, Path]
    params: SimpleNamespace
    output: Path
    extra: dict[str, Any]
    folders: dict[str, Path]
    """further arguments that are paths: they may be written"""

    @classmethod
    def read(cls, order: Mapping[str, Any], flow: Flow) -> Call:
        """The call that `written` wrote. Raises ParamsError."""
        file, sections = order["params"]
        every = flow.load(Path(file))
        return cls(
            path=order["function"],
            idle=tuple(order["idle"]),
            inputs={name: Path(path) for name, path in order["inputs"].items()},
            params=SimpleNamespace(**{section: getattr(every, section) for section in sections}),
            output=Path(order["output"]),
            extra=order["extra"],
            folders={name: Path(path) for name, path in order["folders"].items()},
        )

    def function(self) -> Callable[..., Any]:
        """Load the function. Raises ModuleNotFoundError."""
        found: Callable[..., Any] = loading.function(self.path, self.idle)
        return found

    def run(self, function: Callable[..., Any]) -> Any:
        """Call it; returns its counts."""
        return function(self.inputs, self.params, self.output, **self.extra, **self.folders)
