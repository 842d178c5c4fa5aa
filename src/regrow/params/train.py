"""Training: the optimizer, and the block of each stage that minimises a loss over given data."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from regrow.params.base import Block

Beta = Annotated[float, Field(ge=0, lt=1)]
"""the share of a running mean that is kept: with 1 or more it never settles"""


class Optimizer(Block):
    """AdamW with Olmo 3's settings, or Muon for the 2-D weights with AdamW for the rest."""

    name: Literal["adamw", "muon"] = "muon"
    learning_rate: float = Field(default=1e-2, gt=0)
    """peak"""
    betas: tuple[Beta, Beta] = (0.9, 0.95)
    eps: float = Field(default=1e-8, gt=0)
    weight_decay: float = Field(default=0.1, ge=0)
    """decoupled; on 2-D weights except the embedding"""
    muon_momentum: float = Field(default=0.95, ge=0, lt=1)
    muon_iterations: int = Field(default=5, ge=1)
    """Newton-Schulz iterations"""
    clip: float = Field(default=1.0, gt=0)
    """ceiling of the global gradient norm"""
    skip_window: int = Field(default=128, ge=2)
    """steps over which loss and gradient norm are judged"""
    skip_sigmas: float = Field(default=6.0, gt=0)
    """a step whose loss or gradient norm lies more standard deviations above the mean is skipped"""


class Stage(Block):
    """What every training stage says: how long, how large, how fast."""

    steps: int = Field(ge=1)
    checkpoint_every: int = Field(ge=1)
    """steps; each checkpoint is an artifact of its own"""
    batch_sequences: int = Field(default=8, ge=1)
    """sequences (SFT: examples, DPO: pairs, RLVR: answers) per step"""
    micro_batch_sequences: int = Field(default=4, ge=1)
    """sequences per micro-batch: part of the arithmetic, whatever the number of processes"""
    schedule: Literal["cosine", "linear", "constant"] = "linear"
    """of the learning rate after the warm-up, down to `final_lr`"""
    warmup: float = Field(default=0.0, ge=0, lt=1)
    """share of the steps"""
    final_lr: float = Field(default=0.0, ge=0, le=1)
    """as a share of the peak"""
    z_loss: float = Field(default=1e-5, ge=0)
    document_mask: bool = False
    """attend within documents only (Olmo 3: off in stages 1 and 2)"""
    carry_optimizer: bool = True
    """go on with the optimizer state of the stage before (Olmo 3's base stages do)"""
    digest_every: int = Field(default=20, ge=1)
    """steps between two links of the chain of state digests"""
    optimizer: Optimizer = Optimizer()
    seed: int = 0
    """of the data order"""

    @model_validator(mode="after")
    def _fits(self) -> Stage:
        n, rest = divmod(self.batch_sequences, self.micro_batch_sequences)
        if rest or n & (n - 1):
            raise ValueError(
                f"batch_sequences ({self.batch_sequences}) must be micro_batch_sequences "
                f"({self.micro_batch_sequences}) times a power of two: the gradient sum is a binary tree"
            )
        if self.steps % self.checkpoint_every:
            raise ValueError(
                f"steps ({self.steps}) must be a multiple of checkpoint_every ({self.checkpoint_every})"
            )
        return self

    def checkpoints(self) -> list[int]:
        """Steps at which a checkpoint is written."""
        return list(range(self.checkpoint_every, self.steps + 1, self.checkpoint_every))


class Pretrain(Stage):
    """Stage 1."""

    steps: int = Field(default=480, ge=1)
    checkpoint_every: int = Field(default=96, ge=1)
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: float = Field(default=0.03, ge=0, lt=1)
    final_lr: float = Field(default=0.1, ge=0, le=1)

    def checkpoints(self) -> list[int]:
        """Steps at which a checkpoint is written, 0 (the initialisation) included."""
        return [0, *super().checkpoints()]


class Midtrain(Stage):
    """Stage 2: high-quality and task text, linear decay to zero, state carried over."""

    steps: int = Field(default=400, ge=1)
    checkpoint_every: int = Field(default=200, ge=1)
    second_seed: int = 1
    """of the data order of the second run, for the soup"""


class Anneal(Stage):
    """Micro-anneals: each candidate dataset against a control under a fixed budget."""

    steps: int = Field(default=40, ge=1)
    checkpoint_every: int = Field(default=40, ge=1)
    candidates: list[str] = ["questions", "retrieval", "instructions"]
    """components of `midtrain_data`; each fills half of its anneal, the control component the rest"""


class LongContext(Stage):
    """Stage 3: four times the length, YaRN on the full-attention layers only, document masks."""

    steps: int = Field(default=120, ge=1)
    checkpoint_every: int = Field(default=120, ge=1)
    batch_sequences: int = Field(default=2, ge=1)
    micro_batch_sequences: int = Field(default=1, ge=1)
    warmup: float = Field(default=0.05, ge=0, lt=1)
    document_mask: bool = True
    optimizer: Optimizer = Optimizer(learning_rate=5e-3)
    context: int = Field(default=1_024, ge=16)
    """positions"""
    yarn_factor: float = Field(default=4.0, ge=1)
    yarn_beta_fast: float = Field(default=32.0, gt=0)
    """frequencies that turn more often within the old context are kept; published for contexts of
    thousands of positions, and too many where there are hundreds (docs/concepts/longcontext.md)"""
    yarn_beta_slow: float = Field(default=1.0, gt=0)
    """frequencies that turn less often within the old context are divided by `yarn_factor`"""


class Sft(Stage):
    """Supervised fine-tuning: loss on the answers only; z-loss and weight decay off (Olmo 3).

    Muon as in the stages before: AdamW at 2e-3 lost skill that the base model had (docs/concepts/training.md).
    """

    steps: int = Field(default=720, ge=1)
    checkpoint_every: int = Field(default=240, ge=1)
    batch_sequences: int = Field(default=32, ge=1)
    micro_batch_sequences: int = Field(default=8, ge=1)
    """examples of like length, and so often of one family: several to a step mix the families"""
    warmup: float = Field(default=0.03, ge=0, lt=1)
    z_loss: float = Field(default=0.0, ge=0)
    carry_optimizer: bool = False
    optimizer: Optimizer = Optimizer(learning_rate=4e-3, weight_decay=0.0)


class Dpo(Stage):
    """Length-normalised direct preference optimisation (Tülu 3, section 5; Olmo 3, section 4.3)."""

    steps: int = Field(default=16, ge=1)
    checkpoint_every: int = Field(default=16, ge=1)
    batch_sequences: int = Field(default=32, ge=1)
    micro_batch_sequences: int = Field(default=8, ge=1)
    warmup: float = Field(default=0.1, ge=0, lt=1)
    z_loss: float = Field(default=0.0, ge=0)
    carry_optimizer: bool = False
    optimizer: Optimizer = Optimizer(name="adamw", learning_rate=1e-4, weight_decay=0.0)
    beta: float = Field(default=5.0, gt=0)


class Rlvr(Stage):
    """Group-relative policy optimisation on verified rewards, as in Olmo 3 (section 4.4.1).

    A step samples `prompts` x `group` answers; groups of equal reward are dropped and refilled. A
    step that is left without any group makes no update and counts as skipped.
    `batch_sequences` is prompts x group.
    """

    steps: int = Field(default=80, ge=1)
    checkpoint_every: int = Field(default=40, ge=1)
    batch_sequences: int = Field(default=256, ge=1)
    micro_batch_sequences: int = Field(default=32, ge=1)
    schedule: Literal["cosine", "linear", "constant"] = "constant"
    warmup: float = Field(default=0.06, ge=0, lt=1)
    final_lr: float = Field(default=1.0, ge=0, le=1)
    z_loss: float = Field(default=0.0, ge=0)
    carry_optimizer: bool = False
    optimizer: Optimizer = Optimizer(learning_rate=4e-4, betas=(0.9, 0.99), weight_decay=0.0)
    prompts: int = Field(default=32, ge=1)
    """groups per step"""
    group: int = Field(default=8, ge=2)
    """answers per prompt"""
    max_refills: int = Field(default=2, ge=0)
    """rounds of further prompts to fill a batch whose groups had equal rewards"""
    updates: int = Field(default=1, ge=1)
    """mini-batches per batch; with one the ratio is exactly 1 and the clip is idle"""
    clip_low: float = Field(default=0.2, gt=0, lt=1)
    clip_high: float = Field(default=0.272, gt=0)
    importance_cap: float = Field(default=2.0, gt=0)
    """of the truncated importance sampling between sampler and trainer"""
    reward_scale: float = Field(default=1.0, gt=0)
    """multiplies the verifier's score; the size of the steps, as advantages are not normalised"""
    domains: dict[str, float] = {}
    """family -> share of the prompts; families not named share the rest by their number of prompts"""
    temperature: float = Field(default=1.0, gt=0)
    max_new_tokens: int = Field(default=90, ge=1)

    @model_validator(mode="after")
    def _group(self) -> Rlvr:
        if self.batch_sequences != self.prompts * self.group:
            raise ValueError(
                f"batch_sequences ({self.batch_sequences}) must be prompts ({self.prompts}) x "
                f"group ({self.group})"
            )
        micro = self.batch_sequences // self.micro_batch_sequences
        if micro % self.updates:
            raise ValueError(
                f"updates ({self.updates}) must divide the {micro} micro-batches of a batch"
            )
        return self


class RlZero(Rlvr):
    """The same from the base model, with a plain prompt."""

    steps: int = Field(default=60, ge=1)
    checkpoint_every: int = Field(default=60, ge=1)
    control_steps: int = Field(default=30, ge=1)
    """of the control with random rewards"""
