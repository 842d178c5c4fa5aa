"""The empty folder in which an artifact is rebuilt."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from regrow.engine.present import DEFAULT_PARAMS
from regrow.evidence.commit import git
from regrow.evidence.errors import Unanswerable
from regrow.evidence.record import Record
from regrow.params.entries import RecipeError
from regrow.params.schema import ParamsError
from regrow.prove.rebuild.tracked import lay_tracked
from regrow.recipe.recorded import recipe


def prepare(
    root: Path, folder: Path, commit: str, chain: list[Record], every: Sequence[Record] = ()
) -> Path:
    """Check out `commit` into the empty `folder`, without records, data, cache or remotes.

    The params file is written from the records, so that it is the recorded run that is
    repeated, whatever params file it was started with. `every`: all records of the run, which say what stages it
    has besides those of the chain.

    Returns the root of the flow there: a folder below `folder` where `root` is one below the top of
    its repository.

    Raises:
        Unanswerable: git cannot do it, the folder is not empty, the commit has no such root, or a source that DVC
            tracks is not here.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Unanswerable(f"{folder} is not empty: name an empty folder, or none.")
    top, prefix = (
        os.fsdecode(git(root, "rev-parse", about)).removesuffix("\n")
        for about in ("--show-toplevel", "--show-prefix")
    )
    # A clone that shares the object store: nothing is copied, and unlike a worktree it leaves no
    # trace in the repository.
    git(root, "clone", "--quiet", "--shared", "--no-checkout", top, str(folder))
    git(folder, "checkout", "--quiet", "--detach", commit)
    place = folder / prefix
    if not place.is_dir():
        raise Unanswerable(f"commit {commit[:12]} has no folder {prefix}: name another commit.")
    lay_tracked(root, place, chain)
    for name in ("records", "data", ".regrow"):
        shutil.rmtree(place / name, ignore_errors=True)
    (place / "records").mkdir()
    # DVC's folder is at the root of the flow, or at the top of the repository.
    for home in {folder, place}:
        _forget_stores(home / ".dvc")
    params = place / DEFAULT_PARAMS
    said = recorded_recipe(chain, [*every] or chain)
    params.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    return place


def _forget_stores(dvc: Path) -> None:
    """Leave DVC neither cache nor remote."""
    for name in ("cache", "tmp"):
        shutil.rmtree(dvc / name, ignore_errors=True)
    for name in ("config", "config.local"):
        (dvc / name).unlink(missing_ok=True)
    if dvc.is_dir():
        (dvc / "config").write_text("")


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


def recorded_recipe(chain: list[Record], every: list[Record]) -> dict[str, Any]:
    """A params file for the run of a chain: its sections, and where they are not the default ones its stages.

    Raises:
        Unanswerable: the records are of no one run.
    """
    sections = recorded_params(chain)
    beside = {
        name: values
        for record in every
        for name, values in record.parts["params"].items()
        if name not in sections
    }
    for records, more in ((every, beside), (chain, {})):
        try:
            found = recipe([record.raw for record in records])
        except (ParamsError, RecipeError) as error:
            why = error
            continue
        return (found | more if found else {}) | sections
    raise Unanswerable(f"the records give no recipe: {why}")


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
