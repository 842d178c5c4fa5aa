"""`dvc`, with one true sentence where plain `dvc pull` would end in an error, and each of its files parsed once.

The remote that git carries (`published/store`) holds the final releases and the tables that
questions read, not the whole run. DVC has no way to say so: without targets it lists every object
that the remote lacks and fails, also with `--allow-missing`, before anything is laid out. So what
the store holds is named to it.

DVC also parses and checks `dvc.yaml` and `dvc.lock` again for each target of a command (`dvc.repo.stage.load_all`): of
this pull, with its 62 targets, that was nine tenths. Every other command is DVC's own.
"""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from regrow.evidence.ledger import Ledger

_VALUED = {"-j", "--jobs", "-r", "--remote"}
"""options of `dvc pull` that take a value"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run DVC; returns its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    root = _published_root(arguments)
    from dvc.cli import main as dvc

    _parse_once()
    if root is None:
        return int(dvc(arguments))
    from regrow.evidence.ledger import Ledger
    from regrow.publish.hub import store

    ledger = Ledger.load(root)
    os.chdir(root)
    status = int(dvc([*arguments, "--quiet", *store.targets(ledger)]))
    if status == 0:
        print(_sentence(ledger), file=sys.stderr)
    return status


def _parse_once() -> None:
    """Let DVC have what it parsed before, as long as the text of the file is the same."""
    from dvc.utils import strictyaml

    load = strictyaml.load
    if load.__module__ == __name__:
        return
    known: dict[tuple[str, int], tuple[Any, str]] = {}

    def once(path: str, schema: Any = None, fs: Any = None, **options: Any) -> tuple[Any, str]:
        if options or fs is None:
            return load(path, schema, fs, **options)
        asked = (path, id(schema))
        if asked not in known or known[asked][1] != _text(fs, path):
            known[asked] = load(path, schema, fs)
        data, text = known[asked]
        return copy.deepcopy(data), text  # whoever asks may change it

    strictyaml.load = once


def _text(fs: Any, path: str) -> str | None:
    """What the file holds now; None: `load` shall say what is wrong with it."""
    try:
        with fs.open(path, encoding="utf-8") as file:
            return str(file.read())
    except (OSError, UnicodeDecodeError):
        return None


def _published_root(arguments: list[str]) -> Path | None:
    """The repository whose own store a `dvc pull` of everything would ask; None for all else."""
    if arguments[:1] != ["pull"] or not _everything(arguments[1:]):
        return None
    from regrow.engine.store import PUBLISHED_REMOTE, dvc_config

    root = next((p for p in [Path.cwd(), *Path.cwd().parents] if (p / ".dvc").is_dir()), None)
    if root is None:
        return None
    asked = _remote(arguments) or dvc_config(root).get("core", {}).get("remote")
    return root if asked == PUBLISHED_REMOTE else None


def _everything(options: list[str]) -> bool:
    """Whether these options of `dvc pull` name no target, and none that needs DVC's own words."""
    rest = iter(options)
    for option in rest:
        if option in _VALUED:
            next(rest, None)
        elif option not in ("-f", "--force") and not option.startswith("--remote="):
            return False
    return True


def _remote(arguments: list[str]) -> str | None:
    for option, value in zip(arguments, [*arguments[1:], ""], strict=True):
        if option in ("-r", "--remote"):
            return value
        if option.startswith("--remote="):
            return option.partition("=")[2]
    return None


def _sentence(ledger: Ledger) -> str:
    from regrow.publish.hub import store

    chosen = store.chosen(ledger)
    releases = [record.path for record, _ in chosen if record.step == "release"]
    whole = sum(len(names) == len(record.files) for record, names in chosen)
    return (
        f"{whole} of {len(ledger.records)} artifacts are here whole, among them "
        f"{', '.join(releases)}: git carries these and no more, so `snakemake --cores all` rebuilds "
        "the others."
    )
