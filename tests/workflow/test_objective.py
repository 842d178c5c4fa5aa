"""An objective is added in as many files as CONTRIBUTING says, named in a recipe, grown and asked about."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import recipes
from real_repository import PARAMS, Real

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(1_200)]

KIND = '''"""Kahneman-Tversky optimisation on the answers of pairs, each for itself (Ethayarajh et al., arXiv 2402.01306).

A wanted answer loses 1 - sigmoid(r - z), an unwanted one 1 - sigmoid(z - r): r is beta times the difference of mean
log-probabilities to the reference, z their mean over the micro-batch, 0 at least, without a gradient (section 3.2).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from regrow.learn.model import files
from regrow.numerics.torch.install import install
from regrow.params.kinds.kto import Kto as Block
from regrow.learn.train import digest
from regrow.learn.train.buckets import Buckets
from regrow.learn.train.dpo import PairBatch, Pairs, Reference, answer_scores, lengths, log_sigmoid, read
from regrow.learn.train.kinds.chat import ends, seeded
from regrow.learn.train.objective import Model
from regrow.learn.train.stage import StageSpec
from regrow.learn.train.stage import run as train


class Kto:
    """The objective over `PairBatch`es; weighs answers."""

    names: tuple[str, ...] = ("loss", "chosen_reward", "rejected_reward")

    def __init__(self, beta: float, reference: Reference) -> None:
        self.beta, self.reference = beta, reference

    def weight(self, batch: PairBatch) -> int:
        """Answers."""
        return 2 * len(batch.numbers)

    def loss(self, model: Model, batch: PairBatch, total: int) -> tuple[Tensor, tuple[Tensor, ...]]:
        """See the top of this module."""
        reward = self.beta * (answer_scores(model, batch) - self.reference.scores(batch))
        zero = (reward.detach().sum() / len(reward)).clamp(min=0.0)
        wanted, unwanted = reward.chunk(2)
        value = torch.cat([log_sigmoid(wanted - zero), log_sigmoid(zero - unwanted)]).exp()
        loss = (1.0 - value).sum() / total
        parts = (wanted.detach().sum() / total, unwanted.detach().sum() / total)
        return loss, (loss.detach(), *parts)


def run(inputs: dict[str, Path], params: Any, output: Path, **more: Any) -> dict[str, Any]:
    """Optimisation against `base`. `seed`; `stage`, `settings`: see `kinds`."""
    return train(plan, inputs, params, output, **more)


def plan(inputs: dict[str, Path], params: Any, *, stage: str, settings: str, seed: int) -> StageSpec:
    """See `run`."""
    block: Block = getattr(params, settings)
    config = files.load_config(inputs["base"])
    path = inputs["data"] / "pairs.parquet"
    pairs = read(path, "judged", context=int(config.max_position_embeddings), vocabulary=config.vocab_size)
    buckets = Buckets(lengths(pairs), block.micro_batch_sequences, f"{stage} order seed {block.seed + seed}")
    _, pad = ends(config)
    reference = Reference(install(files.load(inputs["base"])))
    return StageSpec(
        name=seeded(stage, seed),
        config=config,
        block=block,
        objective=Kto(block.beta, reference),
        source=Pairs(pairs, buckets, block.batch_sequences, pad=pad),
        order={"key": buckets.key, "pairs": len(pairs), "bucket": buckets.size},
        depends=(digest.files(path),),
    )
'''
RECIPE = '''"""KTO."""

from __future__ import annotations

from regrow.recipe.kind import Gain, Kind, preferences

KIND = Kind(
    name="kto",
    function="regrow.learn.train.kinds.kto:run",
    doc="KTO on the answers of the judged pairs.",
    title="Preference tuning (KTO)",
    method=["Kahneman-Tversky optimisation on single answers", ", β = {params.beta:g}", "."],
    part="post",
    data="pairs",
    unit="pairs",
    length=lambda params, stage: params.pairs.max_new_tokens,
    trained=2.0,
    forwards=lambda block: 1.0,
    run="regrow.evidence.runs.examples:Pairs",
    gains=(Gain("preference", family="judged"), Gain("exact_match")),
    probes=lambda entry, every: {"form": entry["form"]} | preferences(entry, every),
    short=lambda options: "KTO",
)
'''
PARAMS_OF = '''"""Kahneman-Tversky optimisation: its settings, and what an entry of `stages` may say."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from regrow.params.base import Block
from regrow.params.stages import Form, Stage
from regrow.params.train import Optimizer, Training


class Kto(Training):
    """Kahneman-Tversky optimisation."""

    steps: int = Field(default=16, ge=1)
    checkpoint_every: int = Field(default=16, ge=1)
    carry_optimizer: bool = False
    optimizer: Optimizer = Optimizer(name="adamw", learning_rate=1e-4, weight_decay=0.0)
    beta: float = Field(default=5.0, gt=0)


class Entry(Stage):
    """Kahneman-Tversky optimisation."""

    names = {"kto": {}}
    reads = ("pairs",)

    kind: Literal["kto"] = "kto"
    form: Form = "think"


class Sections(Block):
    """The sections of a params file with these settings."""

    kto: Kto = Kto()
'''
ADDED = {
    "src/regrow/learn/train/kinds/kto.py": KIND,
    "src/regrow/params/kinds/kto.py": PARAMS_OF,
    "src/regrow/recipe/kinds/kto.py": RECIPE,
}
"""all that is written by hand, beside tests and docs"""
CODE = """
import json
from pathlib import Path
from regrow.engine.present import Present
here = Present(Path.cwd(), "params/tiny.yaml")
jobs = here.jobs.items()
print(json.dumps({n: [here.code(j.step)["digest"], j.step.options_of(j.instance)] for n, j in jobs}))
"""
WRITTEN = "params/schema.json"
"""what `regrow schema` writes"""


def test_an_objective_is_added_in_three_files_and_grown(grown: Real, tmp_path: Path) -> None:
    repository = grown.copy(tmp_path / "repository")
    before = _code(repository)
    for place, text in ADDED.items():
        (repository.path / place).write_text(text)
    schema = json.loads(repository.regrow("schema").stdout)
    assert schema["properties"]["kto"] and schema != json.loads(repository.read(WRITTEN))
    (repository.path / WRITTEN).write_text(json.dumps(schema, indent=2) + "\n")
    changed = repository.git("status", "--porcelain", "--untracked-files=all").splitlines()
    assert sorted(line.split()[-1] for line in changed) == sorted([*ADDED, WRITTEN])
    assert _code(repository) == before
    tiny = repository.read(PARAMS).replace(*recipes.SHORT)
    small = "kto: {steps: 2, checkpoint_every: 2, batch_sequences: 2, micro_batch_sequences: 1}\n"
    (repository.path / "params/kto.yaml").write_text(f"{tiny}stages: [pretrain, sft, kto]\n{small}")
    repository.commit("an objective")
    repository.run("snakemake", "--cores", "2", "--configfile", "params/kto.yaml")
    repository.commit("grown")
    made = json.loads(repository.read("records/kto.000002.json"))
    assert made["inputs"]["base"]["record"] == "records/sft.000004.json"
    assert made["inputs"]["data"]["record"] == "records/pairs.json"
    seen = json.loads(repository.regrow("batch", "kto", "--step", "1", "--json").stdout)
    assert seen["kind"] == "pairs" and len(seen["pairs"]) == 2
    gains = json.loads(repository.regrow("evals", "--gains", "--json").stdout)
    assert ("kto", "preference (judged)") in {(g["stage"], g["metric"]) for g in gains}
    repository.regrow("report", "--output", str(tmp_path / "report.html"))
    assert "Preference tuning (KTO)" in (tmp_path / "report.html").read_text()
    assert "Kahneman-Tversky optimisation on single answers, β = 5." in repository.read(
        "data/release/kto-000002/README.md"
    )
    assert repository.regrow("verify", "--segments", "2", "kto", check=False).returncode == 0


def _code(repository: Real) -> dict[str, list[object]]:
    """Job -> digest of the code in its key, and its options."""
    found: dict[str, list[object]] = json.loads(repository.run("python", "-c", CODE).stdout)
    return found
