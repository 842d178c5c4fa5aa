"""Rerun a checkpoint's training from a stored state to any step, by the record's own recipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regrow.engine import jobs, variables
from regrow.engine.closure import Modules, closure
from regrow.engine.errors import FlowError
from regrow.engine.loading import function as preload
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record
from regrow.prove.segments import worker
from regrow.prove.segments.verified_files import VerifiedFiles
from regrow.recipe.lines import FMA32, like


@dataclass(frozen=True)
class Replay:
    """Reruns of what the records of a ledger describe, on inputs that were compared with them."""

    ledger: Ledger
    verified: VerifiedFiles

    def task(
        self,
        record: Record,
        output: Path,
        *,
        step: int | None = None,
        start: Path | None = None,
        every_step: bool = False,
    ) -> dict[str, Any]:
        """What to run (see `worker.work`) to rebuild `record`, or the state at `step` of it.

        `start`: a state of the same stage to go on from, instead of the stored one. `every_step`: a
        digest at every step, which changes no bit of the training.

        Raises:
            Unanswerable: an input is not on disk, or the record names a function that is not ours.
        """
        function = str(record.parts["code"]["function"])
        if not function.startswith("regrow."):  # a record may come from anybody
            raise Unanswerable(f"{record.file}: `{function}` is no function of this package.")
        inputs = {}
        for name, entry in sorted(record.inputs.items()):
            parent = self.ledger.by_file.get(entry.get("record", ""))
            if parent is None:
                raise Unanswerable(f"{record.file}: the record of its input `{name}` is not here.")
            if name == "previous" and start is not None:
                continue
            inputs[name] = str(self.verified.folder(parent))
        if start is not None:
            inputs["previous"] = str(start)
        params = json.loads(json.dumps(record.parts["params"]))
        if every_step:
            for values in params.values():
                if "digest_every" in values:
                    values["digest_every"] = 1
        more: dict[str, Any] = dict(record.options)
        if record.instance is not None:
            more["instance"] = record.instance if step is None else f"{step:06d}"
        if "data" in record.inputs:
            more["scratch"] = str(output.with_name(output.name + ".scratch"))
        return {
            "function": function,
            "params": params,
            "inputs": inputs,
            "output": str(output),
            "more": more,
        }

    def run(
        self,
        record: Record,
        output: Path,
        *,
        step: int | None = None,
        start: Path | None = None,
        every_step: bool = False,
        source: Path | None = None,
    ) -> Path:
        """Do it (see `task`), here or with the code below `source`; returns the output.

        Raises:
            Unanswerable: as `task`; or the step failed, or this machine cannot compute as it must.
            KeyboardInterrupt: it was stopped.
        """
        what = self.task(record, output, step=step, start=start, every_step=every_step)
        return run(what, source)


def run(what: dict[str, Any], source: Path | None = None) -> Path:
    """Do a task here, or with the code below `source` in a process of its own; returns its output.

    Raises:
        Unanswerable: the step failed, or this machine cannot compute as it must.
        KeyboardInterrupt: it was stopped.
    """
    output = Path(what["output"])
    if source is not None:
        _elsewhere(what, source)
        return output
    try:
        with variables.shut_out():
            _load(what["function"])
            worker.work(what)
    except SystemExit as stop:  # a training step that was interrupted saves its state and leaves
        raise KeyboardInterrupt from stop
    except (ValueError, RuntimeError, OSError, ImportError, KeyError) as error:
        raise Unanswerable(
            f"{what['function']} to step {what['more'].get('instance')} failed: "
            f"{type(error).__name__}: {error}"
        ) from error
    return output


def prepare() -> None:
    """Import torch and transformers without what they would import for nothing."""
    idle = FMA32["idle"]
    preload("regrow.learn.train.stage:run", idle)


def _load(function: str) -> None:
    """Import the step's module without what it would import for nothing."""
    preload(function, FMA32["idle"])


def _elsewhere(what: dict[str, Any], source: Path) -> None:
    file = Path(what["output"] + ".json")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(what), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(Path(worker.__file__)), str(file)],
        env={name: value for name, value in os.environ.items() if variables.kept(name)}
        | {"PYTHONPATH": str(source)},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise Unanswerable(f"{what['function']} with the code in {source} failed: {last}")


def _models(record: Record) -> list[str]:
    """The fields of the params model that the sections of a record are like."""
    own = record.options.get("settings")
    kind = record.kind.name if record.kind else ""
    return [
        like(name, kind, record.options) if kind and name == own else name
        for name in record.parts["params"]
    ]


def other_code(root: Path, records: list[Record]) -> list[str]:
    """Steps whose code here is not the code of their record; in the order of the flow."""
    flow = jobs.flow()
    modules = Modules(root / ".regrow/syntax.json", flow.packages)
    found: dict[str, bool] = {}
    for record in records:
        if record.step in found:
            continue
        try:
            module = record.function.partition(":")[0]
            here = closure(modules, module, flow.params_root, _models(record)).digest()
        except FlowError:
            here = ""
        found[record.step] = here != record.parts["code"]["digest"]
    return [name for name, other in found.items() if other]
