"""Seeds of another run are not averaged with those of this one, and it is said why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import evals_tree
from regrow.ask.evals.gains import gains
from regrow.ask.evals.read import Evaluations
from regrow.cli.main import main
from regrow.evidence.ledger import Ledger
from sound_records import write_sound


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return evals_tree.write_tree(tmp_path, seeds=True)


def change(tree: Path, name: str, edit: dict[str, Any] | None = None, **parts: Any) -> None:
    """Change the parts of a record; None removes it."""
    path = tree / "records" / f"{name}.json"
    if edit is None and not parts:
        path.unlink()
        return
    record = json.loads(path.read_text())
    record["parts"] |= parts
    record["inputs"] |= edit or {}
    write_sound(path, record)


def counted(tree: Path, stage: str) -> tuple[list[int], dict[int, str]]:
    return Evaluations(Ledger.load(tree)).seeds(stage)


def test_what_differs_by_the_seed_alone_is_averaged(tree: Path) -> None:
    for stage in ("sft", "dpo", "rlvr"):
        assert counted(tree, stage) == ([0, 1, 2], {})
    assert counted(tree, "pretrain") == ([0], {})


RATE = {"difficulty": {"max_pass_rate": 0.5}}
OTHER = {"function": "toy.dpo:run", "modules": {"toy.dpo": {"digest": "e" * 16, "definitions": {}}}}


@pytest.mark.parametrize(
    ("name", "parts", "stages", "why"),
    [
        # The params of a data step upstream, which no stage declares: the published case.
        ("difficulty", {"params": RATE}, ["rlvr"], "difficulty_seed1 has other params: difficulty.max_pass_rate is 0.85, here 0.5"),
        ("difficulty_seed1", {"params": RATE}, ["rlvr"], "max_pass_rate is 0.5, here 0.85"),
        ("sft_seed1.000300", {"params": {"sft": {"steps": 9}}}, ["sft", "dpo", "rlvr"], "sft_seed1.000300 has other params"),
        ("dpo_seed1.000032", {"code": OTHER}, ["dpo", "rlvr"], "by other code"),
        ("dpo_seed1.000032", {"packages": {"torch": "2.0"}}, ["dpo", "rlvr"], "other packages: torch is 2.0, here not set"),
        ("dpo_seed1.000032", {"numerics": "cuda"}, ["dpo", "rlvr"], "another arithmetic"),
        ("dpo_seed1.000032", {"options": {"seed": 1, "source": "delta", "stage": "dpo", "settings": "dpo"}}, ["dpo", "rlvr"], "other options: source is delta"),
        ("evaluate_seed1.rlvr_seed1-000080", {"params": {"evaluate": {"split": "dev"}}}, ["rlvr"], "evaluate.split is dev"),
        ("sft_seed1.000300", {"inputs": {"base": "f" * 64}}, ["sft", "dpo", "rlvr"], "from another longcontext.000120"),
    ],
)  # fmt: skip
def test_a_difference_anywhere_upstream_keeps_a_seed_out_of_the_stages_below_it(
    tree: Path, name: str, parts: dict[str, Any], stages: list[str], why: str
) -> None:
    change(tree, name, **parts)
    for stage in ("sft", "dpo", "rlvr"):
        seeds, ignored = counted(tree, stage)
        assert (1 not in seeds) == (stage in stages), stage
        # Seed 2 differs only where the plain run is what was changed.
        assert (2 not in seeds) == (stage in stages and "_seed1" not in name), stage
        if stage in stages:
            assert why in ignored[1]


def test_a_stage_made_from_another_stage_is_no_repetition(tree: Path) -> None:
    base = {"kind": "data", "path": "data/sft/000300", "record": "records/sft.000300.json"}
    digest = evals_tree.digest_of("sft.000300")
    record = json.loads((tree / "records/rlvr.000080.json").read_text())
    inputs = record["parts"]["inputs"] | {"base": digest}
    change(tree, "rlvr.000080", {"base": base}, inputs=inputs)
    seeds, ignored = counted(tree, "rlvr")
    assert seeds == [0]
    assert (
        "rlvr_seed1.000080 was made from dpo_seed1.000032, rlvr.000080 from sft.000300"
        in ignored[1]
    )
    # And the row compares with the checkpoint that the record names, not with the leftover DPO.
    row = next(r for r in gains(Evaluations(Ledger.load(tree))) if r["stage"] == "rlvr")
    assert row["before"]["checkpoint"] == "sft-000300"


def test_without_seed_0_there_is_nothing_to_repeat(tree: Path) -> None:
    change(tree, "evaluate.dpo-000032")
    assert counted(tree, "dpo")[0] == []
    assert not [r for r in gains(Evaluations(Ledger.load(tree))) if r["stage"] == "dpo"]


def test_what_has_no_record_proves_nothing(tree: Path) -> None:
    change(tree, "rlvr_seed2.000080")
    seeds, ignored = counted(tree, "rlvr")
    assert seeds == [0, 1]
    assert "record of the checkpoint rlvr_seed2-000080 is not here" in ignored[2]


def test_the_answer_says_which_seeds_are_not_counted(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change(tree, "difficulty_seed2", params=RATE)
    monkeypatch.chdir(tree)
    assert main(["evals", "--gains"]) == 0
    assert "seed 2 is not counted: difficulty_seed2 has other params" in capsys.readouterr().out
    row = next(r for r in gains(Evaluations(Ledger.load(tree))) if r["stage"] == "rlvr")
    assert (row["seeds"], [each["seed"] for each in row["ignored"]]) == (2, [2])


def test_a_control_of_another_base_is_none(tree: Path) -> None:
    def controls() -> list[str]:
        found = gains(Evaluations(Ledger.load(tree)))
        return [r["stage"] for r in found if "control" in r]

    assert "longcontext" in controls()
    change(tree, "longcontext_control.000120", inputs={"base": "a" * 64})
    assert "longcontext" not in controls()


def test_the_published_seeds_repeat_the_published_run() -> None:
    """By their records alone, up to the sources."""
    from regrow.ask.evals.repeats import apart
    from small_repository import ROOT

    ledger = Ledger.load(ROOT)
    for stage in ("sft", "dpo", "rlvr"):
        one = ledger.checkpoints(stage)[-1]
        for seed in (1, 2):
            assert apart(ledger, one, ledger.checkpoints(f"{stage}_seed{seed}")[-1]) is None
