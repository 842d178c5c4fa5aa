"""The empty folder in which an artifact is rebuilt."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from regrow.engine.present import DEFAULT_PARAMS
from regrow.evidence.commit import git
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Record


def prepare(root: Path, folder: Path, commit: str, chain: list[Record]) -> None:
    """Check out `commit` into the empty `folder`, without records, data, cache or remotes.

    The params file is written from the records, so that it is the recorded run that is
    repeated, whatever params file it was started with.

    Raises:
        Unanswerable: git cannot do it, or the folder is not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Unanswerable(f"{folder} is not empty: name an empty folder, or none.")
    # A clone that shares the object store: nothing is copied, and unlike a worktree it leaves no
    # trace in the repository.
    git(root, "clone", "--quiet", "--shared", "--no-checkout", str(root), str(folder))
    git(folder, "checkout", "--quiet", "--detach", commit)
    for name in ("records", "data", ".regrow", ".dvc/cache", ".dvc/tmp"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "records").mkdir()
    for name in (".dvc/config", ".dvc/config.local"):
        (folder / name).unlink(missing_ok=True)
    if (folder / ".dvc").is_dir():
        (folder / ".dvc/config").write_text("")
    params = folder / DEFAULT_PARAMS
    params.write_text(json.dumps(recorded_params(chain), indent=2) + "\n", encoding="utf-8")


def recorded_params(chain: list[Record]) -> dict[str, Any]:
    """The sections of the params file that the records of a chain name, as they were.

    Raises:
        Unanswerable: two records name different values of one section.
    """
    sections: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for record in chain:
        for section, values in record.parts["params"].items():
            if sections.setdefault(section, values) != values:
                raise Unanswerable(
                    f"{record.name} and {origin[section]} were made under different params "
                    f"`{section}`: the records are not of one run. Run `snakemake` and commit."
                )
            origin.setdefault(section, record.name)
    return sections


def environment(folder: Path) -> dict[str, str]:
    """The environment of the rebuild: every cache off, the folder's own code first."""
    # A hook's GIT_DIR would make the flow look for its commit in another repository.
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SNAKEMAKE_", "GIT_"))
    }
    for name in ("REGROW_TABLE", "REGROW_ISA"):
        kept.pop(name, None)
    kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    kept["PYTHONPATH"] = str(folder / "src")
    kept["REGROW_CACHE_OFF"] = "1"
    # A user's own DVC configuration may name a shared cache or a remote.
    kept["XDG_CONFIG_HOME"] = str(folder / ".rebuild")
    return kept
