"""DVC's settings, read without importing DVC: where its cache is, who shares it, which remote is the default.

The four levels of `dvc config` are read in DVC's order, each from the place where DVC looks for it, and a
path in one is relative to that level's own folder; `~` is the user's home. Otherwise the runner and DVC would
work on two caches. Tests compare the answer with the pinned DVC's own.
"""

from __future__ import annotations

import configparser
import os
import re
from pathlib import Path

Settings = dict[str, dict[str, str]]
"""section, as `cache` or `remote "name"` -> option -> value"""

_PATHS = ("dir", "url")


def dvc_config(root: Path) -> Settings:
    """The settings of the system, the user, the repository and this clone; later ones win."""
    merged: Settings = {}
    for path in _levels(root):
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(_unindented(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, configparser.Error):
            continue
        for section in parser.sections():
            values = {name: _plain(value) for name, value in parser.items(section)}
            for name in _PATHS:
                if values.get(name):
                    values[name] = _resolved(path.parent, values[name])
            merged.setdefault(section.strip("'"), {}).update(values)
    return merged


def _levels(root: Path) -> list[Path]:
    """`config` of the system and of the user, `config` and `config.local` of the repository."""
    system = os.environ.get("XDG_CONFIG_DIRS", "").split(os.pathsep)[0].strip() or "/etc/xdg"
    user = os.environ.get("XDG_CONFIG_HOME", "").strip() or "~/.config"
    folders = [
        os.environ.get("DVC_SYSTEM_CONFIG_DIR") or f"{system}/dvc",
        os.environ.get("DVC_GLOBAL_CONFIG_DIR") or f"{user}/dvc",
    ]
    above = [Path(os.path.expanduser(folder)) / "config" for folder in folders]  # noqa: PTH111
    return [*above, root / ".dvc/config", root / ".dvc/config.local"]


def _unindented(text: str) -> str:
    """ConfigParser takes indented lines for continuations; DVC writes its options indented."""
    return "\n".join(line.strip() for line in text.splitlines())


def _plain(value: str) -> str:
    """A value without the quotes in which DVC writes one with a comma or a space."""
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


def _resolved(folder: Path, path: str) -> str:
    """A path of a setting as DVC takes it; addresses stay as they are."""
    if re.match(r"\w+://", path):
        return path
    return os.path.abspath(folder.absolute() / os.path.expanduser(path))  # noqa: PTH100, PTH111
