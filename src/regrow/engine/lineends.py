"""Files whose line ends git changed when it wrote them (`core.autocrlf`): other bytes than were published.

`.gitattributes` says `* -text`, so a clone gets the bytes of the commit. A clone of before, or attributes of
one's own (`.git/info/attributes`), can still have them changed; then every step that reads them is stale.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def converted(root: Path) -> str:
    """What is to be said of files that have CRLF here and LF in git; empty if there are none, or no git."""
    names = []
    for row in _listing(root):
        about, _, name = row.partition("\t")
        if "i/lf" in about.split() and "w/crlf" in about.split():
            names.append(name)
    if not names:
        return ""
    return (
        f"{len(names)} files have CRLF line ends here and LF in git ({', '.join(names[:3])}{', ...' * (len(names) > 3)}): "
        "their bytes are not the published ones. Fix: `git config core.autocrlf false`, remove them and "
        "`git checkout -- .`"
    )


def _listing(root: Path) -> list[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    command = ["git", "-C", str(root), "ls-files", "--eol", "-z"]
    try:
        done = subprocess.run(
            command, capture_output=True, env=environment | {"GIT_OPTIONAL_LOCKS": "0"}
        )
    except OSError:
        return []
    text = done.stdout.decode(errors="surrogateescape") if not done.returncode else ""
    return text.split("\0")[:-1]
