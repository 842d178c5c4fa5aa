"""What a sandboxed program may use, what it is asked to do, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Limits:
    """Set inside the sandbox, where they hold for root and for a normal user alike."""

    cpu_seconds: int = 2
    """whole seconds of processor time"""
    wall_seconds: float = 20.0
    """for what neither computes nor ends; far above `cpu_seconds`, so that load decides nothing"""
    memory_bytes: int = 512 * 2**20
    """address space"""
    output_bytes: int = 64 * 2**10
    """of each of the two output streams"""
    open_files: int = 32


@dataclass(frozen=True)
class Program:
    """A Python program and what to do with it."""

    source: str
    function: str | None = None
    """call this function of it, once per entry of `calls`; None: run it as a script"""
    calls: tuple[list[Any], ...] = ()
    """positional arguments, JSON values"""
    stdin: str = ""
    """what a script reads"""


Status = Literal["ended", "time-out", "output", "killed"]


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    status: Status
    """ended: the program ended by itself (see `code`); time-out: processor or wall time was used up;
    output: it wrote more than it may; killed: by a signal, such as a crash of the interpreter"""
    code: int
    """exit status; of a signal, its number negated"""
    stdout: bytes
    """of a script what it wrote; of calls a line of JSON each, `{"result": …}` or `{"error": "…"}`"""
    stderr: bytes


class Unavailable(RuntimeError):
    """This machine has no sandbox (or it broke): nothing was run, and nothing can be judged."""
