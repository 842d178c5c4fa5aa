"""examples/minimal as its README says: a foreign workflow on the engine, grown and asked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from regrow.engine import params, project
from regrow.engine.errors import FlowError
from regrow.engine.params import ParamsError
from small_repository import ROOT, Repository

EXAMPLE = ROOT / "examples/minimal"
TREE = (
    "((A:0.006797,B:0.006797):0.009234,(C:0.012004,(D:0.008183,E:0.008183):0.003821):0.004027);\n"
)

pytestmark = pytest.mark.filterwarnings("error")


def start(path: Path, **env: str) -> Repository:
    """A copy of the example, begun as the README says and built."""
    shutil.copytree(EXAMPLE, path, ignore=shutil.ignore_patterns("__pycache__"))
    repository = Repository(path)
    repository.git("init", "-q", "-b", "main")
    repository.dvc("init", "-q")
    repository.commit("start")
    repository.run("snakemake", "--cores", "2", **env)
    repository.commit("first tree")
    return repository


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return start(tmp_path_factory.mktemp("minimal") / "tree")


def records(repository: Repository) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted((repository.path / "records").iterdir())}


def ask(repository: Repository, *words: str, status: int = 0) -> str:
    done = repository.run("regrow", *words, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout


@pytest.mark.workflow
def test_the_example_grows_the_tree_along_which_its_sequences_were_made(grown: Repository) -> None:
    assert (grown.path / "data/tree/tree.nwk").read_text() == TREE
    assert set(records(grown)) == {"count.json", "compare.json", "tree.json"}
    assert "3 current" in ask(grown, "plan")
    assert "3 of 3 artifacts equal" in ask(grown, "verify")
    assert grown.git("status", "--short") == ""


@pytest.mark.workflow
def test_audit_goes_down_to_the_source_and_diff_names_the_cause(grown: Repository) -> None:
    assert "sources/sequences.fasta" in ask(grown, "audit", "tree")
    audited = json.loads(ask(grown, "audit", "tree", "--json"))
    assert "models" not in json.dumps(audited).lower()
    path = grown.path / "params/demo.yaml"
    before = path.read_text()
    path.write_text(before.replace("k: 5", "k: 7"))
    assert "count.k: 5 -> 7" in ask(grown, "plan")
    grown.run("snakemake", "--cores", "2")
    assert "count.k: 5 -> 7" in ask(grown, "diff", "tree@HEAD", "tree", status=1)
    path.write_text(before)
    again = grown.run("snakemake", "--cores", "2").stderr
    assert again.count("known, not run") == 3
    assert grown.git("status", "--short") == ""


@pytest.mark.workflow
def test_a_rebuild_from_the_commit_is_equal(grown: Repository) -> None:
    assert "3 of 3 outputs equal" in ask(grown, "rebuild", "tree")


@pytest.mark.workflow
def test_a_second_growth_elsewhere_has_equal_records(grown: Repository, tmp_path: Path) -> None:
    other = {"PYTHONHASHSEED": "9", "TZ": "Pacific/Chatham", "LC_ALL": "C"}
    assert records(start(tmp_path / "elsewhere", **other)) == records(grown)


@pytest.mark.workflow
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("count: {k: 0}", "count.k: Input should be greater than or equal to 1, got 0"),
        ("counts: {}", "counts: Extra inputs are not permitted"),
        ("count: [", "cannot be read as YAML"),
    ],
)
def test_a_wrong_params_file_is_named_with_its_field(
    grown: Repository, text: str, said: str
) -> None:
    (grown.path / "params/wrong.yaml").write_text(text)
    done = grown.run("regrow", "plan", "--params", "params/wrong.yaml", check=False)
    (grown.path / "params/wrong.yaml").unlink()
    assert done.returncode == 2
    assert "params/wrong.yaml" in done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_params_file_that_is_not_there_lists_those_that_are(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("{}")
    with pytest.raises(ParamsError, match=r"other\.yaml: no such file\. .*mine\.yaml"):
        params.load(tmp_path / "other.yaml", "builtins:dict")


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("", None),
        ("[tool.ruff]\n", None),
        ("[tool.regrow]\n", None),
        ("[tool.regrow]\ntable = 'a.b'\n", "a.b"),
        ("[tool.other]\ntext = 'tool.regrow'\n", None),
    ],
)
def test_the_table_is_the_one_that_pyproject_names(
    tmp_path: Path, text: str, table: str | None
) -> None:
    assert project.table_of(tmp_path) is None
    (tmp_path / "pyproject.toml").write_text(text)
    assert project.table_of(tmp_path) == table


@pytest.mark.parametrize("value", ["1", "'a b'", "''", "['a']", "'a..b'"])
def test_a_table_that_is_no_module_is_refused(tmp_path: Path, value: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.regrow]\ntable = {value}\n")
    with pytest.raises(FlowError, match=r"tool\.regrow\.table must name a module"):
        project.table_of(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.regrow\n")
    with pytest.raises(FlowError, match="not TOML"):
        project.table_of(tmp_path)


def test_the_engine_names_nothing_of_language_models() -> None:
    words = ("checkpoint", "model card", "tokenizer", "released", "pretrain", "midtrain", "rlvr")
    for path in sorted((ROOT / "src/regrow/engine").glob("*.py")):
        found = [word for word in words if word in path.read_text(encoding="utf-8").lower()]
        assert not found, f"{path.name}: {found}"


def test_the_steps_of_the_example_know_nothing_of_the_engine() -> None:
    for path in sorted((EXAMPLE / "src/kmertree").glob("*.py")):
        if path.name != "table.py":
            assert "regrow" not in path.read_text().replace("Regrow's engine", ""), path.name
