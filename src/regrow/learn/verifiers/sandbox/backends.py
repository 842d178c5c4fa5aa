"""The ways to make a sandbox, best first, and whether this machine has them.

Each ends in `inside`, which takes on the limits, Landlock and the system call filter; they differ
in what lies around it:

    bubblewrap   its own namespaces and file system, by the program bwrap
    namespaces   the same, made by `inside` itself
    landlock     none: Landlock and the filter alone (names of files outside stay visible)

What a program can see of the difference is named in docs/reference/verifiers.md: how an open outside fails, and,
under landlock, names, sizes and times of files outside.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from regrow.learn.verifiers.sandbox import paths

BACKENDS = ("bubblewrap", "namespaces", "landlock")

ENVIRONMENT = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
"""a set of strings has one order, on every machine"""

_START = (
    "import sys; sys.path.insert(0, {!r}); "
    "from regrow.learn.verifiers.sandbox.inside import main; sys.path.pop(0); main()"
)


def command(backend: str) -> list[str]:
    """The command line that starts `inside`.

    Raises:
        FileNotFoundError: the backend's program is not installed.
    """
    if backend != "bubblewrap":
        return _python(paths.source())
    bwrap = shutil.which("bwrap", path=os.environ.get("PATH", "") + ":/usr/bin:/bin")
    if bwrap is None:
        raise FileNotFoundError("bwrap is not installed")
    package = Path(__file__).resolve().parent
    inner = "/sandbox/regrow/learn/verifiers/sandbox"
    line = [bwrap, "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc"]
    line += ["--unshare-uts", "--unshare-cgroup-try", "--uid", "65534", "--gid", "65534"]
    line += ["--hostname", "sandbox", "--cap-drop", "ALL", "--die-with-parent", "--new-session"]
    for path in paths.readable():
        if Path(path).is_symlink():
            line += ["--symlink", str(Path(path).readlink()), path]
        else:
            line += ["--ro-bind", path, path]
    for path in paths.hidden():
        line += ["--tmpfs", path, "--remount-ro", path]
    line += ["--ro-bind", str(package), inner, "--remount-ro", "/", "--chdir", "/"]
    return [*line, "--", *_python("/sandbox")]


def _python(source: str) -> list[str]:
    flags = ["-P", "-s", "-S", "-B", "-X", "utf8"]
    return [paths.interpreter(), *flags, "-c", _START.format(source)]
