"""Planning at 100, 1,000 and 10,000 data shards: regrow's own time, before anything runs.

    python benchmarks/plan_scale.py [--shards 100 1000 10000] [--turns 3] [--snakemake]

The flow: a split, one `clean` job per shard, a `mix` of all of them, a chain of 20 checkpoints with an evaluation
each. Each question is asked in a fresh process, as a person does, of three states:
  empty    nothing has been built: `regrow plan`
  done     all records and data are there: `regrow plan` says that there is nothing to do
  edited   one param of `clean` changed: every shard runs, what follows waits
With --snakemake also `snakemake -n` of the same flow (its own DAG, after regrow's reconciliation, with the profiles'
`rerun-triggers: mtime`), and how many jobs it would start.
Records and one small file per job are written by the runner's own functions, without running a step.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SNAKEMAKE = ("snakemake", "-n", "-q", "rules", "-c", "1", "--rerun-triggers", "mtime")
TABLE = '''\
"""A table of steps with shards."""

from regrow.engine.step import Input, Step

PARAMS_ROOT = "shards.params:Params"


def load(path):
    from shards import params

    return params.load(path)


def _shards(params):
    return [f"{n:05d}" for n in range(params.split.shards)]


def _steps(params):
    return [f"{n:06d}" for n in range(20)]


STEPS = (
    Step(name="split", function="shards.work:run", params=("split",),
         inputs=(Input(name="raw", kind="source", path="sources"),)),
    Step(name="clean", function="shards.work:run", params=("clean",),
         inputs=(Input(name="split", step="split"),), instances=_shards),
    Step(name="mix", function="shards.work:run", inputs=(Input(name="clean", step="clean", instance="all"),)),
    Step(name="train", function="shards.work:run", instances=_steps,
         inputs=(Input(name="data", step="mix"), Input(name="previous", step="train", instance="previous"))),
    Step(name="evaluate", function="shards.work:run", instances=_steps,
         inputs=(Input(name="model", step="train", instance="same"),)),
)
'''
PARAMS = '''\
"""Params of the shards."""

from regrow.params.base import Block


class Split(Block):
    shards: int = 100


class Clean(Block):
    lower: bool = True


class Params(Block):
    split: Split = Split()
    clean: Clean = Clean()


def load(path):
    from regrow import yaml12

    return Params.model_validate(yaml12.load(path.read_text()) or {})
'''
SNAKEFILE = """\
import os, sys
from pathlib import Path
sys.path.insert(0, str(Path(workflow.basedir) / "src"))
os.environ["REGROW_TABLE"] = "shards.table"
from regrow.engine.workflow import Flow
FLOW = Flow(workflow)

rule all:
    input: FLOW.targets

rule split:
    input: ".regrow/stamps/split"
    output: "records/split.json"
    shell: "regrow run split"

rule clean:
    input: ".regrow/stamps/clean", "records/split.json"
    output: "records/clean.{instance}.json"
    shell: "regrow run clean --instance {wildcards.instance}"

rule mix:
    input: ".regrow/stamps/mix", FLOW.needs("mix")
    output: "records/mix.json"
    shell: "regrow run mix"

rule train:
    input: ".regrow/stamps/train", lambda w: FLOW.needs("train", w.instance)
    output: "records/train.{instance}.json"
    shell: "regrow run train --instance {wildcards.instance}"

rule evaluate:
    input: ".regrow/stamps/evaluate", "records/train.{instance}.json"
    output: "records/evaluate.{instance}.json"
    shell: "regrow run evaluate --instance {wildcards.instance}"
"""
BUILD = """\
import sys
from pathlib import Path
from regrow.engine.present import Present
from regrow.engine.records import Book, compose, output_part
from regrow.engine.store import Store

root = Path.cwd()
present, store, book = Present(root, "params/demo.yaml"), Store(root), Book(root)
(root / "records").mkdir()
for job in present.jobs.values():
    hashes = {i.name: present.source_sha256(i.path) if i.kind == "source"
              else book.record(present.jobs[i.job])["output"]["sha256"] for i in job.inputs}
    folder = root / job.data
    folder.mkdir(parents=True)
    (folder / "out.txt").write_text(job.name)
    part = output_part(job.data, {"out.txt": store.insert_file(folder / "out.txt")})
    book.write(job, compose(job, present.parts(job, hashes), part, None))
present.save()
"""


def prepare(root: Path, shards: int) -> None:
    """A repository of the sharded flow, without records."""
    files = {
        "src/shards/__init__.py": "",
        "src/shards/table.py": TABLE,
        "src/shards/params.py": PARAMS,
        "src/shards/work.py": "def run(inputs, params, output, **more):\n    return None\n",
        "Snakefile": SNAKEFILE,
        "params/demo.yaml": f"split: {{shards: {shards}}}\n",
        "sources/raw.txt": "text\n",
        "constraints.txt": (ROOT / "constraints.txt").read_text(),
        ".dvc/config": "",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for words in (("init", "-q"), ("commit", "-q", "--allow-empty", "-m", "start")):
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words]
        subprocess.run(git, cwd=root, check=True)


def call(root: Path, *args: str) -> tuple[float, str]:
    """Run a command in the repository; CPU and wall seconds would differ on a busy machine, so both count."""
    bin = Path(sys.executable).parent
    env = os.environ | {
        "PYTHONPATH": f"{root / 'src'}{os.pathsep}{ROOT / 'src'}",
        "REGROW_TABLE": "shards.table",
        "PATH": f"{bin}{os.pathsep}{os.environ['PATH']}",
    }
    start = time.perf_counter()
    done = subprocess.run(args, cwd=root, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{args}: {done.stderr[-2000:]}")
    return time.perf_counter() - start, done.stdout + done.stderr


def measure(root: Path, turns: int, *args: str) -> tuple[dict[str, float], str]:
    """Medians of wall and CPU seconds over turns; what the last one said."""
    seen, said = [], ""
    for _ in range(turns):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall, said = call(root, *args)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        seen.append((wall, used))
    medians = {
        "seconds": round(statistics.median(w for w, _ in seen), 2),
        "cpu_seconds": round(statistics.median(u for _, u in seen), 2),
    }
    return medians, said


def actions(root: Path) -> dict[str, int]:
    """What the plan says, by action."""
    _, text = call(root, sys.executable, "-m", "regrow.cli.main", "plan", "--json")
    return {name: n for name, n in json.loads(text)["summary"].items() if n}


def bench(shards: int, turns: int, snakemake: bool) -> list[dict[str, object]]:
    """One row per state."""
    plan = (sys.executable, "-m", "regrow.cli.main", "plan")
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        prepare(root, shards)

        def row(state: str) -> None:
            found: dict[str, object] = {"shards": shards, "jobs": shards + 42, "state": state}
            found |= {"says": actions(root), "plan": measure(root, turns, *plan)[0]}
            if snakemake:
                found["snakemake -n"], said = measure(root, turns, *SNAKEMAKE)
                total = re.search(r"^total +(\d+)", said, re.MULTILINE)
                assert total or "Nothing to be done" in said, said[-2000:]
                found["would start"] = int(total[1]) if total else 0
            rows.append(found)
            print(json.dumps(found), flush=True)

        row("empty")
        call(root, sys.executable, "-c", BUILD)
        row("done")
        path = root / "params/demo.yaml"
        path.write_text(path.read_text() + "clean: {lower: false}\n")
        row("edited")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", type=int, nargs="+", default=[100, 1_000, 10_000])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--snakemake", action="store_true")
    args = parser.parse_args()
    for shards in args.shards:
        bench(shards, args.turns, args.snakemake)


if __name__ == "__main__":
    main()
