"""Imports of our modules, each in a fork of a process that has torch and transformers loaded and nothing of ours.

What importing loads is seen from outside: an oracle that knows no closure.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SERVER = """
import importlib, json, os, sys, traceback
import torch, transformers
transformers.Olmo3ForCausalLM  # most of the time of an import is these two, which are not ours
def ours():
    return sorted(name for name in sys.modules if name.split(".")[0] == "regrow")
assert not ours()
for line in sys.stdin:
    source, module, function = json.loads(line)
    if os.fork() == 0:
        try:
            sys.path.insert(0, source)
            found = importlib.import_module(module)
            assert callable(getattr(found, function)) and source in found.__file__, found
            failed = ""
        except BaseException:
            failed = traceback.format_exc()
        print(json.dumps([failed, ours()]), flush=True)
        os._exit(0)
    os.wait()
"""


@dataclass(frozen=True)
class Imported:
    """How an import went."""

    failed: str
    """its traceback; empty: the function is there"""
    modules: frozenset[str]
    """ours that are loaded now"""


class Importer:
    """The process that forks."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def load(self, source: Path, function: str) -> Imported:
        """Import the module of `module:function` from a folder of sources."""
        assert self._process.stdin is not None and self._process.stdout is not None
        module, _, name = function.partition(":")
        print(json.dumps([str(source), module, name]), file=self._process.stdin, flush=True)
        failed, modules = json.loads(self._process.stdout.readline())
        return Imported(failed, frozenset(modules))


@contextmanager
def importer() -> Iterator[Importer]:
    """For as long as it is wanted."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", _SERVER]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env={"PATH": ""}) as process:
        yield Importer(process)
