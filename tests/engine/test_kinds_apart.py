"""A kind of training moves its own keys: no step's closure reaches the module of another kind.

The table of docs/reference/keys.md is what this prints (`python tests/engine/test_kinds_apart.py` rewrites it).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
import default_flow
from key_sources import with_method
from regrow.engine.closure import Closure, Modules, closure
from regrow.engine.step import Step
from regrow.params.registry import KINDS as ENTRIES
from regrow.recipe.kinds import KINDS as ALL

SOURCE = Path(__file__).parents[2] / "src"
FLOW = default_flow.flow()
OWN = {
    "pretrain": {"regrow.learn.train.kinds.pretrain"},
    "midtrain": {"regrow.learn.train.kinds.midtrain"},
    "midtrain_b": {"regrow.learn.train.kinds.midtrain"},
    "soup": {"regrow.learn.train.soup"},
    "anneal": {"regrow.learn.train.anneal"},
    "longcontext": {"regrow.learn.train.kinds.longcontext"},
    "longcontext_control": {"regrow.learn.train.kinds.longcontext"},
    "sft": {"regrow.learn.train.kinds.sft"},
    "sft_instruct": {"regrow.learn.train.kinds.sft"},
    "dpo": {"regrow.learn.train.kinds.dpo", "regrow.learn.train.dpo"},
    "dpo_delta": {"regrow.learn.train.kinds.dpo", "regrow.learn.train.dpo"},
    "rlvr": {"regrow.learn.rl.rlvr", "regrow.learn.train.grpo"},
    "rlzero": {"regrow.learn.rl.rlvr", "regrow.learn.train.grpo"},
    "rlzero_random": {"regrow.learn.rl.rlvr", "regrow.learn.train.grpo"},
}
"""step -> the modules of its kind"""
KINDS = set().union(*OWN.values(), (kind.function.partition(":")[0] for kind in ALL.values()))
KIND_OF = {entry["name"]: entry["kind"] for entry in default_flow.RECIPE.stages}
"""stage -> its kind"""


def reached(modules: Modules, step: Step) -> Closure:
    """What the key of a step counts of the code."""
    entry = step.function.partition(":")[0]
    return closure(modules, entry, FLOW.params_root, step.model_sections)


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Modules:
    return Modules(tmp_path_factory.mktemp("syntax") / "syntax.json", FLOW.packages)


@pytest.mark.parametrize("step", OWN)
def test_a_stage_counts_the_module_of_its_kind_and_of_no_other(modules: Modules, step: str) -> None:
    counted = set(reached(modules, FLOW.step(step)).modules)
    assert counted & KINDS == OWN[step]
    settings = {m for m in counted if m.startswith("regrow.params.kinds.")}
    assert settings <= {f"regrow.params.kinds.{KIND_OF.get(step)}"}


def test_no_data_step_counts_a_kind_of_training(modules: Modules) -> None:
    for step in FLOW.steps:
        if step.part == "data":
            assert not set(reached(modules, step).modules) & KINDS, step.name


def test_every_module_of_a_kind_is_a_kind_of_the_recipe() -> None:
    folder = Path(__file__).parents[2] / "src/regrow/learn/train/kinds"
    shared = {"__init__", "causal", "chat"}
    found = {
        f"regrow.learn.train.kinds.{p.stem}" for p in folder.glob("*.py") if p.stem not in shared
    }
    assert found <= KINDS


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edited")
    shutil.copytree(SOURCE / "regrow", folder / "regrow", ignore=shutil.ignore_patterns("_native"))
    return folder


def keys(source: Path) -> dict[str, str]:
    """Step -> digest of the code in its key, by the sources below a folder."""
    modules = Modules(source / "syntax.json", FLOW.packages, source)
    found = {step.name: reached(modules, step).digest() for step in FLOW.steps}
    modules.save()
    return found


@pytest.fixture
def before(copied: Path) -> Iterator[dict[str, str]]:
    yield keys(copied)


@pytest.mark.parametrize("kind", ENTRIES)
def test_an_edit_in_the_settings_of_a_kind_moves_its_stages_alone(
    copied: Path, before: dict[str, str], kind: str
) -> None:
    """And the masks of a takedown, which ask the settings how long a stage trains. The rest moves as what follows."""
    file = copied / "regrow/params/kinds" / f"{kind}.py"
    text = file.read_text(encoding="utf-8")
    file.write_text(with_method(text), encoding="utf-8")
    after = keys(copied)
    file.write_text(text, encoding="utf-8")
    moved = {name for name in before if before[name] != after[name]}
    stages = {n for n in before if KIND_OF.get(n.partition("_seed")[0]) == kind}
    masks = {s.name for s in FLOW.steps if s.name.endswith("_masked") and kind in s.params}
    assert moved == (stages | masks if ENTRIES[kind].section({}) else set())


RESOLVED = """
from pathlib import Path
from regrow.engine.present import Present
print(Present(Path.cwd(), "params/mine.yaml").params["dpo"]["beta"])
"""


def test_a_default_of_a_kind_is_read_again_after_an_edit(copied: Path) -> None:
    """What a lookup remembers of a params file counts the modules that are found in a folder."""
    root = copied / "root"
    (root / "params").mkdir(parents=True)
    (root / "params/mine.yaml").write_text("stages: [pretrain, sft, dpo]\n")
    file = copied / "regrow/params/kinds/dpo.py"
    text = file.read_text(encoding="utf-8")

    def beta() -> str:
        env = {**os.environ, "PYTHONPATH": str(copied)}
        call = [sys.executable, "-c", RESOLVED]
        done = subprocess.run(call, cwd=root, env=env, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert beta() == "5.0"
    file.write_text(text.replace("default=5.0", "default=6.0"), encoding="utf-8")
    found = beta()
    file.write_text(text, encoding="utf-8")
    assert found == "6.0"


PAGE = Path(__file__).parents[2] / "docs/reference/keys.md"
BEGIN = "<!-- kinds: written by tests/engine/test_kinds_apart.py -->\n"
END = "<!-- end of the kinds -->\n"
EDITED = (
    *(
        f"regrow.learn.train.kinds.{name}"
        for name in ("pretrain", "midtrain", "longcontext", "sft", "dpo")
    ),
    "regrow.learn.train.soup",
    "regrow.learn.rl.rlvr",
    "regrow.learn.train.kinds.causal",
    "regrow.learn.train.kinds.chat",
    *(f"regrow.params.kinds.{name}" for name in dict.fromkeys(KIND_OF.values())),
    "regrow.params.train",
    "regrow.recipe.kinds.dpo",
    "regrow.params.stages",
    "regrow.params.registry",
    "regrow.publish.report.pictures",
)
"""modules of kinds, what several of them share, and what no step reaches: probes and charts of a kind, entries, pictures"""
STAGES = [name for name in OWN if name != "anneal"]


def table(modules: Modules) -> str:
    """Which stage's key moves by an edit in which module: by what the function of the stage reaches."""
    counted = {stage: set(reached(modules, FLOW.step(stage)).modules) for stage in STAGES}
    head = "| edit in | " + " | ".join(STAGES) + " |\n|" + " --- |" * (len(STAGES) + 1) + "\n"
    rows = [
        f"| `{module.removeprefix('regrow.')}` | "
        + " | ".join("moves" if module in counted[stage] else "" for stage in STAGES)
        + " |\n"
        for module in EDITED
    ]
    return BEGIN + head + "".join(rows) + END


def test_the_page_has_this_table(modules: Modules) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert table(modules) in text, "run: python tests/engine/test_kinds_apart.py"


def test_probes_charts_and_entries_move_no_key(modules: Modules) -> None:
    for row in table(modules).splitlines()[-5:-1]:
        assert "moves" not in row, row


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        made = table(Modules(Path(folder) / "syntax.json", FLOW.packages))
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(before + made + rest.partition(END)[2], encoding="utf-8")
