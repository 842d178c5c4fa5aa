"""Filters, deduplication, hold-out, mixing, tokenizer, packing."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from regrow.params.base import Block

Share = float
PersonalKind = Literal["secret", "email", "iban", "card", "ssn", "ip", "phone"]


class Filter(Block):
    """Quality filters, with Olmo 3's thresholds (OLMo 3 report, appendix A.2.1).

    `madlad`, `c4`, `fineweb`, `pdf` and `pii` are off until they are switched on; their thresholds are
    those of their sources.
    """

    languages: list[str] = ["en"]
    """codes as fastText's lid.176 writes them; `any` among them keeps every language"""
    language_min_score: float = Field(default=0.65, ge=0, le=1)
    """fastText lid.176 score below which a document is dropped"""
    language_min_scores: dict[str, float] = {}
    """the same for single languages: code -> score, in place of `language_min_score`"""
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
    """words one of which in an address drops the document"""
    url_hosts: list[str] = []
    """hosts whose documents are dropped, those of the hosts below them too"""
    url_soft_words: list[str] = []
    """words that drop the document if `url_soft_hits` of them are in its address"""
    url_soft_hits: int = Field(default=2, ge=1)
    url_subwords: list[str] = []
    """letters and digits that drop the document wherever they are in its address, inside words too"""
    code: Literal["by_rules", "as_prose"] = "by_rules"
    """documents whose mime is `text/x-<language>`: judged by the rules of code, or as prose"""
    code_min_characters: int = Field(default=32, ge=0)
    code_max_characters: int = Field(default=262_144, ge=1)
    code_max_line: int = Field(default=1_000, ge=1)
    """characters of the longest line"""
    code_max_mean_line: float = Field(default=100, gt=0)
    """characters per line"""
    code_min_alphanumeric: float = Field(default=0.25, ge=0, le=1)
    """share of characters that are letters or digits"""
    code_max_encoded: float = Field(default=0.5, ge=0, le=1)
    """share of characters in base64, hexadecimal and escaped data"""
    code_max_encoded_run: int = Field(default=1_024, ge=1)
    """characters of the longest such piece"""
    pdf: bool = False
    """Dolma 3's rules for documents whose mime is application/pdf"""
    pdf_max_spam_words: float = Field(default=0.004, ge=0, le=1)
    """share of words that are in the list of twelve"""
    pdf_max_numeric: float = Field(default=0.2, ge=0, le=1)
    """mean over lines of the share of digits"""
    pdf_max_pipe_lines: float = Field(default=0.3, ge=0, le=1)
    """share of lines that are cells between pipes"""
    fineweb: bool = False
    """FineWeb's own quality rules"""
    fineweb_min_punctuated_lines: float = Field(default=0.12, ge=0, le=1)
    """share of lines that end a sentence"""
    fineweb_short_line: int = Field(default=30, ge=0)
    """characters up to which a line is short"""
    fineweb_max_short_lines: float = Field(default=0.67, ge=0, le=1)
    fineweb_max_duplicate_characters: float = Field(default=0.01, ge=0, le=1)
    """share of characters in copies of earlier lines"""
    fineweb_max_newlines: float = Field(default=0.3, ge=0)
    """line ends per word"""
    c4: bool = False
    """C4's rules: lines without an end mark go, and pages with a curly bracket"""
    c4_terminal_punctuation: bool = True
    """remove lines that end in no mark of a sentence's end"""
    c4_min_line_words: int = Field(default=3, ge=0)
    c4_max_word_characters: int = Field(default=1_000, ge=1)
    """lines with a longer piece between spaces are removed"""
    c4_min_sentences: int = Field(default=5, ge=0)
    madlad: bool = False
    """rules 2 (odd capitals) and 5 (cursed substrings) of MADLAD-400, as Dolma 3 applies them"""
    madlad_min_sentences: int = Field(default=5, ge=0)
    madlad_max_questionable: float = Field(default=0.2, gt=0, le=1)
    """share of questionable sentences from which a document is dropped"""
    pii: Literal["keep", "mask", "drop"] = "keep"
    """what becomes of personal data and secrets in a text"""
    pii_kinds: list[PersonalKind] = ["secret", "email", "iban", "card", "ssn", "ip", "phone"]
    """what is looked for"""

    @model_validator(mode="after")
    def _scores_are_of_wanted_languages(self) -> Self:
        for code, score in sorted(self.language_min_scores.items()):
            if not 0 <= score <= 1:
                raise ValueError(f"language_min_scores.{code}: {score} is no score from 0 to 1")
            if code not in self.languages and "any" not in self.languages:
                raise ValueError(
                    f"language_min_scores: {code!r} is not among `languages`, so its documents are "
                    f"dropped whatever their score; add {code!r} to `languages`"
                )
        return self


class Substring(Block):
    """Removal of long strings that come again, with Dolma 3's thresholds (Olmo 3 report, sections 3.4.1 and A.2.2)."""

    min_bytes: int = Field(default=500, ge=8)
    """of a string, in UTF-8"""
    occurrences: int = Field(default=2, ge=2)
    """from which on it is repeated; the first one stays"""
    share: float = Field(default=0.80, gt=0, le=1)
    """of a span between two repeated strings that such strings cover: then all of it goes"""
    min_characters: int = Field(default=150, ge=1)
    """of a text that lost something; a shorter one is dropped"""


class Containment(Block):
    """One copy of a text that is there as a PDF and as pages (containment: Broder 1997)."""

    share: float = Field(default=0.80, gt=0, le=1)
    """of a page's n-grams that a PDF has, from which on the PDF holds the page"""
    cover: float = Field(default=0.75, gt=0, le=1)
    """of a PDF's n-grams that the pages which it holds have together, from which on they hold the PDF"""
    keep: Literal["pages", "pdf"] = "pages"
    """which copy stays: the pages, where they cover the PDF (else the PDF, and the pages that it holds go), or the PDF"""
    min_ngrams: int = Field(default=50, ge=1)
    """of a document; a shorter one is not compared"""


class Dedup(Block):
    """Exact and MinHash-LSH removal of duplicates (OLMo 3 report, appendix A.2.2)."""

    ngram: int = Field(default=5, ge=1)
    """words per shingle"""
    bands: int = Field(default=26, ge=1)
    rows: int = Field(default=11, ge=1)
    """hashes per band; bands x rows hashes in all"""
    jaccard: float = Field(default=0.80, ge=0, le=1)
    """candidates whose true Jaccard similarity is lower are kept apart"""
    substring: Substring | None = None
    """`{}` cuts long strings that come again out of what is left; left out, documents stay as they are"""
    containment: Containment | None = None
    """`{}` keeps one copy of a text that is there as a PDF and as pages; left out, both stay"""
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
    """Linear classifiers over hashed word n-grams, in the manner of fastText (arXiv 1607.01759), or given models."""

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
    topic_model: str | None = Field(default=None, pattern=r"^[\w./-]+$")
    """a model file below the repository whose labels are the topics: fastText's, or topic.safetensors of another run"""
    quality_model: str | None = Field(default=None, pattern=r"^[\w./-]+$")
    """a model file below the repository that scores quality, of the same two formats"""
    quality_label: str = Field(default="positive", min_length=1)
    """the label of `quality_model` that good documents have; its score is the quality"""
    max_model_bytes: int = Field(default=4_000_000_000, ge=1)
    """of a model file that is given: it is in memory whole"""
    seed: int = 0


class Mix(Block):
    """Quality-aware repetition by the truncated power-exponential curve (OLMo 3 report, A.2.4)."""

    tokens: int = Field(default=1_600_000, ge=1_000)
    """wanted training tokens, before cutting into sequences (estimated by `bytes_per_token`)"""
    bytes_per_token: float = Field(default=3.0, gt=0)
    topic_weights: dict[str, float] = {}
    """wanted share per topic; topics not named keep their natural share"""
    shares: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}
    """share of the tokens of each domain (see `shares_by`), all of them named; empty: by `topic_weights`"""
    shares_by: Literal["topic", "source", "source/topic"] = "topic"
    """what a domain of `shares` is: one topic, one source, or one topic of one source (`SOURCE/TOPIC`)"""
    domain_bytes_per_token: dict[str, Annotated[float, Field(gt=0)]] = {}
    """measured for domains of `shares` under the tokenizer that is used; of others: `bytes_per_token`"""
    adopted: str = Field(default="", pattern=r"^(mixture [0-9a-f]{64})?$")
    """the record of the mix search that `shares` are from, and its key: `regrow mix --adopt` writes it"""
    cutoff: float = Field(default=0.40, ge=0, lt=1)
    """a: quality percentile below which documents are dropped"""
    max_repeats: float = Field(default=7.0, ge=1)
    """M: ceiling on the mean rate of the top bucket"""
    buckets: int = Field(default=20, ge=1)
    """quality buckets per topic"""
    seed: int = 0

    @model_validator(mode="after")
    def _shares_alone(self) -> Mix:
        if self.shares and self.topic_weights:
            raise ValueError("give shares or topic_weights, not both")
        if self.shares and abs((whole := math.fsum(self.shares.values())) - 1) > 1e-6:
            raise ValueError(f"shares must sum to 1, they sum to {whole:.6g}")
        if not self.shares and (self.adopted or self.domain_bytes_per_token):
            raise ValueError("adopted and domain_bytes_per_token need `shares`: give these too")
        return self


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
