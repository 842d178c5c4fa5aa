"""The model as lm-eval sees it.

Scores like lm-eval's own `hf` model (rolling windows of the full context that overlap by
one token, the end-of-document token in front), but with the arithmetic of
`regrow.numerics`, batches of fixed shape and correctly rounded sums, so that equal
checkpoints give equal bits on every machine.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from lm_eval.api.model import TemplateLM
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window
from transformers import Olmo3ForCausalLM

from regrow.data.tokens import chat
from regrow.learn.evaluate.conversation import Prompt, converse
from regrow.learn.evaluate.generation import wanted
from regrow.learn.evaluate.probes import Form
from regrow.learn.evaluate.vocabulary import Vocabulary, end_token
from regrow.learn.evaluate.windows import Window, token_logprobs, total
from regrow.learn.rollout.sampler import Request, sample

SLOTS = 128
"""answers that are sampled side by side"""


class _Asked(NamedTuple):
    request: Any
    number: int
    """of equal requests before it"""
    until: tuple[str, ...]


class CheckpointLM(TemplateLM):
    """A transformers causal LM and its tokenizer behind lm-eval's three requests."""

    def __init__(
        self,
        model: Olmo3ForCausalLM,
        vocabulary: Vocabulary,
        *,
        rows: int = 16,
        seed: int = 0,
        form: Form | None = None,
        slots: int = SLOTS,
        context: int | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.vocabulary = vocabulary
        self.rows = rows
        self.seed = seed
        self.form = form
        """how a context of `generate_until` is asked; None: it is a text to continue"""
        self.slots = slots
        self.lengths: dict[tuple[str, int], list[int]] = {}
        """(task, document number) -> tokens that were drawn, answer by answer"""
        own = int(model.config.max_position_embeddings)
        self.max_length = min(own, context or own)
        """positions of a window"""

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

    def _encode_pair(self, context: str, continuation: str) -> tuple[list[int], list[int]]:
        """Tokens of the whole text, cut behind the last token that lies within the context.

        lm-eval cuts behind as many tokens as the context has alone, and before its last white
        space; but `cats.` and `cats.\\n\\n` may have equally many, and the cut is then wrong.
        """
        ids, ends = self.vocabulary.encode_with_ends(context + continuation)
        cut = sum(1 for end in ends if end <= len(context))
        return ids[:cut], ids[cut:]

    def loglikelihood(
        self, requests: list[Any], disable_tqdm: bool = True
    ) -> list[tuple[float, bool]]:
        """Log-likelihood of each continuation, and whether it is the likeliest; no progress bar.

        Where no token ends within the context, all of the text is scored after the end-of-document
        token. An empty continuation is certain: (0, True).
        """
        encoded = []
        for request in requests:
            context, continuation = request.args
            encoded.append(((context, continuation), *self._encode_pair(context, continuation)))
        return self._loglikelihood_tokens(encoded)

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
            before = before or [self.prefix_token_id]
            if after:
                windows.append((before[-(self.max_length + 1 - len(after)) :], after))
        scores = iter(self._score(windows, greedy=True))
        found = []
        for _pair, _before, after in requests:
            logprobs, greedy = next(scores) if after else ([], True)
            found.append((total(logprobs), greedy))
        return found

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
        """Continuations, as `generation.wanted` reads a request; equal settings share a batch.

        With a `form` each context is a question, asked in that form, and the answer goes on to
        its end, special tokens kept as text; `lengths` then has its tokens. Without one the
        context is continued as it stands, and cut before a stop string. A draw is named by the
        seed, the context and how many equal requests came before it.

        Raises:
            ValueError: a request asks for what is not offered.
        """
        seen: Counter[tuple[str, float]] = Counter()
        batches: dict[tuple[int, float], list[_Asked]] = {}
        for request in requests:
            context, options = request.args
            how = wanted(options)
            number = seen[context, how.temperature]
            seen[context, how.temperature] += 1
            asked = _Asked(request, number, how.until)
            batches.setdefault((how.max_new_tokens, how.temperature), []).append(asked)
        texts: dict[int, list[str]] = {}
        for (room, temperature), batch in batches.items():
            reply = self._continued if self.form is None else self._answers
            for item, text in zip(batch, reply(batch, room, temperature), strict=True):
                texts.setdefault(id(item.request), []).append(text)
        # Repeats of a request are the same object; they come back in the order in which they came.
        return [texts[id(request)].pop(0) for request in requests]

    def _prompts(self, asked: Sequence[_Asked], room: int) -> list[list[int]]:
        """Tokens of the contexts, whole where they leave room for one token more.

        Others are cut from the left, as lm-eval does, so that `room` tokens fit, yet never to less
        than half of what the model can see.
        """
        keep = self.max_length - min(max(room, 1), self.max_length // 2)
        prompts, cut, short = [], 0, 0
        for item in asked:
            tokens = self.vocabulary.encode(item.request.args[0]) or [self.prefix_token_id]
            if len(tokens) >= self.max_length:
                cut += 1
                tokens = tokens[-keep:]
            short += len(tokens) + room > self.max_length
            prompts.append(tokens)
        if cut:
            print(
                f"{cut} of {len(asked)} prompts do not fit into {self.max_length} positions: they are cut "
                f"to their last {keep} tokens",
                file=sys.stderr,
            )
        if short:
            print(
                f"{short} of {len(asked)} prompts leave room for fewer than {room} tokens: their "
                "continuations end with the context",
                file=sys.stderr,
            )
        return prompts

    def _continued(self, asked: Sequence[_Asked], room: int, temperature: float) -> list[str]:
        requests = []
        for item, tokens in zip(asked, self._prompts(asked, room), strict=True):
            name = ("generate", self.seed, item.request.args[0], item.number)
            requests.append(Request(prompt=tokens, name=name))
        rollouts = sample(
            self.model,
            requests,
            max_new_tokens=room,
            temperature=temperature,
            end_tokens=[self.eot_token_id],
            context=self.max_length,
            slots=self.slots,
        )
        texts = []
        for item, rollout in zip(asked, rollouts, strict=True):
            text = self.vocabulary.decode(rollout.tokens)
            for stop in item.until:
                text = text.split(stop)[0]
            texts.append(text)
        return texts

    def _answers(self, asked: Sequence[_Asked], room: int, temperature: float) -> list[str]:
        assert self.form is not None
        tokenizer, prompts = self.vocabulary.tokenizer, []
        for item in asked:
            question, system = item.request.args[0], item.request.doc.get("system") or None
            tokens = chat.prompt(tokenizer, question, self.form, system)
            prompts.append(Prompt(tokens, ("answer", self.seed, self.form, question, item.number)))
        answers = converse(
            self.model,
            tokenizer,
            prompts,
            self.form,
            max_new_tokens=room,
            temperature=temperature,
            slots=self.slots,
        )
        for item, answer in zip(asked, answers, strict=True):
            place = (item.request.task_name or "", item.request.doc_id or 0)
            self.lengths.setdefault(place, []).append(len(answer.drawn))
        return [answer.text for answer in answers]
