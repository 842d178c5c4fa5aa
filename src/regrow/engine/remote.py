"""The DVC remote: which objects it has, and fetching them by content.

`dvc fetch` takes DVC's lock and knows only what dvc.lock names now; jobs that run side by side
need single objects. So the remote's own file system is used, through DVC, in a process of its
own (`remote_process`, `remote_worker`): nothing else in the runner imports DVC, and no lock is held.

Nothing is taken on trust: an object comes into the cache if its SHA-256 is the one that the
record names. One that is not is named, refused and remembered (`.regrow/refused.json`), so that
the next plan counts on a rebuild and not on the same bad object again; a remote whose object
changed since is asked again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from regrow.engine import files, remote_trouble
from regrow.engine.present import PRIVATE
from regrow.engine.remote_process import Ended, Process
from regrow.engine.store import Store
from regrow.engine.visible import visible

REFUSED = f"{PRIVATE}/refused.json"
_PATIENCE = 5
"""seconds for an HTTP server to answer at all"""
_ASK_PATIENCE = 120
"""seconds for the remote to say which objects it has"""

Identity = tuple[str, str]
"""MD5 (where an object is) and SHA-256 (what it must be)"""


def identity(entry: Mapping[str, Any]) -> Identity:
    """MD5 and SHA-256 of a record's entry of a file."""
    return entry["md5"], entry["sha256"]


class Remote:
    """The default remote of a repository; it has nothing if none is configured or reachable."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._known: dict[Identity, bool] = {}
        self._answers: bool | None = None
        self._process: Process | None = None
        self.trouble = ""
        """why the remote could not be asked"""

    @property
    def trouble(self) -> str:
        """Why the remote could not be asked; what a server said is spelt out."""
        return self._trouble

    @trouble.setter
    def trouble(self, text: str) -> None:
        self._trouble = visible(text, 2_000)

    def has(self, entries: Iterable[Mapping[str, Any]]) -> dict[Identity, bool]:
        """For each file, whether the remote has its object. Asks once per object and process.

        An object that was refused before does not count, unless the remote changed it since.
        """
        wanted = sorted({identity(entry) for entry in entries})
        ask = [one for one in wanted if one not in self._known]
        if ask and self.store.remote:
            refused = self._refused()
            rows = [[md5, refused.get(f"{md5} {sha256}")] for md5, sha256 in ask]
            found = self._call("has", rows, _ASK_PATIENCE) or [False] * len(ask)
            self._known.update(zip(ask, found, strict=True))
        return {one: self._known.get(one, False) for one in wanted}

    def fetch(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Bring objects into the cache, each only if its SHA-256 is right.

        Says on standard error what was refused: file, expected and found SHA-256.
        """
        wanted = list({identity(entry): entry for entry in entries}.values())
        if not wanted or not self.store.remote:
            return
        rows = [[entry["md5"], entry["sha256"], entry["size"]] for entry in wanted]
        fates = self._call("fetch", rows, None) or [{"fate": "failed"}] * len(rows)
        refused = before = self._refused()
        for entry, fate in zip(wanted, fates, strict=True):
            label = " ".join(identity(entry))
            self._known[identity(entry)] = fate["fate"] == "here"
            if fate["fate"] == "wrong":
                refused = {**refused, label: fate["mark"]}
                print(
                    visible(_refusal(self.store.remote_name, entry, fate), 2_000), file=sys.stderr
                )
            elif fate["fate"] == "here":
                refused = {k: v for k, v in refused.items() if k != label}
            elif fate["fate"] == "failed" and fate.get("text"):
                self.trouble = self._mend(fate["text"])
        if refused != before:
            self._remember(refused)

    def check(self, entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Read objects and keep none: for each its fate, as `remote_worker.fetch` says it."""
        rows = [[entry["md5"], entry["sha256"], entry["size"]] for entry in entries]
        failed = [{"fate": "failed"}] * len(rows)
        return (self._call("check", rows, None) or failed) if self.store.remote else failed

    def fetch_actions(self, key: str) -> None:
        """Bring the run cache's entries of a key."""
        # An HTTP server cannot list a folder; `reconcile` seeds the action cache from the records.
        if self.store.remote and not self.store.remote_url.startswith(("http://", "https://")):
            self._call("actions", [key], _ASK_PATIENCE)

    def _refused(self) -> dict[str, str]:
        known = files.read_json(self.store.root / REFUSED)
        found = known.get(self.store.remote_url) if isinstance(known, dict) else None
        found = found if isinstance(found, dict) else {}
        return {label: mark for label, mark in found.items() if isinstance(mark, str)}

    def _remember(self, refused: dict[str, str]) -> None:
        content = json.dumps({self.store.remote_url: refused}, indent=1, sort_keys=True)
        files.note(self.store.root / REFUSED, content.encode())

    def _reachable(self) -> bool:
        """Whether a remote answers at all.

        DVC would try each object of a silent HTTP server many times; of a folder that is not there (a disk that is
        not mounted) it says that it has nothing.
        """
        import http.client
        import urllib.error
        import urllib.request

        url = self.store.remote_url
        if self._answers is None and url and "://" not in url and not Path(url).is_dir():
            self._answers = False
            self.trouble = self._mend(
                f"{url} is no folder: a disk that is not mounted, or nothing was pushed yet"
            )
        if self._answers is None and url.startswith(("http://", "https://")):
            self._answers = True
            try:
                with urllib.request.urlopen(url, timeout=_PATIENCE):
                    pass
            except urllib.error.HTTPError as error:  # an answer
                if error.code == 401 and not self.store.remote_signs_in:
                    self._answers = False
                    self.trouble = self._mend(f"401 {error.reason}")
            # What is no HTTP server may answer anything (an SSH banner), and what is no address fails in many ways.
            except (OSError, http.client.HTTPException, ValueError) as error:
                self._answers = False
                said = " ".join(str(error).split()) or "no answer"
                self.trouble = f"remote `{self.store.remote_name}` ({url}): {said}"
        return self._answers is not False

    def _mend(self, text: str) -> str:
        return remote_trouble.explain(self.store.remote_name, self.store.remote_url, text)

    def _call(self, what: str, rows: list[Any], patience: int | None) -> list[Any]:
        if not self._reachable():
            return []
        if self._process is None:
            self._process = Process(self.store.root)
        asked, self._process = self._process, None  # one that fails is not asked again
        try:
            found: list[Any] = asked.ask(what, rows, patience)
        except TimeoutError:
            self.trouble = f"{self.store.remote_url}: no answer in {patience} s"
            return []
        except Ended as error:
            self.trouble = self._mend(str(error))
            return []
        except ValueError as error:
            self.trouble = self._mend(f"no answer that can be read: {error}")
            return []
        self._process = asked
        return found


def _refusal(remote: str, entry: Mapping[str, Any], fate: Mapping[str, Any]) -> str:
    """What is said of an object that is not what the record names."""
    md5 = entry["md5"]
    where = f"remote `{remote}`, object {md5[:2]}/{md5[2:]}, for {entry['path']}"
    if fate["size"] != entry["size"]:
        size = f" ({fate['size']} bytes, expected {entry['size']})"
    else:
        size = ""
    return (
        f"{where}: refused. Expected sha256 {entry['sha256']}, found {fate['found']}{size}. "
        "hint: repair the remote: `dvc push` from a good cache, after removing the object there."
    )
