"""One job: key, lookup, and on a miss the step's function. What `regrow run` calls."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from regrow.engine import actions, files, hermetic, runlog, variables, warm, witness
from regrow.engine.definition import key_of
from regrow.engine.errors import FlowError, StepFailed
from regrow.engine.handover import Call
from regrow.engine.hashing import Digest
from regrow.engine.inputs import Inputs
from regrow.engine.jobs import NEVER_STEPS, Job
from regrow.engine.names import fault, faults, shown
from regrow.engine.present import PRIVATE, Present
from regrow.engine.records import Book, Record, compose, is_of, output_part
from regrow.engine.remote import Remote
from regrow.engine.state import FileTree
from regrow.engine.store import Store, free_bytes
from regrow.engine.workspace import Lost, compare, obtain

CACHE_OFF = "REGROW_CACHE_OFF"
"""environment variable: set to 1, nothing is looked up and every job runs its function"""
_TRIES = 3
"""so often is a past result restored that turns out damaged: from the cache, from the remote, once more"""


def run(root: Path, step: str, instance: str | None, params_file: str) -> str:
    """Run one job and leave its record.

    Returns:
        the outcome: `hit`, `fetched` or `run`.

    Raises:
        FlowError: it could not be done; nothing was recorded, and the message says how to fix it.
        KeyboardInterrupt: interrupted; nothing was recorded.
    """
    present = Present(root, params_file)
    job = present.job(step, instance)
    with _alone(root, job), runlog.entry(root, job) as log:
        runner = Runner(present, job)
        try:
            log.key = runner.key
            log.outcome = runner.run()
        except Exception as error:
            if files.disk_full(error):
                raise _full(job, root) from error
            raise
        finally:
            log.cpu_seconds, log.max_rss_bytes = runner.elsewhere
            present.save()
    return log.outcome


@contextlib.contextmanager
def _alone(root: Path, job: Job) -> Iterator[None]:
    """Hold the job: another process on it (left behind by a killed run) is waited for.

    When it is done, its result is found by key. What dead processes left is removed.
    """
    with files.locked(
        root / PRIVATE / "locks" / job.name, "another process is at this job: waiting"
    ):
        for left in (root / PRIVATE / "work").glob(f"{job.name}@*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


class Runner:
    """The work on one job."""

    def __init__(self, present: Present, job: Job) -> None:
        self.present = present
        self.root = present.root
        self.job = job
        self.store = Store(self.root)
        self.remote = Remote(self.store)
        self.book = Book(self.root)
        self.parts = present.parts(job, self._input_hashes())
        self.key = key_of(self.parts)
        self.elsewhere = (0.0, 0)
        """CPU seconds and peak memory of a process that is no child of this one"""
        self._loaded: set[str] = set()

    def _input_hashes(self) -> dict[str, str]:
        found = {}
        for item in self.job.inputs:
            if item.kind == "source":
                found[item.name] = self.present.source_sha256(item.path)
                continue
            made = self.present.jobs[item.job]
            record, digest = self.book.record(made), self.book.digest(made)
            if record is None or digest is None:
                raise FlowError(
                    f"{self.job.name} needs {made.record}, which is missing or damaged. "
                    f"Fix: `{self.present.command}`."
                )
            found[item.name] = (
                digest.sha256 if item.kind == "record" else record["output"]["sha256"]
            )
        return found

    def run(self) -> str:
        """Look up, or run. Returns the outcome."""
        if os.environ.get(CACHE_OFF) in (None, "", "0"):
            tried: list[Record] = []
            while (record := self._lookup()) is not None and tried.count(record) < _TRIES:
                tried.append(record)
                try:
                    fetched = self._restore(record)
                except Lost as error:
                    # A damaged object was removed, and a bad one in the remote known to be bad.
                    print(f"{self.job.name}: not restored. {error}", file=sys.stderr)
                    continue
                # What the key stands for is computed again; only the result is taken from the past.
                self._finish(compose(self.job, self.parts, record["output"], record["counts"]))
                return "fetched" if fetched else "hit"
        record = self._execute()
        actions.forget(self.store, self.key, keep=record)
        self._finish(record)
        return "run"

    def _finish(self, record: Record) -> None:
        actions.remember(self.store, record)
        self.book.write(self.job, record)

    # Lookup and restore

    def _lookup(self) -> Record | None:
        """A past result of this key whose every byte can be had."""
        found = self._obtainable(self._known())
        if found is None and self.store.remote:
            self.remote.fetch_actions(self.key)
            found = self._obtainable(self._known())
        return found

    def _known(self) -> list[Record]:
        mine = self.book.record(self.job)
        known = [mine] if mine is not None and mine["key"] == self.key else []
        known += [r for r in actions.lookup(self.store, self.key) if is_of(r, self.job)]
        believed = witness.judge(self.root, self.job, known)
        if known and not believed:
            print(
                f"{self.job.name}: {len(known)} results are recorded for one key; none is believed, "
                "the step runs.",
                file=sys.stderr,
            )
        return believed

    def _obtainable(self, records: list[Record]) -> Record | None:
        for record in records:
            lacking = [f for f in self._not_here(record) if not self.store.has(f["md5"], f["size"])]
            if all(self.remote.has(lacking).values()):
                return record
        return None

    def _not_here(self, record: Record) -> list[Mapping[str, Any]]:
        """Files of the record's output that the workspace lacks or has otherwise."""
        found = compare(self.root, record)
        gone = found.missing | found.differing.keys()
        return [f for f in record["output"]["files"] if f["path"] in gone]

    def _restore(self, record: Record) -> bool:
        """Make the workspace agree with a record; returns whether anything came from the remote.

        Files of which nothing is here and which nobody asks for by name stay in the remote.
        """
        state = compare(self.root, record)
        folder = self.root / record["output"]["path"]
        for name in sorted(state.extra):
            (folder / name).unlink()
        wanted = []
        for entry in record["output"]["files"]:
            name = entry["path"]
            asked = name in self.job.step.leaf or name in state.differing
            if name in state.differing or (
                name in state.missing and (asked or self.store.has(entry["md5"], entry["size"]))
            ):
                wanted.append(entry)
        return obtain(self.store, self.remote, folder, wanted, self.job.name)

    # Execution

    def _execute(self) -> Record:
        inputs = Inputs(self.root, self.job, self.present.jobs, self.book)
        paths = inputs.provide(self.store, self.remote, self.parts["inputs"])
        output = self.root / PRIVATE / "work" / f"{self.job.name}@{files.token()}"
        scratch = self.root / PRIVATE / "scratch" / self.key
        output.mkdir(parents=True)
        try:
            step, file = self.job.step, self.root / self.present.params_file
            extra = self._extra(scratch)
            counts = self._call(
                Call(step.function, step.idle, paths, file, step.params, output, extra)
            )
            self._check(inputs)
            record = self._adopt(output, counts)
        finally:
            shutil.rmtree(output, ignore_errors=True)
        shutil.rmtree(scratch, ignore_errors=True)
        return record

    def _call(self, call: Call) -> Any:
        """Call the function where it sees only what its key counts, in a warm process, or in this one."""
        if hermetic.asked():
            if self.job.step.network:
                raise StepFailed(_closed(self.job, self.present.params_file))
            server = warm.connected() if call.idle else None
            name, packages = self.job.name, self.parts["packages"]
            counts, modules = hermetic.call(name, call, packages, server)
            self._loaded |= modules
            return counts
        if (server := warm.connected()) is not None:
            return self._forked(server, call)
        params = call.params(self.present.flow)
        before = self._ours()
        with variables.shut_out():
            try:
                function = call.function()
            except ModuleNotFoundError as error:
                raise self._lacking(error) from error
            counts = call.run(function, params)
        self._loaded |= self._ours() - before
        return counts

    def _forked(self, server: socket.socket, call: Call) -> Any:
        """Call it in a fork of the run's server."""
        try:
            answer = warm.call(server, self.job.name, call)
        except ModuleNotFoundError as error:
            raise self._lacking(error) from error
        self.elsewhere = (answer.cpu_seconds, answer.max_rss_bytes)
        self._loaded |= answer.modules
        return answer.counts

    def _lacking(self, error: ModuleNotFoundError) -> StepFailed:
        return StepFailed(
            f"{self.job.name}: {error}. Fix: `make env`, or `regrow doctor` for what is missing."
        )

    def _ours(self) -> set[str]:
        """Modules of our packages that are loaded now."""
        ours = self.present.flow.packages
        return {name for name in sys.modules if name.split(".")[0] in ours}

    def _extra(self, scratch: Path) -> dict[str, Any]:
        extra: dict[str, Any] = self.job.step.options_of(self.job.instance)
        if self.job.instance is not None:
            extra["instance"] = self.job.instance
        if self.job.step.resumable:
            scratch.mkdir(parents=True, exist_ok=True)
            extra["scratch"] = scratch
        return extra

    def _check(self, inputs: Inputs) -> None:
        """What a step owes: only modules of its closure, and hands off its inputs."""
        known = set(self.parts["code"]["modules"])
        strange = sorted(
            name
            for name in self._loaded - known
            if not name.startswith((*NEVER_STEPS, "regrow.cli", "regrow.params"))
        )
        if strange:
            raise StepFailed(
                f"{self.job.name} loaded {', '.join(strange)}, which its static imports do not "
                f"reach: its key would not see a change there. Import them by name."
            )
        changed = inputs.changed()
        if changed:
            raise StepFailed(
                f"{self.job.name} changed its inputs ({', '.join(changed[:5])}). "
                "A step writes its output only."
            )

    def _no_twins(self, digests: Mapping[str, Digest]) -> None:
        """Refuse two files with one MD5 and different bytes: DVC's cache can hold only one."""
        first: dict[str, str] = {}
        for name, digest in digests.items():
            twin = first.setdefault(digest.md5, name)
            if digests[twin].sha256 != digest.sha256:
                raise StepFailed(
                    f"{self.job.name} wrote {twin} (sha256 {digests[twin].sha256}) and {name} (sha256 "
                    f"{digest.sha256}) with the same MD5 {digest.md5}. DVC's cache, which is addressed "
                    "by MD5, can hold only one of them; such a pair is made on purpose."
                )

    def _adopt(self, output: Path, counts: Any) -> Record:
        """Hash, put in the cache, move in place; returns the record, not yet written."""
        digests: dict[str, Digest] = {}
        for path in sorted(output.rglob("*")):
            name = path.relative_to(output).as_posix()
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise StepFailed(f"{self.job.name} wrote {shown(name)}, which is no plain file.")
            if why := fault(name):
                raise StepFailed(
                    f"{self.job.name} wrote `{shown(name)}`: {why}. Name it otherwise."
                )
            if path.is_file():
                digests[name] = self.store.insert_file(path)
        if not digests:
            raise StepFailed(f"{self.job.name} wrote no file.")
        if why := "; ".join(faults(digests)[:1]):
            raise StepFailed(f"{self.job.name} wrote {why}. Name them otherwise.")
        self._no_twins(digests)
        lacking = sorted(set(self.job.step.leaf) - digests.keys())
        if lacking:
            raise StepFailed(f"{self.job.name} did not write {', '.join(lacking)}.")
        part = output_part(self.job.data, digests)
        self.store.insert_dir(part["files"])
        record = compose(self.job, self.parts, part, counts)
        for other in actions.lookup(self.store, self.key):
            if other["output"]["sha256"] != part["sha256"]:
                names = _differing(other, record)
                print(
                    f"{self.job.name}: NOT DETERMINISTIC: an earlier run with the same key gave "
                    f"other bytes in {', '.join(names)}.",
                    file=sys.stderr,
                )
        _move(output, self.root / self.job.data)
        tree = FileTree(self.root, self.job.data)
        for name, stat in tree.listing().items():
            tree.remember(name, stat, digests[name])
        tree.save()
        return record


def _move(source: Path, target: Path) -> None:
    """Put a folder in place of another; both on the same file system."""
    target.parent.mkdir(parents=True, exist_ok=True)
    old = source.with_name(source.name + ".old")
    if target.exists():
        target.rename(old)
    source.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _differing(old: Record, new: Record) -> list[str]:
    before = {f["path"]: f["sha256"] for f in old["output"]["files"]}
    after = {f["path"]: f["sha256"] for f in new["output"]["files"]}
    return sorted(n for n in before.keys() | after.keys() if before.get(n) != after.get(n))


def _closed(job: Job, params: str) -> str:
    instance = f" --instance {job.instance}" if job.instance else ""
    return (
        f"{job.name}: a closed run ({hermetic.VARIABLE}=1) lets no step ask a host, and this one fetches what "
        "its list names. Nothing was run. Fix: run it once without, or `dvc pull`; a closed run then finds its "
        f"result by key. `{hermetic.VARIABLE}=0 regrow run {job.step.name}{instance} --params {params}` runs it alone."
    )


def _full(job: Job, root: Path) -> StepFailed:
    return StepFailed(
        f"{job.name}: the disk is full ({free_bytes(root) / 1e6:.0f} MB free at {root}). "
        "Nothing was recorded. Free some space (`dvc gc --workspace` drops old artifacts) "
        "and run `snakemake` again: it goes on where it stopped."
    )
