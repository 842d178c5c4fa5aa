"""The call of a step's function, which another process (`hermetic`, `warm`) may be handed as JSON."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from regrow.engine import loading
from regrow.engine.jobs import Flow

HOME = "home"
"""the folder that a closed process may fill beside the output, in the folder of its order"""


@dataclass(frozen=True)
class Call:
    """A step's function and what it is called with; the params are read where it is called."""

    path: str
    """"module:function\""""
    idle: Collection[str]
    """packages hidden while it is loaded"""
    inputs: Mapping[str, Path]
    params_file: Path
    sections: Collection[str]
    """of the params file, that the step declares"""
    output: Path
    """the folder to fill"""
    extra: Mapping[str, Any]
    """further keyword arguments; a Path among them (`scratch`) may be written"""

    def written(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "function": self.path,
            "idle": list(self.idle),
            "inputs": {name: str(path) for name, path in self.inputs.items()},
            "params": [str(self.params_file), list(self.sections)],
            "output": str(self.output),
            "extra": {k: v for k, v in self.extra.items() if not isinstance(v, Path)},
            "folders": {k: str(v) for k, v in self.folders.items()},
        }

    @classmethod
    def read(cls, order: Mapping[str, Any]) -> Call:
        """The call that was `written`."""
        file, sections = order["params"]
        folders = {name: Path(path) for name, path in order["folders"].items()}
        return cls(
            path=order["function"],
            idle=order["idle"],
            inputs={name: Path(path) for name, path in order["inputs"].items()},
            params_file=Path(file),
            sections=sections,
            output=Path(order["output"]),
            extra=order["extra"] | folders,
        )

    @property
    def folders(self) -> dict[str, Path]:
        """Those of the further arguments that may be written."""
        return {name: value for name, value in self.extra.items() if isinstance(value, Path)}

    def params(self, flow: Flow) -> SimpleNamespace:
        """What the step sees of the params file. Raises ParamsError."""
        every = flow.load(self.params_file)
        return SimpleNamespace(**{section: getattr(every, section) for section in self.sections})

    def function(self) -> Callable[..., Any]:
        """Load the function. Raises ModuleNotFoundError."""
        found: Callable[..., Any] = loading.function(self.path, self.idle)
        return found

    def run(self, function: Callable[..., Any], params: SimpleNamespace) -> Any:
        """Call it; returns its counts."""
        return function(self.inputs, params, self.output, **self.extra)
