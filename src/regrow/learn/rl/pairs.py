"""The pairs step: preference pairs from two published sources.

judged  several answers of the strong model itself, judged by correctness less a price per token:
        the best, which must be correct, against the worst (OLMo 3 report, section 5.3: completions
        of a pool, judged, the worst rejected; here the pool is the model and the judge a verifier)
delta   chosen from the strong model and verified, rejected from the weak one, whatever it says
        ("delta learning": Geng et al., arXiv 2507.06187; OLMo 3 report, section 4.3)
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from tokenizers import Tokenizer
from transformers import Olmo3ForCausalLM

from regrow.data.tables import parquet
from regrow.data.tables.conservation import balanced
from regrow.learn.model import files
from regrow.learn.rl.ask import Answer, Asker
from regrow.learn.rl.prompts import Drop, Prompt, choose, load_tokenizer
from regrow.learn.train import digest, runtime
from regrow.numerics.torch.install import install
from regrow.params.posttrain import Pairs

FORM = "think"
SCHEMA: dict[str, Any] = {
    "id": pl.String,
    "task": pl.String,
    "family": pl.String,
    "source": pl.String,  # judged, delta
    "prompt": pl.List(pl.Int64),
    "chosen": pl.List(pl.Int64),
    "rejected": pl.List(pl.Int64),
    "chosen_text": pl.String,
    "rejected_text": pl.String,
    "chosen_score": pl.Float64,  # of the judge: correctness less the price of the tokens
    "rejected_score": pl.Float64,
    "chosen_model": pl.String,  # SHA-256 of model.safetensors
    "rejected_model": pl.String,
    "delta": pl.Float64,  # chosen_score less rejected_score
}


@dataclass(frozen=True)
class Party:
    """A model that answers."""

    model: Olmo3ForCausalLM
    sha256: str

    @classmethod
    def load(cls, folder: Path) -> Party:
        """The model in a checkpoint folder, ready to be sampled from."""
        return cls(install(files.load(folder)), digest.files(folder / files.WEIGHTS))


class NoPair(Exception):
    """A prompt gives no pair; the message is a reason for the drops."""


def run(
    inputs: dict[str, Path], params: Any, output: Path, *, seed: int, settings: str = "pairs"
) -> dict[str, Any]:
    """Fill `output` with pairs.parquet (train prompts), heldout.parquet (dev) and drops.parquet.

    Inputs: `strong`, `weak` (checkpoints), `tasks`, `tokenizer`. Returns counts of pairs by table
    and source, and of drops by reason.

    Raises:
        ValueError: no task can be asked, or no pair of one source came about.
    """
    runtime.prepare()
    p: Pairs = getattr(params, settings)
    maker = Maker(inputs, p, seed)
    output.mkdir(parents=True, exist_ok=True)
    drops: list[Drop] = []
    counts: dict[str, Any] = {}
    for table, split, judged, delta in (
        ("pairs", "train", p.prompts, p.delta_prompts),
        ("heldout", "dev", p.heldout, p.heldout),
    ):
        rows, dropped = maker.make(split, judged, delta)
        frame = pl.DataFrame(rows, schema=SCHEMA).sort("id")
        parquet.write(frame, output / f"{table}.parquet")
        drops += dropped
        counts[table] = {
            source: sum(row["source"] == source for row in rows) for source in ("judged", "delta")
        }
        print(f"pairs: {table} {counts[table]}", file=sys.stderr, flush=True)
    parquet.write(parquet.drops(drops), output / "drops.parquet")
    reasons = sorted({str(row["reason"]) for row in drops})
    counts["dropped"] = {r: sum(row["reason"] == r for row in drops) for r in reasons}
    for source, found in counts["pairs"].items():
        if not found:
            raise ValueError(
                f"no {source} pair from {p.prompts} prompts ({counts['dropped']}): train sft longer, "
                "raise pairs.samples, or set pairs.require_correct to false"
            )
    return counts


class Maker:
    """The two models, and how they are asked."""

    def __init__(self, inputs: dict[str, Path], params: Pairs, seed: int) -> None:
        self._params = params
        self._tasks = inputs["tasks"]
        self._tokenizer: Tokenizer = load_tokenizer(inputs["tokenizer"])
        self._strong, self._weak = Party.load(inputs["strong"]), Party.load(inputs["weak"])
        self._key = f"pairs {params.seed + seed}"
        self._asker = Asker(
            self._tokenizer,
            FORM,
            max_new_tokens=params.max_new_tokens,
            temperature=params.temperature,
        )

    def make(self, split: str, judged: int, delta: int) -> tuple[list[dict[str, Any]], list[Drop]]:
        """Rows of pairs from the tasks of a split, and drop rows.

        `judged`, `delta`: prompts of each source; the delta pairs use the first of the same
        prompts and the answers already there.
        """
        context = int(self._strong.model.config.max_position_embeddings)
        prompts, drops = choose(
            self._tasks / f"{split}.parquet",
            self._tokenizer,
            FORM,
            count=max(judged, delta),
            room=context - self._params.max_new_tokens,
            key=f"{self._key} {split}",
            step="pairs",
        )
        before = len(drops)
        own = self._ask(self._strong, "strong", split, prompts, self._params.samples)
        other = self._ask(self._weak, "weak", split, prompts[:delta], 1)
        rows = []
        for source, parties in (
            ("judged", zip(prompts[:judged], own, own, strict=False)),
            ("delta", zip(prompts[:delta], own, other, strict=False)),
        ):
            for prompt, ours, theirs in parties:
                try:
                    rows.append(self._pair(source, prompt, ours, theirs))
                except NoPair as why:
                    reason = f"{source}.{why}"
                    drops.append(
                        {
                            "id": prompt.task,
                            "step": "pairs",
                            "reason": reason,
                            "detail": prompt.family,
                        }
                    )
        asked = len(prompts[:judged]) + len(prompts[:delta])
        balanced("pairs", f"prompts ({split})", asked, kept=len(rows), dropped=len(drops) - before)
        return rows, drops

    def _ask(
        self, party: Party, name: str, split: str, prompts: Sequence[Prompt], samples: int
    ) -> list[list[Answer]]:
        names = [(self._key, name, prompt.task) for prompt in prompts]
        return self._asker.ask(party.model, prompts, samples, names, f"pairs: {name} {split}")

    def _pair(
        self, source: str, prompt: Prompt, ours: Sequence[Answer], theirs: Sequence[Answer]
    ) -> dict[str, Any]:
        find = judged_pair if source == "judged" else delta_pair
        weight = self._params.length_weight
        chosen, rejected = find(ours, theirs, weight, self._params.require_correct)
        rejecting = self._strong if source == "judged" else self._weak
        scores = [score(answer, weight) for answer in (chosen, rejected)]
        identity = hashlib.sha256(f"{self._key}\0{source}\0{prompt.task}".encode())
        return {
            "id": identity.hexdigest()[:32],
            "task": prompt.task,
            "family": prompt.family,
            "source": source,
            "prompt": prompt.tokens,
            "chosen": chosen.rollout.tokens,
            "rejected": rejected.rollout.tokens,
            "chosen_text": chosen.text,
            "rejected_text": rejected.text,
            "chosen_score": scores[0],
            "rejected_score": scores[1],
            "chosen_model": self._strong.sha256,
            "rejected_model": rejecting.sha256,
            "delta": scores[0] - scores[1],
        }


def score(answer: Answer, length_weight: float) -> float:
    """The judge: 1 for a correct answer, less `length_weight` per token."""
    return float(answer.verdict.passed) - length_weight * len(answer.rollout.tokens)


def judged_pair(
    ours: Sequence[Answer], _: Sequence[Answer], length_weight: float, require_correct: bool
) -> tuple[Answer, Answer]:
    """The best and the worst of one model's answers; of equals the first.

    Raises:
        NoPair: the best is not correct, or no better than the worst.
    """
    best = max(ours, key=lambda answer: score(answer, length_weight))
    worst = min(ours, key=lambda answer: score(answer, length_weight))
    if require_correct and not best.verdict.passed:
        raise NoPair("none_correct")
    if score(best, length_weight) == score(worst, length_weight):
        raise NoPair("equal_scores")
    return best, worst


def delta_pair(
    ours: Sequence[Answer], theirs: Sequence[Answer], _: float, require_correct: bool
) -> tuple[Answer, Answer]:
    """The first correct answer of the strong model and the first of the weak one.

    Raises:
        NoPair: the strong model has no correct answer, or both say the same.
    """
    rejected = theirs[0]
    chosen = next(_candidates(ours, require_correct), None)
    if chosen is None:
        raise NoPair("none_correct")
    if chosen.rollout.tokens == rejected.rollout.tokens:
        raise NoPair("same_answer")
    return chosen, rejected


def _candidates(answers: Iterable[Answer], require_correct: bool) -> Iterator[Answer]:
    return (answer for answer in answers if answer.verdict.passed or not require_correct)
