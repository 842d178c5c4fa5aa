"""`regrow`: the dispatcher. One module per command, imported when it is called."""

from __future__ import annotations

import argparse
import atexit
import errno
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

from regrow.cli.guard import terminal
from regrow.cli.paint import columns
from regrow.engine import checkout, project
from regrow.engine.visible import lines
from regrow.version import VERSION


class Command(NamedTuple):
    """A command: where it lives and what it is for."""

    module: str
    help: str
    hidden: bool = False
    quick: bool = False
    """answers in less time than Python takes to look through its objects, see `_hasten`"""


# A command's module offers `configure(parser)` and `run(args) -> exit status`; its docstring
# is the text of `regrow COMMAND --help`.
COMMANDS: dict[str, Command] = {
    "plan": Command(
        "regrow.cli.plan", "which steps would run, and which part of their key changed"
    ),
    "verify": Command(
        "regrow.cli.verify", "all bytes, drawn parts of a run, or two runs against each other"
    ),
    "audit": Command("regrow.cli.audit", "what went into an artifact, down to the source files"),
    "trace": Command(
        "regrow.cli.trace", "where a document or task went, stage by stage", quick=True
    ),
    "funnel": Command(
        "regrow.cli.funnel",
        "what each step kept and dropped of each source, and what the guards find",
    ),
    "batch": Command(
        "regrow.cli.batch",
        "what a training step saw: documents, examples, pairs, rollouts",
        quick=True,
    ),
    "explain": Command(
        "regrow.cli.explain", "what of a model's output is word for word in what it was trained on"
    ),
    "diff": Command("regrow.cli.diff", "why two artifacts differ: the smallest set of causes"),
    "sources": Command(
        "regrow.cli.sources",
        "the corpora of a recipe: list them, freeze what is elsewhere, check it",
    ),
    "mix": Command(
        "regrow.cli.mix", "what a mix search found; write its shares into a params file"
    ),
    "fork": Command(
        "regrow.cli.fork", "continue a released checkpoint with your own documents or chats"
    ),
    "takedown": Command(
        "regrow.cli.takedown", "take documents down: what they touched, the cheapest exact rebuild"
    ),
    "rebuild": Command(
        "regrow.cli.rebuild", "rebuild an artifact from the sources and compare bytes"
    ),
    "attest": Command(
        "regrow.cli.attest", "sign how an artifact was made (in-toto, SLSA); check such a statement"
    ),
    "keygen": Command("regrow.cli.keygen", "make a key for signing statements"),
    "report": Command(
        "regrow.cli.report", "the page about the run: what each stage did, gains, samples"
    ),
    "explore": Command(
        "regrow.cli.explore", "a page to walk from the sources to a checkpoint, and compare two"
    ),
    "release": Command(
        "regrow.cli.release", "released checkpoints: list, or lay out for a model hub"
    ),
    "publish": Command(
        "regrow.cli.publish", "fill the small DVC remote that git carries (published/store)"
    ),
    "site": Command(
        "regrow.cli.site", "the documentation with a run's report and explorer, as a static site"
    ),
    "serve": Command("regrow.cli.serve", "offer this tree's DVC cache as an HTTP remote"),
    "chat": Command("regrow.cli.chat.command", "chat with a checkpoint"),
    "evals": Command(
        "regrow.cli.evals", "compare checkpoints; what each stage gained, with intervals"
    ),
    "export": Command(
        "regrow.cli.export", "Croissant, ML-BOM, OpenLineage, RO-Crate, the EU's training summary"
    ),
    "doctor": Command(
        "regrow.cli.doctor",
        "what this machine can certify; of a recipe: what will fail or waste hours",
    ),
    "schema": Command("regrow.cli.schema", "the JSON Schema of a params file, or one field of it"),
    "run": Command("regrow.cli.run", "run one job (what the workflow's rules call)", hidden=True),
    "reconcile": Command("regrow.cli.reconcile", "compare records with the present", hidden=True),
}

RENAMED = {"order": "batch", "lineage": "explore", "settle": "reconcile"}
"""old name of a command -> its name; the old one keeps working, with a hint on standard error"""

_INTRODUCTION = """\
Questions about a run of the flow and its artifacts. The run itself is `snakemake --cores all`.

{commands}

An artifact is named by path (data/mix/mix.parquet), by step (pretrain.000120) or by the first
digits of a SHA-256. Questions take --json. `regrow COMMAND --help` says more.
"""


def _overview() -> str:
    rows = [f"  {name:<8}  {c.help}" for name, c in COMMANDS.items() if not c.hidden]
    return _INTRODUCTION.format(commands="\n".join(rows))


_UNGUARDED = ("run", "chat")
"""commands whose steps redraw lines, or that read from a terminal: they see to it themselves"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` names; returns the exit status.

    0: done; 1: the answer is no, or a step failed; 2: wrong usage or params; 130: interrupted.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if argv is None:
        _say_everything()
    if arguments and arguments[0] in _UNGUARDED:
        return _main(argv, arguments)
    with terminal():
        return _main(argv, arguments)


def _main(argv: Sequence[str] | None, arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print("usage: regrow COMMAND [options]\n\n" + _overview(), end="")
        return 0
    if arguments[0] == "--version":
        print(f"regrow {VERSION}")
        return 0
    said, *rest = arguments
    name = RENAMED.get(said, said)
    command = COMMANDS.get(name)
    if command is None:
        import difflib

        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f" Did you mean `regrow {near[0]}`?" if near else ""
        print(f"regrow: no command `{name}`.{hint}\n\n" + _overview(), end="", file=sys.stderr)
        return 2
    if argv is None and command.quick:
        _hasten()
    try:
        if argv is None:
            root = checkout.enter(arguments)
            if root is not None:
                project.enter(root)
        if name != said:
            print(f"hint: `regrow {said}` is now `regrow {name}`.", file=sys.stderr)
        return _call(name, command, rest)
    except KeyboardInterrupt:
        print(f"regrow {name}: interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader (`| head`) went away: not an error, and nothing more to say.
        _mute()
        return 0
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None and _lost(error):
            _mute()
            print(
                f"regrow {name}: the answer could not be written: {error.strerror}.",
                file=sys.stderr,
            )
            return 1
        status = _status(error)
        if status is None:
            raise
        print(lines(f"regrow {name}: {error}"), file=sys.stderr)
        return status


def _say_everything() -> None:
    """Let no character end an answer: one that the terminal's encoding lacks is written as `\\u…`."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # None: it is closed
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _mute() -> None:
    """Write no more to standard output, not even what is still held back when the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _lost(error: OSError) -> bool:
    """Whether standard output takes nothing: a full disk, a closed terminal."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF)


def _hasten() -> None:
    """Run the cyclic garbage collector rarely and skip it at exit: saves 15 of 100 ms."""
    gc.set_threshold(100_000, 10, 10)
    atexit.register(gc.freeze)


class _Help(argparse.RawDescriptionHelpFormatter):
    """Texts as they are written. argparse makes one for each argument, so its width must cost nothing."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=columns(80) - 2)


def _call(name: str, command: Command, arguments: list[str]) -> int:
    module = importlib.import_module(command.module)
    parser = argparse.ArgumentParser(
        prog=f"regrow {name}",
        description=module.__doc__,
        formatter_class=_Help,
    )
    module.configure(parser)
    status = module.run(parser.parse_args(arguments))
    if sys.stdout is not None:
        sys.stdout.flush()
    return int(status or 0)


def _status(error: Exception) -> int | None:
    """The exit status of an error that is a message to the user; None for a defect of ours."""
    from regrow.engine import mistakes
    from regrow.evidence.errors import Unanswerable

    if isinstance(error, Unanswerable):
        return 1
    if (status := mistakes.status(error)) is not None:
        return status
    # A folder that may only be read, a full disk: the file and the reason say all.
    unwritable = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT)
    if isinstance(error, OSError) and error.errno in unwritable and error.filename is not None:
        return 1
    return None


if __name__ == "__main__":
    raise SystemExit(main())
