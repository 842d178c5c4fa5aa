"""dvc.yaml, dvc.lock and code.json: the flow as DVC sees it, printed from the records.

One stage per step; the instances of a step are one output folder. The files are a function of
table, params file and records: no data is read and DVC is not imported.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from regrow.engine import files
from regrow.engine.command import target
from regrow.engine.hashing import Digest
from regrow.engine.jobs import Job
from regrow.engine.present import DEFAULT_PARAMS, Present
from regrow.engine.records import Book, Record
from regrow.engine.state import FileTree
from regrow.engine.step import Step
from regrow.engine.store import Store, dir_md5
from regrow.selection import parse

CODE = "code.json"
QUIET = "rules progress host reason"
_HEAD = "# Written by `snakemake` from the records; edits are overwritten.\n"


def write_code(present: Present) -> None:
    """Write code.json: per step, digests of code, packages and resolved params.

    It is how DVC notices an edit of the code: stages name their step in it as a param.
    """
    content = {step.name: code_entry(present.step_parts(step)) for step in present.made_steps}
    _write(present.root / CODE, json.dumps(content, indent=2, sort_keys=True) + "\n")


def code_entry(parts: dict[str, Any]) -> dict[str, str]:
    """What code.json says of a step with these parts of its key."""
    return {
        "code": parts["code"]["digest"][:16],
        "packages": _short([parts["packages"], parts["numerics"]]),
        "params": _short(parts["params"]),
    }


def _short(value: Any) -> str:
    return hashlib.sha256(files.canonical(value)).hexdigest()[:16]


def sync(present: Present, book: Book) -> None:
    """Write dvc.yaml and dvc.lock, where they differ; put `.dir` objects of whole steps in the cache."""
    from regrow import yaml12

    raw = yaml12.load((present.root / present.params_file).read_text(encoding="utf-8")) or {}
    store = Store(present.root)
    stages: dict[str, Any] = {}
    locks: dict[str, Any] = {}
    for step in present.made_steps:
        jobs = [job for job in present.jobs.values() if job.step is step]
        records = [book.record(job) for job in jobs]
        if step.group != "main":
            # A plain run makes no repetitions under other seeds: as stages they would be what
            # `dvc status` misses after every such run. Git carries their records and results.
            continue
        stage = _stage(present, step, jobs, raw)
        stages[step.name] = stage
        if all(records):
            locks[step.name] = _lock(
                present, book, store, step, jobs, [r for r in records if r], stage, raw
            )
    _write(present.root / "dvc.yaml", _HEAD + yaml12.dump({"stages": stages}))
    _write(present.root / "dvc.lock", yaml12.dump({"schema": "2.0", "stages": locks}))


def _stage(present: Present, step: Step, jobs: list[Job], raw: dict[str, Any]) -> dict[str, Any]:
    config = "" if present.params_file == DEFAULT_PARAMS else f"--configfile {present.params_file} "
    params: list[Any] = []
    sections = [section for section in step.params if section in raw]
    if sections:
        params.append({present.params_file: sections})
    params.append({CODE: [step.name]})
    # Forced, because DVC deletes the outputs first; a key that is known restores them.
    # No `--until`: of a chain of instances it loses all but the first (see `command`).
    # What went wrong is said; `-q all` would hide that too.
    command = f"snakemake {target(step)} -c all -q {QUIET} {config}-R {step.name}"
    stage: dict[str, Any] = {"cmd": command}
    deps = [*_deps(step, jobs), *_params_dep(present, step, raw)]
    if deps:
        stage["deps"] = sorted(deps)
    return {**stage, "params": params, "outs": [f"data/{step.name}"]}


def _absent(step: Step, raw: dict[str, Any]) -> list[str]:
    """Sections that the step declares and the params file does not name."""
    return [section for section in step.params if section not in raw]


def _params_dep(present: Present, step: Step, raw: dict[str, Any]) -> list[str]:
    """The params file, as a file, of a step of which it does not name all sections.

    DVC has no way to say that a section must stay away (a param that is not there is an error to it), so
    any edit of the file makes it look; what it then calls finds the key as it was.
    """
    return [present.params_file] if _absent(step, raw) else []


def _deps(step: Step, jobs: Iterable[Job]) -> dict[str, list[tuple[Job, str]]]:
    """Path that DVC sees -> the (job, input name) pairs behind it."""
    found: dict[str, list[tuple[Job, str]]] = {}
    for job in jobs:
        for item in job.inputs:
            path = item.path
            if item.kind == "data":
                path = f"data/{item.job.split('.')[0]}"
            elif item.kind == "source":
                path = parse(item.path).folder
            if path != f"data/{step.name}":
                found.setdefault(path, []).append((job, item.name))
    return found


def _lock(
    present: Present,
    book: Book,
    store: Store,
    step: Step,
    jobs: list[Job],
    records: list[Record],
    stage: dict[str, Any],
    raw: dict[str, Any],
) -> dict[str, Any]:
    deps = []
    for path, pairs in sorted(_deps(step, jobs).items()):
        entry = _dep(present, book, path, pairs)
        # A dep that the step did not see as it is now is left out: DVC then calls it new.
        if entry is not None:
            deps.append(entry)
    unchanged = all(
        record["parts"]["params"].get(section) == present.params[section]
        for record in records
        for section in _absent(step, raw)
    )
    if unchanged:
        deps += [_source(present.root, path) for path in _params_dep(present, step, raw)]
    params: dict[str, Any] = {}
    made = _odd([record["parts"] for record in records], present.step_parts(step))
    now = present.step_parts(step)["params"]
    values = {
        section: raw[section]
        if made["params"].get(section) == now[section]
        else made["params"][section]
        for section in step.params
        if section in raw and section in made["params"]
    }
    if values:
        params[present.params_file] = values
    params[CODE] = {step.name: code_entry(made)}
    lock: dict[str, Any] = {"cmd": stage["cmd"]}
    if deps:
        lock["deps"] = sorted(deps, key=lambda dep: str(dep["path"]))
    entries = step_files(step.name, records)
    md5 = store.insert_dir(entries)  # DVC believes what it lists: a changed one is rewritten
    size = sum(entry["size"] for entry in entries)
    out = {"path": f"data/{step.name}", "hash": "md5", "md5": md5, "size": size}
    return {**lock, "params": params, "outs": [{**out, "nfiles": len(entries)}]}


def _odd(parts: list[dict[str, Any]], present: dict[str, Any]) -> dict[str, Any]:
    """Of several instances' parts, those of one that is out of date, if any is."""
    now = code_entry(present)
    return next((p for p in parts if code_entry(p) != now), parts[0])


def step_files(step: str, records: list[Record]) -> list[dict[str, Any]]:
    """The files of all instances of a step, by path below the step's folder: DVC's one output."""
    found = []
    for record in records:
        prefix = record["output"]["path"].removeprefix(f"data/{step}").lstrip("/")
        for entry in record["output"]["files"]:
            path = f"{prefix}/{entry['path']}" if prefix else entry["path"]
            found.append({**entry, "path": path})
    return found


def _dep(
    present: Present, book: Book, path: str, pairs: list[tuple[Job, str]]
) -> dict[str, Any] | None:
    jobs = present.jobs
    for job, name in pairs:
        record = book.record(job)
        item = next(i for i in job.inputs if i.name == name)
        seen = record["parts"]["inputs"].get(name) if record else None
        if seen is None or seen != _present_sha(present, book, item.kind, item.path, item.job):
            return None
    first = next(i for i in pairs[0][0].inputs if i.name == pairs[0][1])
    if first.kind == "data":
        step = jobs[first.job].step
        records = [book.record(job) for job in jobs.values() if job.step is step]
        if not all(records):
            return None
        entries = step_files(step.name, [r for r in records if r])
        return _folder(path, entries)
    if first.kind == "record":
        record = book.record(jobs[first.job])
        assert record is not None
        digest = book.encoded(record)
        return {"path": path, "hash": "md5", "md5": digest.md5, "size": digest.size}
    return _source(present.root, path)


def _present_sha(present: Present, book: Book, kind: str, path: str, job: str) -> str | None:
    if kind == "source":
        return present.source_sha256(path)
    record = book.record(present.jobs[job])
    if record is None:
        return None
    return book.encoded(record).sha256 if kind == "record" else record["output"]["sha256"]


def _source(root: Path, path: str) -> dict[str, Any]:
    tree = FileTree(root, path)
    digests: dict[str, Digest] = tree.digests()
    tree.save()
    if "" in digests:
        only = digests[""]
        return {"path": path, "hash": "md5", "md5": only.md5, "size": only.size}
    return _folder(path, [{"path": n, "md5": d.md5, "size": d.size} for n, d in digests.items()])


def _folder(path: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "path": path,
        "hash": "md5",
        "md5": dir_md5(entries),
        "size": sum(entry["size"] for entry in entries),
        "nfiles": len(entries),
    }


def _write(path: Path, text: str) -> None:
    content = text.encode()
    try:
        if path.read_bytes() == content:
            return
    except OSError:
        pass
    files.write_atomically(path, content)
