"""Packages of registries, through their own clients: apt-get and pip, set up as this machine has them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

from regrow.data.sources.trouble import FetchError, MissingError
from regrow.params.addresses import Package

_SAID = 3
"""last lines of a client's errors that are repeated"""
_WHEEL = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)(-\d[^-]*)?-(?P<python>[^-]+)-(?P<abi>[^-]+)-(?P<platform>[^-]+)\.whl")  # fmt: skip
_ABSENT = re.compile(
    r"unable to locate package|no candidate|was not found|has no installation candidate|no matching distribution|"
    r"could not find a version", re.IGNORECASE,
)  # fmt: skip


def download(package: Package, folder: Path, file: str = "") -> Path:
    """Fetch a package into a folder; returns its file.

    Args:
        package: with a version, or without one for the registry's newest.
        folder: an empty folder.
        file: the name of the file that it must be; "": the one that the client chooses.

    Raises:
        MissingError: the registry does not have it (any more).
        FetchError: there is no such client here, or it fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _run(package, _command(package, folder, file), folder)
    there = sorted(path for path in folder.iterdir() if path.is_file())
    if len(there) != 1 or (file and there[0].name != file):
        names = ", ".join(path.name for path in there) or "nothing"
        raise MissingError(f"{package.address}: expected {file or 'one file'}, the registry gave {names}.")  # fmt: skip
    return there[0]


def version_of(package: Package, file: str) -> str:
    """The version that a package's file name says."""
    if package.registry == "debian":
        return unquote(file.split("_")[1])
    if file.endswith(".whl"):
        return file.split("-")[1]
    stem = re.sub(r"\.(tar\.\w+|zip|tgz)$", "", file)
    return stem.rpartition("-")[2]


def _command(package: Package, folder: Path, file: str) -> list[str]:
    if package.registry == "debian":
        program = shutil.which("apt-get")
        if program is None:
            raise FetchError(
                f"{package.address}: needs apt-get, which this system does not have. Fix: fetch it where there is one, "
                "and `dvc push`; or name the files by address."
            )
        version = f"={package.version}" if package.version else ""
        return [program, "download", f"{package.name}{version}"]
    version = f"=={package.version}" if package.version else ""
    return [
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--no-input", "--disable-pip-version-check"),
        *("--progress-bar", "off", "--dest", str(folder), *_form(package, file), f"{package.name}{version}"),
    ]  # fmt: skip


def _form(package: Package, file: str) -> list[str]:
    """Options that make pip take one file among those of a version."""
    wheel = _WHEEL.fullmatch(file)
    if wheel is not None:
        tags = [
            option
            for name in ("python", "abi", "platform")
            for tag in wheel[name].split(".")
            for option in _tag(name, tag)
        ]
        return ["--only-binary", ":all:", *tags]
    return ["--no-binary", ":all:"] if file or package.registry == "pypi-sdist" else []


def _tag(name: str, tag: str) -> list[str]:
    if name == "python":
        digits = re.sub(r"\D", "", tag)
        return ["--implementation", re.sub(r"\d", "", tag), *(["--python-version", digits] if digits else [])]  # fmt: skip
    return [f"--{name}", tag]


def _run(package: Package, command: list[str], folder: Path) -> None:
    environment = os.environ | {"LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, stdin=subprocess.DEVNULL, text=True,
        errors="replace", check=False,
    )  # fmt: skip
    if done.returncode == 0:
        return
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    said = " / ".join(lines[-_SAID:])
    client = "pip" if "pip" in command else "apt-get"
    if _ABSENT.search(done.stderr):
        fix = "Fix: `apt-get update`, or another version" if client == "apt-get" else "Fix: another version"  # fmt: skip
        raise MissingError(f"{package.address}: {client} does not find it ({said}). {fix}.")
    raise FetchError(f"{package.address}: {client} failed ({said}). Fix: what it says; its configuration is this machine's.")  # fmt: skip
