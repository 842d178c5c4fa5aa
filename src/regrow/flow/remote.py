"""The DVC remote: which objects it has, and fetching them by content.

`dvc fetch` takes DVC's lock and knows only what dvc.lock names now; jobs that run side by side
need single objects. So the remote's own file system is used, through DVC, in a process of its
own: nothing else in the runner imports DVC, and no lock is held.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from regrow.flow.store import Store

_JOBS = 8
_PATIENCE = 5
"""seconds"""


class Remote:
    """The default remote of a repository; it has nothing if none is configured or reachable."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._known: dict[str, bool] = {}
        self._answers: bool | None = None
        self.trouble = ""
        """why the remote could not be asked"""

    def has(self, md5s: Iterable[str]) -> dict[str, bool]:
        """For each object, whether the remote has it. Asks once per object and process."""
        wanted = sorted(set(md5s))
        ask = [md5 for md5 in wanted if md5 not in self._known]
        if ask and self.store.remote:
            found = set(self._call("has", ask))
            self._known.update({md5: md5 in found for md5 in ask})
        return {md5: self._known.get(md5, False) for md5 in wanted}

    def fetch(self, md5s: Iterable[str]) -> None:
        """Bring objects into the cache, as far as the remote has them whole."""
        missing = sorted({md5 for md5 in md5s if not self.store.has(md5)})
        if missing and self.store.remote:
            self._call("fetch", missing)

    def fetch_actions(self, key: str) -> None:
        """Bring the run cache's entries of a key."""
        if self.store.remote:
            self._call("actions", [key])

    def _reachable(self) -> bool:
        """Whether an HTTP remote answers at all: DVC would try each object many times, silently."""
        import urllib.error
        import urllib.request

        url = self.store.remote_url
        if self._answers is None and url.startswith(("http://", "https://")):
            self._answers = True
            try:
                with urllib.request.urlopen(url, timeout=_PATIENCE):
                    pass
            except urllib.error.HTTPError:
                pass  # an answer
            except OSError as error:
                self._answers = False
                self.trouble = f"{url}: {error}"
        return self._answers is not False

    def _call(self, what: str, names: list[str]) -> list[str]:
        if not self._reachable():
            return []
        command = [sys.executable, "-m", "regrow.flow.remote", what, str(self.store.root)]
        done = subprocess.run(command, input=json.dumps(names), capture_output=True, text=True)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
            self.trouble = lines[-1]
            return []
        found: list[str] = json.loads(done.stdout)
        return found


def _odb(root: Path) -> Any:
    from dvc.repo import Repo

    return Repo(str(root)).cloud.get_remote_odb()


def _has(root: Path, md5s: list[str]) -> list[str]:
    from concurrent.futures import ThreadPoolExecutor

    odb = _odb(root)
    with ThreadPoolExecutor(_JOBS) as pool:
        found = list(pool.map(lambda md5: odb.fs.exists(odb.oid_to_path(md5)), md5s))
    return [md5 for md5, here in zip(md5s, found, strict=True) if here]


def _fetch(root: Path, md5s: list[str]) -> list[str]:
    from concurrent.futures import ThreadPoolExecutor

    odb = _odb(root)
    store = Store(root)
    with ThreadPoolExecutor(_JOBS) as pool:
        done = list(pool.map(lambda md5: _fetch_one(odb, store, md5), md5s))
    return [md5 for md5, ok in zip(md5s, done, strict=True) if ok]


def _fetch_one(odb: Any, store: Store, md5: str) -> bool:
    temporary = store.cache / "files" / "md5" / f".{md5}.fetch"
    temporary.parent.mkdir(parents=True, exist_ok=True)
    try:
        odb.fs.get_file(odb.oid_to_path(md5), str(temporary))
    except FileNotFoundError:
        return False
    else:
        # The content decides: what the remote served under another name is not adopted.
        return store.insert_file(temporary).md5 == md5.removesuffix(".dir")
    finally:
        temporary.unlink(missing_ok=True)


def _actions(root: Path, keys: list[str]) -> list[str]:
    from regrow.flow import actions

    odb = _odb(root)
    store = Store(root)
    base = odb.fs.parts(odb.path)[:-2] if odb.path.rstrip("/").endswith("files/md5") else None
    if base is None or odb.fs.protocol in ("http", "https"):
        return []  # these cannot list a folder; settle seeds the action cache from the records
    for key in keys:
        there = odb.fs.join(*base, "runs", key[:2], key)
        if not odb.fs.exists(there):
            continue
        for path in odb.fs.find(there):
            target = actions.folder(store, key) / odb.fs.name(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            odb.fs.get_file(path, str(target))
    return keys


def main() -> None:
    """`python -m regrow.flow.remote has|fetch|actions ROOT`, names as JSON on standard input."""
    what, root = sys.argv[1:]
    work = {"has": _has, "fetch": _fetch, "actions": _actions}[what]
    try:
        print(json.dumps(work(Path(root), json.load(sys.stdin))))
    except Exception as error:  # whatever a remote's file system raises is one line for the user
        raise SystemExit(f"{type(error).__name__}: {error}") from None


if __name__ == "__main__":
    main()
