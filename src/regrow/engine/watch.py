"""What a step's Python code reaches for: files, folders, hosts (audit hook, PEP 578) and variables."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

_FILES = {"open", "os.listdir", "os.scandir"}
_HOOKED: list[Watch] = []
"""an audit hook cannot be taken off again: one stands, and asks the watch that is on"""


class Watch:
    """Notes in `seen` what is outside of what may be read, while it is entered."""

    def __init__(self, read: Iterable[Path], kept: Iterable[str]) -> None:
        """`read`: files and folders that may be; `kept`: variables that may be asked for."""
        self.read = [os.path.realpath(path) for path in read]
        self.kept = set(kept)
        self.seen: list[str] = []
        self._within = False

    def __enter__(self) -> Watch:
        _HOOKED.append(self)
        if len(_HOOKED) == 1:
            sys.addaudithook(_hook)
        self._class = os.environ.__class__
        os.environ.__class__ = _Environment
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.environ.__class__ = self._class
        _HOOKED[-1] = _OFF

    def note(self, what: str) -> None:
        """Remember, each once."""
        if what not in self.seen:
            self.seen.append(what)

    def opened(self, path: Any) -> None:
        """Judge a file or folder that is opened."""
        if isinstance(path, int) or path is None:
            return
        real = os.path.realpath(os.fsdecode(path))
        # What is not there cannot be read, and that it is not there is so on every machine.
        if os.path.exists(real) and not any(  # noqa: PTH110
            real == top or real.startswith(top.rstrip("/") + "/") for top in self.read
        ):
            self.note(f"file {real}")

    def asked(self, name: Any, frame: FrameType | None) -> None:
        """Judge a variable: only what our own code asks for counts, the environment is empty anyway."""
        while frame is not None and frame.f_globals.get("__name__") in _BETWEEN:
            frame = frame.f_back
        module = frame.f_globals.get("__name__", "") if frame else ""
        if module.startswith("regrow.") and name not in self.kept and name not in _SET:
            self.note(f"environment variable {name} (asked for by {module})")


_OFF = Watch([], [])
_BETWEEN = {"os", "collections.abc", "_collections_abc", __name__}
_SET: set[str] = set()
"""variables that the step set itself"""


class _Environment(os._Environ):
    def __getitem__(self, key: str) -> str:
        if _HOOKED[-1] is not _OFF:
            _HOOKED[-1].asked(key, sys._getframe(1))
        return super().__getitem__(key)

    def __setitem__(self, key: str, value: str) -> None:
        _SET.add(key)
        super().__setitem__(key, value)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    watch = _HOOKED[-1]
    if watch is _OFF or watch._within:
        return
    watch._within = True
    try:
        if event in _FILES and arguments:
            watch.opened(arguments[0])
        elif event == "socket.connect":
            address = arguments[1]
            host = address[0] if isinstance(address, tuple) else ""
            if isinstance(address, tuple) and not str(host).startswith(
                ("127.", "::1", "localhost")
            ):
                watch.note(f"host {host}")
    finally:
        watch._within = False
