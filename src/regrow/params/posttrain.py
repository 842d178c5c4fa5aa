"""The data of midtraining, long context and post-training: tasks, mixes, examples, pairs."""

from __future__ import annotations

from pydantic import Field

from regrow.params.base import Block


class Tasks(Block):
    """Procedural tasks with verified answers, split by content into train, dev and test."""

    train: int = Field(default=4_000, ge=10)
    """distinct contents per family (fewer where a family has fewer)"""
    dev: int = Field(default=60, ge=1)
    """distinct contents per family, to choose by"""
    test: int = Field(default=120, ge=1)
    """distinct contents per family, looked at once"""
    seed: int = 0


class MidtrainData(Block):
    """What midtraining reads; shares of the tokens, which must not sum to more than 1."""

    tokens: int = Field(default=900_000, ge=1_000)
    sequence_length: int = Field(default=256, ge=16, multiple_of=16)
    shares: dict[str, float] = {
        "quality": 0.12,
        "pretraining": 0.08,
        "questions": 0.65,
        "instructions": 0.05,
        "retrieval": 0.10,
    }
    """component -> share: top quality buckets, pretraining carry-over, questions with worked
    answers, instruction-like text without chat tokens, key-value retrieval"""
    top_buckets: int = Field(default=4, ge=1)
    """quality buckets per topic that count as high quality"""
    component_tokens: int = Field(default=90_000, ge=1_000)
    """per component, packed apart for the micro-anneals"""
    heldout_tokens: int = Field(default=48_000, ge=1_000)
    """of held-out documents; the dev tasks are packed whole"""
    facts: tuple[int, int] = (2, 4)
    """least and most facts in a retrieval document"""
    leak_ngram: int = Field(default=8, ge=2)
    """a text that shares `leak_overlap` of its n-grams with an eval item is dropped (Olmo 3: 8, 0.5)"""
    leak_overlap: float = Field(default=0.5, gt=0, le=1)
    seed: int = 0


class LongContextData(Block):
    """What the long-context stage reads."""

    tokens: int = Field(default=260_000, ge=1_000)
    sequence_length: int = Field(default=1_024, ge=16, multiple_of=16)
    shares: dict[str, float] = {
        "long": 0.40,
        "aggregation": 0.15,
        "retrieval": 0.15,
        "midtraining": 0.30,
    }
    """component -> share of the tokens"""
    min_tokens: int = Field(default=512, ge=16)
    """of a document that counts as long"""
    compressibility: float = Field(default=0.2, ge=0, lt=0.5)
    """share dropped at either end of the order by gzip ratio (Olmo 3: 0.2)"""
    windows: int = Field(default=2, ge=1)
    """neighbouring sequences taken from a long document before the next one's turn"""
    short_length: int = Field(default=256, ge=16, multiple_of=16)
    """of the control: the same sequences cut into shorter ones; must divide `sequence_length`"""
    max_sections: int = Field(default=3, ge=1)
    """sections of an aggregation document, 1 to this many (Olmo 3: 2 to 8, of longer documents)"""
    words: int = Field(default=5, ge=2)
    """words counted per section (Olmo 3: 5)"""
    min_facts: int = Field(default=6, ge=1)
    """facts of a retrieval document, all asked for"""
    max_facts: int = Field(default=14, ge=1)
    heldout_windows: int = Field(default=64, ge=1)
    """full sequences of held-out text, for the loss by position"""
    needles: int = Field(default=64, ge=1)
    """prompts per kind"""
    seed: int = 0


class SftData(Block):
    """Examples of the Think and the Instruct branch."""

    think: int = Field(default=16_000, ge=1)
    """examples"""
    instruct: int = Field(default=5_000, ge=1)
    """examples"""
    tool_share: float = Field(default=0.3, ge=0, le=1)
    """of the Instruct examples that call tools"""
    max_tokens: int = Field(default=224, ge=16)
    """longer examples are dropped"""
    leak_ngram: int = Field(default=8, ge=2)
    leak_overlap: float = Field(default=0.5, gt=0, le=1)
    seed: int = 0


class Pairs(Block):
    """Preference pairs from samples of the SFT model and of its weaker early checkpoint."""

    prompts: int = Field(default=1_400, ge=1)
    samples: int = Field(default=4, ge=2)
    """own samples per prompt: best against worst"""
    length_weight: float = Field(default=0.0025, ge=0)
    """the judge's score is correctness minus this times the answer's tokens"""
    require_correct: bool = True
    """the chosen answer must be verified as correct; without it shorter wins among equally wrong"""
    delta_prompts: int = Field(default=700, ge=1)
    """prompts of the delta-learning pairs"""
    heldout: int = Field(default=300, ge=1)
    """dev prompts whose pairs are for preference accuracy only"""
    max_new_tokens: int = Field(default=90, ge=1)
    temperature: float = Field(default=1.0, gt=0)
    seed: int = 0


class Difficulty(Block):
    """The offline filter of RLVR prompts by pass rate (Olmo 3: 8 rollouts, drop above 62.5 %)."""

    prompts: int = Field(default=1_200, ge=1)
    samples: int = Field(default=4, ge=1)
    max_pass_rate: float = Field(default=0.85, gt=0, le=1)
    max_new_tokens: int = Field(default=90, ge=1)
    temperature: float = Field(default=1.0, gt=0)
    seed: int = 0
