"""Tools, disk, memory and the repository."""

from __future__ import annotations

import configparser
import os
import shutil
import sys
from pathlib import Path

from regrow.ask.doctor.finding import Finding
from regrow.engine import git

GIB = 1 << 30
NEED_DISK = 2 * GIB
"""bytes: data, cache and a rebuild in a temporary folder of the demo"""
NEED_MEMORY = 2 * GIB
"""bytes: one training job of the demo with its libraries"""


def check_tools() -> list[Finding]:
    """git, Snakemake and DVC, on the path or beside the interpreter."""
    found = []
    for tool, mend in {
        "git": "Install git with the system's package manager (`apt-get install git`).",
        "snakemake": "Activate the environment: `. .venv/bin/activate` (`make env` makes it).",
        "dvc": "Activate the environment: `. .venv/bin/activate` (`make env` makes it).",
    }.items():
        path = which(tool)
        if path is None:
            found.append(Finding(tool, "fail", f"{tool} is not on the path.", mend))
        elif shutil.which(tool) is None:
            found.append(
                Finding(tool, "warn", f"{tool} is installed ({path}) but not on the path.", mend)
            )
        else:
            found.append(Finding(tool, "ok", path))
    return found


def which(tool: str) -> str | None:
    """Where `tool` is: on the path, or in the folder of the running interpreter."""
    beside = Path(sys.executable).parent / tool
    return shutil.which(tool) or (str(beside) if os.access(beside, os.X_OK) else None)


def check_disk(root: Path, need: int = NEED_DISK) -> Finding:
    """Free space where data and cache live."""
    free = shutil.disk_usage(root).free
    says = f"{free / GIB:.1f} GiB free in {root}, the demo needs about {need / GIB:.0f}"
    if free < need // 4:
        return Finding("disk", "fail", says + ".", "Free some space, or clone to another disk.")
    if free < need:
        return Finding("disk", "warn", says + ".", "`dvc gc --workspace` removes old results.")
    return Finding("disk", "ok", says + ".")


def memory(
    meminfo: Path = Path("/proc/meminfo"),
    cgroup: Path = Path("/sys/fs/cgroup/memory.max"),
    line_name: str = "MemAvailable",
) -> int | None:
    """Bytes that this process may use: a line of the system's account, or its container's ceiling; None: unknown."""
    found = None
    try:
        for line in meminfo.read_text().splitlines():
            if line.startswith(f"{line_name}:"):
                found = int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:
        ceiling = int(cgroup.read_text())
        found = ceiling if found is None else min(found, ceiling)
    except (OSError, ValueError):
        pass
    return found


def check_memory(
    need: int = NEED_MEMORY,
    meminfo: Path = Path("/proc/meminfo"),
    cgroup: Path = Path("/sys/fs/cgroup/memory.max"),
) -> Finding:
    """Memory that this process may use: what the system has left, or its container's ceiling."""
    available = memory(meminfo, cgroup)
    if available is None:
        return Finding("memory", "warn", "cannot tell how much memory is free.")
    says = f"{available / GIB:.1f} GiB available, the demo needs about {need / GIB:.0f} per job."
    if available < need // 2:
        return Finding("memory", "fail", says, "Close other programs, or use a larger machine.")
    if available < need:
        return Finding("memory", "warn", says, "Run one job at a time: `snakemake --cores 1`.")
    return Finding("memory", "ok", says)


def check_repository(root: Path) -> Finding:
    """The clone itself: git, Snakefile, records."""
    if not (root / "Snakefile").is_file():
        return Finding(
            "repository",
            "fail",
            f"{root} holds no Snakefile.",
            "Run the command inside a clone of the repository.",
        )
    count = len(list((root / "records").glob("*.json")))
    try:
        commit = git.run(root, "rev-parse", "--short=12", "HEAD").decode().strip()
    except git.Unasked as error:
        return Finding(
            "repository",
            "warn",
            f"git cannot be asked about {root}: `regrow rebuild` cannot find the commit of a record.",
            f"{str(error)[:1].upper()}{str(error)[1:]}.",
        )
    return Finding("repository", "ok", f"{root} at {commit}, {count} records.")


def check_remote(root: Path) -> Finding:
    """A DVC remote, from which released artifacts are fetched."""
    names: list[str] = []
    default = ""
    for file in (root / ".dvc" / "config", root / ".dvc" / "config.local"):
        config = configparser.ConfigParser(strict=False)
        try:
            config.read(file, encoding="utf-8")
        except configparser.Error as error:
            return Finding(
                "remote", "warn", f"{file}: {error}", "Fix: `dvc config --list` must work."
            )
        # DVC writes sections such as ['remote "name"'].
        names += [s.split('"')[1] for s in config.sections() if "remote" in s and s.count('"') == 2]
        if config.has_option("core", "remote"):
            default = config.get("core", "remote")
    if not names:
        return Finding(
            "remote",
            "warn",
            "no DVC remote: everything can be built here, nothing can be fetched or shared.",
            "`dvc remote add --default NAME URL` (folder, S3, SSH or HTTP).",
        )
    if not default:
        return Finding(
            "remote",
            "warn",
            f"remotes {', '.join(names)}, but no default.",
            f"`dvc remote default {names[0]}`.",
        )
    return Finding("remote", "ok", f"default remote `{default}`.")
