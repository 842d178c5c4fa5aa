"""The model as lm-eval sees it.

Scores like lm-eval's own `hf` model (rolling windows of the full context that overlap by
one token, the end-of-document token in front), but with the arithmetic of
`regrow.numerics`, batches of fixed shape and correctly rounded sums, so that equal
checkpoints give equal bits on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lm_eval.api.model import TemplateLM
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window
from transformers import Olmo3ForCausalLM

from regrow.evaluate.vocabulary import Vocabulary, end_token
from regrow.evaluate.windows import Window, token_logprobs, total
from regrow.rollout.sampler import Request, sample

DEFAULT_NEW_TOKENS = 64


class CheckpointLM(TemplateLM):
    """A transformers causal LM and its tokenizer behind lm-eval's three requests."""

    def __init__(
        self, model: Olmo3ForCausalLM, vocabulary: Vocabulary, *, rows: int = 16, seed: int = 0
    ) -> None:
        super().__init__()
        self.model = model
        self.vocabulary = vocabulary
        self.rows = rows
        self.seed = seed
        self.max_length = int(model.config.max_position_embeddings)

    @property
    def eot_token_id(self) -> int:
        """The token that ends a document, and stands before its first."""
        return end_token(self.model)

    def tok_encode(
        self, string: str, add_special_tokens: bool | None = None, **_: object
    ) -> list[int]:
        """Token ids of `string`; special tokens are never added."""
        return self.vocabulary.encode(string)

    def _score(
        self, windows: Sequence[Window], *, greedy: bool = False
    ) -> list[tuple[list[float], bool]]:
        pad = int(self.model.config.pad_token_id or 0)
        return token_logprobs(self.model, windows, rows=self.rows, pad=pad, greedy=greedy)

    def _loglikelihood_tokens(
        self, requests: list[tuple[tuple[str, str], list[int], list[int]]], **_: object
    ) -> list[tuple[float, bool]]:
        windows = []
        for (_context, continuation), before, after in requests:
            if len(after) > self.max_length:
                raise ValueError(
                    f"a continuation of {len(after)} tokens exceeds the context of "
                    f"{self.max_length}: {continuation[:60]!r}"
                )
            windows.append((before[-(self.max_length + 1 - len(after)) :], after))
        return [(total(logprobs), greedy) for logprobs, greedy in self._score(windows, greedy=True)]

    def rolling_windows(self, text: str) -> list[Window]:
        """Windows that predict every token of `text` once."""
        rolling = get_rolling_token_windows(
            token_list=self.vocabulary.encode(text),
            prefix_token=self.prefix_token_id,
            max_seq_len=self.max_length,
            context_len=1,
        )
        return [make_disjoint_window(window) for window in rolling]

    def loglikelihood_rolling(self, requests: list[Any], disable_tqdm: bool = False) -> list[float]:
        """Natural log-likelihood of each whole text."""
        per_text = [self.rolling_windows(request.args[0]) for request in requests]
        scores = iter(self._score([window for windows in per_text for window in windows]))
        return [
            total([value for _ in windows for value in next(scores)[0]]) for windows in per_text
        ]

    def generate_until(self, requests: list[Any], disable_tqdm: bool = False) -> list[str]:
        """Continuations, greedy unless a request asks for `do_sample`, cut before a stop string."""
        texts = []
        for request in requests:
            context, options = request.args
            until = options.get("until") or []
            room = min(int(options.get("max_gen_toks", DEFAULT_NEW_TOKENS)), self.max_length - 1)
            temperature = float(options.get("temperature", 1.0)) if options.get("do_sample") else 0
            prompt = self.vocabulary.encode(context) or [self.prefix_token_id]
            (rollout,) = sample(
                self.model,
                [
                    Request(
                        prompt=prompt[-(self.max_length - room) :],
                        name=("generate", self.seed, context),
                    )
                ],
                max_new_tokens=room,
                temperature=temperature,
                end_tokens=[self.eot_token_id],
            )
            text = self.vocabulary.decode(rollout.tokens)
            for stop in [until] if isinstance(until, str) else until:
                text = text.split(stop)[0] if stop else text
            texts.append(text)
        return texts
