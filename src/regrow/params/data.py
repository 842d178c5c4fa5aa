"""Filters, deduplication, hold-out, mixing, tokenizer, packing."""

from __future__ import annotations

from pydantic import Field

from regrow.params.base import Block

Share = float


class Filter(Block):
    """Quality filters, with Olmo 3's thresholds (OLMo 3 report, appendix A.2.1)."""

    languages: list[str] = ["en"]
    language_min_score: float = Field(default=0.65, ge=0, le=1)
    """fastText lid.176 score below which a document is dropped"""
    min_characters: int = Field(default=150, ge=0)
    min_words: int = Field(default=50, ge=0)
    max_words: int = Field(default=100_000, ge=1)
    min_mean_word_length: float = Field(default=3.0, ge=0)
    max_mean_word_length: float = Field(default=10.0, ge=0)
    max_symbol_to_word: float = Field(default=0.1, ge=0)
    max_bullet_lines: float = Field(default=0.9, ge=0, le=1)
    max_ellipsis_lines: float = Field(default=0.3, ge=0, le=1)
    min_alphabetic_words: float = Field(default=0.8, ge=0, le=1)
    """share of words with at least one letter (Gopher; OLMo 3 states it as 0.2 without one)"""
    min_stop_words: int = Field(default=2, ge=0)
    max_duplicate_lines: float = Field(default=0.30, ge=0, le=1)
    max_duplicate_paragraphs: float = Field(default=0.30, ge=0, le=1)
    max_duplicate_line_characters: float = Field(default=0.20, ge=0, le=1)
    max_duplicate_paragraph_characters: float = Field(default=0.20, ge=0, le=1)
    max_top_ngram: dict[int, float] = {2: 0.20, 3: 0.18, 4: 0.16}
    """share of characters in the most frequent n-gram, by n"""
    max_duplicate_ngram: dict[int, float] = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}
    """share of characters in n-grams seen before, by n"""
    max_uppercase_line: float = Field(default=0.5, ge=0, le=1)
    """lines with a larger share of capitals are removed"""
    max_numeric_line: float = Field(default=0.999999, ge=0, le=1)
    min_line_words: int = Field(default=2, ge=0)
    max_removed_words: float = Field(default=0.05, ge=0, le=1)
    """documents that the line filters cut by more than this share of words are dropped"""
    url_words: list[str] = ["xxx", "porn", "casino", "viagra", "torrent"]
    url_hosts: list[str] = []


class Dedup(Block):
    """Exact and MinHash-LSH removal of duplicates (OLMo 3 report, appendix A.2.2)."""

    ngram: int = Field(default=5, ge=1)
    """words per shingle"""
    bands: int = Field(default=26, ge=1)
    rows: int = Field(default=11, ge=1)
    """hashes per band; bands x rows hashes in all"""
    jaccard: float = Field(default=0.80, ge=0, le=1)
    """candidates whose true Jaccard similarity is lower are kept apart"""
    seed: int = 0


class Decontaminate(Block):
    """Hold-out set, and removal of training documents that overlap with it or with the evals."""

    heldout_share: float = Field(default=0.06, gt=0, lt=0.5)
    """share of documents held out, by a keyed hash of their page, at least `heldout_min` per domain; of a large corpus
    less (`regrow.data.dedup.choice`)"""
    heldout_min: int = Field(default=4, ge=0)
    ngram: int = Field(default=13, ge=1)
    """words per n-gram"""
    max_overlap: float = Field(default=0.30, ge=0, le=1)
    """a training document is dropped if it shares more of its n-grams with a held-out document or
    an eval item than this, as a share of the shorter of the two"""
    common_ngram: int = Field(default=10, ge=1)
    """held-out n-grams that occur in more training documents than this are page furniture and do
    not count as overlap (those of the evals always count)"""
    domains: dict[str, list[str]] = {}
    """domain -> URL prefixes (host/path); other documents' domain is their source without version"""
    seed: int = 0


class Classify(Block):
    """Linear classifiers over hashed word n-grams, in the manner of fastText (arXiv 1607.01759)."""

    buckets: int = Field(default=1 << 16, ge=256)
    """hash buckets for words and bigrams"""
    epochs: int = Field(default=12, ge=1)
    learning_rate: float = Field(default=0.5, gt=0)
    max_words: int = Field(default=10_000, ge=100)
    """words of a document that are read, from its start"""
    test_share: float = Field(default=0.15, gt=0, lt=0.9)
    """share of labelled documents kept to measure precision and recall"""
    topics: dict[str, list[str]] = {}
    """topic -> URL prefixes (host/path) whose pages are its labelled examples"""
    quality_positive: list[str] = []
    """URL prefixes whose pages are positive examples of quality"""
    quality_negative: list[str] = []
    seed: int = 0


class Mix(Block):
    """Quality-aware repetition by the truncated power-exponential curve (OLMo 3 report, A.2.4)."""

    tokens: int = Field(default=1_600_000, ge=1_000)
    """wanted training tokens, before cutting into sequences (estimated by `bytes_per_token`)"""
    bytes_per_token: float = Field(default=3.0, gt=0)
    topic_weights: dict[str, float] = {}
    """wanted share per topic; topics not named keep their natural share"""
    cutoff: float = Field(default=0.40, ge=0, lt=1)
    """a: quality percentile below which documents are dropped"""
    max_repeats: float = Field(default=7.0, ge=1)
    """M: ceiling on the mean rate of the top bucket"""
    buckets: int = Field(default=20, ge=1)
    """quality buckets per topic"""
    seed: int = 0


class Tokenizer(Block):
    """Byte-level BPE, or a tokenizer that is given."""

    file: str | None = Field(default=None, pattern=r"^[\w./-]+$")
    """a tokenizer.json below the repository, taken as it is; of the rest only `special_tokens` then counts"""
    vocabulary: int = Field(default=2_048, ge=300, le=65_536)
    """tokens, special ones included"""
    sample_bytes: int = Field(default=5_000_000, ge=10_000)
    special_tokens: list[str] = [
        "<|pad|>",
        "<|endoftext|>",
        "<|system|>",
        "<|user|>",
        "<|assistant|>",
        "<|tool|>",
        "<|end|>",
        "<think>",
        "</think>",
        "<tool_call>",
        "</tool_call>",
    ]
    """the first is padding, the second ends a document; the rest is what the chat template uses"""
    task_share: float = Field(default=0.2, ge=0, lt=1)
    """of `sample_bytes` taken from task text, so that what tasks spell out has tokens of its own"""
    seed: int = 0


class Pack(Block):
    """Tokens to sequences: concatenate and cut, as in Olmo 3's stages 1 and 2."""

    sequence_length: int = Field(default=256, ge=16, multiple_of=16)
    seed: int = 0
    """of the order of document instances"""
