"""Every step against every kind of change: does its key move, and is the cause named?

The table in docs/reference/keys.md is what this prints (`python tests/engine/test_key_table.py` rewrites it).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from default_flow import STEPS as TABLE
from key_mutations import KINDS, Mutations
from key_tree import KeyTree, parsed_once
from small_repository import ROOT

PAGE = ROOT / "docs/reference/keys.md"
BEGIN, END = (
    "<!-- table: written by tests/engine/test_key_table.py -->\n",
    "<!-- end of the table -->\n",
)
STEPS = [s.name for s in TABLE if s.group == "main"]
MOVES = {
    "input byte": "input",
    "declared param": "params",
    "own function": "code",
    "function 3 modules away": "code",
    "constant": "code",
    "method of a params model": "code",
    "native source": "code",
    "package imported": "packages",
    "package that those need": "packages",
    "version from PYTHONPATH": "packages",
    "stray module for a package": "packages",
    "stray module for Python's": "packages",
    "Python minor": "packages",
    "numerics class": "numerics",
    "options": "options",
    "function name": "code",
}
"""kind -> the part of the key that must move; every other kind must move none"""

PROBE = """
import json, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from default_flow import STEPS as TABLE
from key_tree import KeyTree
print(json.dumps(KeyTree(Path(sys.argv[1])).keys()))
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> KeyTree:
    with parsed_once():
        return KeyTree.make(tmp_path_factory.mktemp("keys") / "tree")


def moved(tree: KeyTree, step: str) -> dict[str, str]:
    """Kind -> part of the key that moved, `` for none, `-` where the step has nothing of that kind."""
    with parsed_once():
        mutations = Mutations(tree, step)
        found = {kind: mutations.moves(kind) for kind in KINDS}
        assert tree.look(step)[0] == mutations.key, "a change was left behind"
    return found


def row(step: str, found: dict[str, str]) -> str:
    """A line of the table: `x` moved, `.` did not, nothing where there is nothing to change."""
    cells = [" " if f == "-" else "x" if f else "." for f in found.values()]
    return f"| {step} | {' | '.join(cells)} |\n"


def head() -> str:
    """What the columns are, and the first two lines."""
    kinds = [f"{n} {kind}" for n, kind in enumerate(KINDS, 1)]
    numbers = " | ".join(map(str, range(1, len(KINDS) + 1)))
    return f"{'; '.join(kinds)}.\n\n| step | {numbers} |\n|{' --- |' * (len(KINDS) + 1)}\n"


@pytest.mark.parametrize("step", STEPS)
def test_the_key_moves_by_what_decides_the_bytes_and_by_nothing_else(tree: KeyTree, step: str):
    found = moved(tree, step)
    for kind, part in found.items():
        assert part in ("-", MOVES.get(kind, "")), kind
    assert row(step, found) in PAGE.read_text(encoding="utf-8"), (
        "docs/reference/keys.md tells otherwise"
    )


def test_the_page_has_no_step_that_is_gone():
    text = PAGE.read_text(encoding="utf-8")
    rows = text[text.index(BEGIN) + len(BEGIN) : text.index(END)]
    assert rows.startswith(head())
    assert [line.split("|")[1].strip() for line in rows.splitlines()[4:]] == STEPS


def test_every_kind_is_there_for_some_step(tree: KeyTree):
    with parsed_once():
        every = [Mutations(tree, step) for step in ("pretrain", "pack", "rlvr", "forkmix")]
        for kind in KINDS:
            assert any(m.of(kind) is not None for m in every), kind


def test_place_user_time_language_cores_and_environment_move_no_key(tree: KeyTree, tmp_path: Path):
    other = tmp_path / "an other place" / "tree"
    shutil.copytree(tree.path, other)
    for path in other.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))

    def keys(path: Path, prefix: list[str], **env: str) -> dict[str, str]:
        command = [*prefix, sys.executable, "-c", PROBE, str(path), str(ROOT / "tests/support")]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), **env}
        done = subprocess.run(
            command, env=environment, cwd=path, capture_output=True, text=True, check=True
        )
        found: dict[str, str] = json.loads(done.stdout)
        return found

    here = keys(tree.path, [], PYTHONHASHSEED="0")
    there = keys(
        other,
        ["taskset", "-c", "0"],
        PYTHONHASHSEED="77",
        TZ="Asia/Kathmandu",
        LC_ALL="C",
        LANG="tr_TR.UTF-8",
        USER="somebody",
        LOGNAME="somebody",
        HOME=str(tmp_path),
        HOSTNAME="elsewhere",
        TMPDIR=str(tmp_path),
        OMP_NUM_THREADS="7",
        REGROW_THREADS="2",
        REGROW_ISA="avx2",
        CUDA_VISIBLE_DEVICES="3",
        HF_HOME=str(tmp_path),
    )
    assert set(here) == {s.name for s in TABLE}
    assert here == there


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        with parsed_once():
            made = KeyTree.make(Path(folder) / "tree")
        lines = [row(step, moved(made, step)) for step in STEPS]
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}{head()}{''.join(lines)}{END}{after}", encoding="utf-8")
