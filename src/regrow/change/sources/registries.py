"""What a registry says of a frozen package, without fetching it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

from regrow.data.sources.frozen import Entry

_HASH = re.compile(r"^SHA256: ([0-9a-f]{64})$", re.MULTILINE)
_CANDIDATE = re.compile(r"^\s*Candidate: (\S+)$", re.MULTILINE)
_VERSIONS = re.compile(r"^Available versions: (.*)$", re.MULTILINE)


def state(entry: Entry) -> tuple[str, str]:
    """(state, detail) as `regrow.change.sources.check` has them."""
    return _debian(entry) if entry.registry == "debian" else _pypi(entry)


def _debian(entry: Entry) -> tuple[str, str]:
    if shutil.which("apt-cache") is None:
        return "failed", "there is no apt-cache on this system"
    shown = _output(["apt-cache", "show", f"{entry.package}={entry.version}"])
    candidate = _CANDIDATE.search(_output(["apt-cache", "policy", entry.package]))
    newer = f"; the registry offers {candidate[1]}" if candidate and candidate[1] != entry.version else ""  # fmt: skip
    hashes = _HASH.findall(shown)
    if not hashes:
        return (
            "missing",
            f"apt-cache knows no version {entry.version}{newer}; `apt-get update` asks again",
        )
    return ("same", f"SHA-256{newer}") if entry.sha256 in hashes else ("changed", f"SHA-256 {hashes[0]} now")  # fmt: skip


def _pypi(entry: Entry) -> tuple[str, str]:
    command = [sys.executable, "-m", "pip", "index", "versions", "--disable-pip-version-check", entry.package]  # fmt: skip
    found = _VERSIONS.search(_output(command))
    if found is None:
        return "failed", "`pip index versions` does not answer; --bytes fetches the file"
    versions = found[1].split(", ")
    newer = f"; the registry offers {versions[0]}" if versions[0] != entry.version else ""
    if entry.version in versions:
        return "unknown", f"the version is listed{newer}; --bytes compares"
    return "missing", f"the registry lists no version {entry.version}{newer}"


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, text=True, errors="replace", check=False)  # fmt: skip
    return done.stdout
