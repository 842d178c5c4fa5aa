"""A git repository with a flow of three steps and the layout that a rebuild expects."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SNAKEFILE = """\
rule all:
    input: "records/c.json"

rule a:
    output: "records/a.json"
    shell: "{python} make.py a"

rule b:
    input: "records/a.json"
    output: "records/b.json"
    shell: "{python} make.py b"

rule c:
    input: "records/b.json"
    output: "records/c.json"
    shell: "{python} make.py c"
""".replace("{python}", sys.executable)

MAKE = """\
import json
import os
import sys
from pathlib import Path
from regrow.engine.definition import code_digest, key_of
from regrow.engine.hashing import digest_file
from regrow.engine.records import encode, output_part

def body(step):
    return f"result of {step}\\n"
#CHANGE
step = sys.argv[1]
params = json.loads(Path("params/demo.yaml").read_text())
folder = Path("data") / step
folder.mkdir(parents=True, exist_ok=True)
(folder / "out.txt").write_text(body(step) + str(params["toy"]["x"]))
digest = digest_file(folder / "out.txt")
before = {"b": "a", "c": "b"}.get(step)
inputs, hashes = {}, {}
if before:
    made = json.loads(Path(f"records/{before}.json").read_text())["output"]
    inputs["it"] = {"kind": "data", "path": made["path"], "record": f"records/{before}.json"}
    hashes["it"] = made["sha256"]
parts = {"inputs": hashes, "params": {"toy": params["toy"]}, "packages": {"python": "3.11"},
         "instance": None, "options": {"step": step},
         "code": {"function": "make:body", "digest": code_digest({}, {}), "modules": {}, "native": {}}}
record = {
    "step": step, "instance": None, "key": key_of(parts), "parts": parts,
    "inputs": inputs,
    "output": output_part(str(folder), {"out.txt": digest}),
    "counts": None,
}
Path("records").mkdir(exist_ok=True)
Path(f"records/{step}.json").write_bytes(encode(record))
"""


def git(root: Path, *args: str) -> str:
    command = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@example.org", *args]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def write_repository(root: Path, change: str = "", top: Path | None = None) -> Path:
    """The repository with published records; `change` is code that only later runs reach.

    `top`: of the repository, where that is a folder above the root of the flow.
    """
    root.mkdir(parents=True)
    source = Path(__file__).resolve().parents[2] / "src"
    (root / "src").symlink_to(source)
    (root / "params").mkdir()
    (root / "params" / "demo.yaml").write_text('{"toy": {"x": 7}}')
    (root / "Snakefile").write_text(SNAKEFILE)
    (root / "make.py").write_text(MAKE.replace("#CHANGE", change))
    (root / ".gitignore").write_text("/data/\n")
    git(top or root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "code without records")
    for step in "abc":
        environment = os.environ | {"PYTHONPATH": str(source), "TOY_PUBLISH": "1"}
        subprocess.run([sys.executable, "make.py", step], cwd=root, env=environment, check=True)
    git(root, "add", "-A")
    git(root, "commit", "-qm", "records")
    return root
