"""Two runs of which one was made by another revision of the code: its own code runs it again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import regrow
import trained_tree
from determinism import AS_A_JOB
from regrow.engine.store import Store
from regrow.prove.segments.bisect import bisect
from regrow.prove.segments.sides import side
from toy_repository import git

TESTS = Path(__file__).resolve().parents[1] / "support"
NAME = "model.layers.2.self_attn.q_proj.weight"
ULP = (
    "learn/train/engine.py",
    "        self.step = step\n        self.tokens",
    f"""        self.step = step
        if step == 5:
            weight = self.weights["{NAME}"].detach()
            weight[3, 7] = torch.nextafter(weight[3, 7], torch.tensor(float("inf")))
        self.tokens""",
)
"""one weight moved by one ULP, once, by the code of a commit"""
ORDER = (
    "learn/train/tree_sum.py",
    "while self._partial and self._partial[-1][0] == level:",
    "while self._partial:",
)
"""gradients added one after the other instead of along a tree"""


def published(root: Path, text: str) -> None:
    """Commit records and code; the bytes go to DVC's cache."""
    store = Store(root)
    for path in sorted((root / "data").rglob("*")):
        if path.is_file():
            store.insert_file(path)
    git(root, "add", "-A")
    git(root, "commit", "-qm", text)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the present code and a run that it made; only copied."""
    root = trained_tree.grow(tmp_path_factory.mktemp("revision") / "tree")
    code = Path(regrow.__file__).parent
    shutil.copytree(
        code, root / "src/regrow", ignore=shutil.ignore_patterns("__pycache__", "_native")
    )
    shutil.copytree(
        code / "numerics/_native",
        root / "src/regrow/numerics/_native",
        ignore=shutil.ignore_patterns("cache"),
    )
    (root / ".gitignore").write_text("/data/\n.dvc/\n_native/\n__pycache__/\n.regrow/\n")
    git(root, "init", "-q")
    published(root, "the first run")
    return root


@pytest.mark.parametrize(("change", "until"), [(ULP, 6), (ORDER, 3)], ids=["ulp", "order"])
def test_a_change_of_code_is_found_where_it_first_shows(
    first: Path, tmp_path: Path, change: tuple[str, str, str], until: int
) -> None:
    root = Path(shutil.copytree(first, tmp_path / "tree"))
    file, old, new = change
    source = root / "src/regrow" / file
    text = source.read_text()
    assert text.count(old) == 1
    source.write_text(text.replace(old, new))
    names = [f"sft.{step:06d}" for step in (3, 6) if step <= until]
    code = AS_A_JOB + (
        "import sys, trained_tree; from pathlib import Path\n"
        "for name in sys.argv[2:]: trained_tree.make(Path(sys.argv[1]), name)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(root), *names],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(root / "src"), str(TESTS)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    published(root, "other code, and what it made")
    left, right = (
        side(root, f"{revision}:sft.{until:06d}", tmp_path / label)
        for revision, label in (("HEAD~1", "a"), ("HEAD", "b"))
    )
    answer = bisect(left, right, tmp_path / "bisect", lambda text: None)
    assert answer["verdict"] == "differs" and answer["stage"] == ["sft", "sft"]
    assert answer["causes"] == ["code"] or answer["causes"] == ["code", "inputs.previous"]
    assert answer["reproduced"] == [True, True], "each by its own code"
    if change is ULP:
        assert (answer["equal_at"], answer["step"], answer["link"]) == (4, 5, 6)
        (found,) = answer["apart"]
        assert found["tensor"] == f"model/{NAME}" and found["elements"] == 1
        assert (found["first"]["index"], found["first"]["ulps"]) == ([3, 7], 1)
    else:
        assert (answer["step"], answer["state_at"]) == (1, 1)
        assert answer["apart"] and all(item["first"]["ulps"] for item in answer["apart"])
