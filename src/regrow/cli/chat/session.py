"""A conversation with a checkpoint: its tokens so far, and the next answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers import Olmo3ForCausalLM

from regrow.cli.chat.pieces import Emit, Pieces
from regrow.data.tokens import bpe, chat
from regrow.learn.rollout.sampler import Request, Rollout, sample
from regrow.learn.verifiers import response, tools

Stop = Callable[[Sequence[int]], bool]
MAX_TURNS = 4
"""of the assistant for one message: three rounds of calls and the answer"""
TEXT = "text"
"""the form of a base model that continues what is typed"""


class TooLong(ValueError):
    """What was said does not fit the model's context."""


@dataclass(frozen=True)
class Drawn:
    """The first turn of an answer, as the tokens that the model drew."""

    prompt: str
    form: str
    temperature: float
    seed: int
    tokens: list[int]
    ended: bool
    """by itself, not by the limit"""


@dataclass
class Answer:
    """What came back for one message."""

    text: str = ""
    """everything, control tokens as text, tool messages included"""
    think: str = ""
    answer: str = ""
    calls: list[dict[str, str]] = field(default_factory=list)
    """call and result"""
    tokens: int = 0
    """drawn"""
    ended: bool = False
    """by itself: not by the limit, the context or Ctrl-C"""
    interrupted: bool = False
    forgotten: int = 0
    """older messages that were left out so that this one fits"""

    def as_json(self) -> dict[str, Any]:
        """The fields as a mapping."""
        return dict(vars(self))


@dataclass
class Session:
    """The state of a chat. Draws are keyed by seed, message number and position, so it can be replayed."""

    model: Olmo3ForCausalLM
    tokenizer: Tokenizer
    form: str
    """`text`, `plain`, `think` or `instruct`"""
    temperature: float = 0.6
    seed: int = 0
    max_new_tokens: int = 256
    system: str | None = None
    exchanges: list[list[int]] = field(default_factory=list)
    """tokens of each message and what followed it"""
    asked: int = 0

    @property
    def context(self) -> int:
        """Positions of the model."""
        return int(self.model.config.max_position_embeddings)

    @property
    def chats(self) -> bool:
        """Whether messages build on each other."""
        return self.form in ("think", "instruct")

    def reset(self) -> None:
        """Forget what was said."""
        self.exchanges.clear()
        self.asked = 0

    def say(self, message: str, emit: Emit) -> Answer:
        """Send a message; `emit` gets the answer piece by piece. Ctrl-C ends the answer early.

        Raises:
            TooLong: the message alone does not fit the context.
        """
        answer = Answer()
        before, mine = self._begin(message, answer)
        self.asked += 1
        for _ in range(MAX_TURNS if self.chats else 1):
            drawn, ended = self._turn(before + mine, answer, emit)
            mine += drawn
            answer.ended = ended
            calls = self._read(answer, drawn)
            if not ended or not calls or answer.interrupted:
                break
            results = [tools.answer(call) for call in calls]
            answer.calls += [{"call": c, "result": r} for c, r in zip(calls, results, strict=True)]
            for result in results:
                emit("call", f"\n{result}")
            more = chat.result(self.tokenizer, results)
            if len(before) + len(mine) + len(more) >= self.context:
                answer.ended = False
                break
            mine += more
            answer.text += chat.decode(self.tokenizer, more)
        if self.chats:
            if not answer.ended:
                mine.append(chat.end_tokens(self.tokenizer, self.form)[0])
            self.exchanges.append(mine)
        return answer

    def draw(self, message: str) -> Drawn:
        """The first turn of what `say` would answer now; the chat does not remember it.

        Raises:
            TooLong: the message alone does not fit the context.
        """
        before, mine = self._begin(message, Answer())
        made = self._sample(before + mine, self.asked + 1, self._finished)
        return Drawn(message, self.form, self.temperature, self.seed, made.tokens, made.ended)

    def _begin(self, message: str, answer: Answer) -> tuple[list[int], list[int]]:
        """Tokens before the message, and those of the message; the oldest exchanges make room."""
        if self.form == TEXT:
            mine = [*chat.end_tokens(self.tokenizer, "plain"), *_encode(self.tokenizer, message)]
        elif self.form == "plain":
            mine = chat.prompt(self.tokenizer, message, "plain")
        else:
            mine = chat.conversation(self.tokenizer, [{"role": "user", "content": message}])
        head: list[int] = []
        if self.chats and self.system:
            said = [{"role": "system", "content": self.system}]
            head = chat.example(self.tokenizer, said)[0]
        room = min(self.max_new_tokens, self.context // 4)
        while self.exchanges and self._size(head, mine) + room > self.context:
            self.exchanges.pop(0)
            answer.forgotten += 1
        if self._size(head, mine) >= self.context:
            raise TooLong(
                f"{self._size(head, mine)} tokens, but the model has {self.context} positions: "
                "say less, or /reset"
            )
        return head + [token for exchange in self.exchanges for token in exchange], mine

    def _size(self, head: list[int], mine: list[int]) -> int:
        return len(head) + sum(map(len, self.exchanges)) + len(mine)

    def _turn(self, prompt: list[int], answer: Answer, emit: Emit) -> tuple[list[int], bool]:
        """One turn of the model: what it drew, and whether it came to its end."""
        pieces = Pieces(self.tokenizer, emit)
        seen: list[int] = []

        def stop(tokens: Sequence[int]) -> bool:
            """Asked with every token as it is drawn."""
            seen[:] = tokens
            pieces.feed(seen)
            return self._finished(seen)

        try:
            rollout = self._sample(prompt, self.asked, stop)
        except KeyboardInterrupt:
            answer.interrupted = True
            rollout = Rollout(prompt=prompt, tokens=seen)
        pieces.finish(rollout.tokens)
        answer.tokens += len(rollout.tokens)
        answer.text += chat.decode(self.tokenizer, rollout.tokens)
        return rollout.tokens, rollout.ended

    def _sample(self, prompt: list[int], number: int, stop: Stop) -> Rollout:
        """Draw after a prompt, under the key of the message of that number."""
        form = "plain" if self.form in (TEXT, "plain") else self.form
        return sample(
            self.model,
            [Request(prompt=prompt, name=("chat", self.seed, number))],
            max_new_tokens=self.max_new_tokens,
            temperature=self.temperature,
            end_tokens=chat.end_tokens(self.tokenizer, form),
            stop=stop,
        )[0]

    def _finished(self, tokens: Sequence[int]) -> bool:
        """Whether an answer to a plain question is complete; the other forms end with a token."""
        if self.form != "plain":
            return False
        return chat.finished(chat.decode(self.tokenizer, list(tokens)), "plain")

    def _read(self, answer: Answer, drawn: list[int]) -> tuple[str, ...]:
        """Take a turn apart; returns its calls."""
        turn = chat.decode(self.tokenizer, drawn)
        if self.form == TEXT:
            answer.answer = turn.removesuffix(chat.END_OF_TEXT)
            return ()
        said = response.parse(chat.completion(self.tokenizer, drawn), self.form)
        answer.think = said.think or answer.think
        answer.answer = said.answer
        return said.tool_calls if self.chats else ()


def load(folder: Path, tokenizer: Path, form: str, **settings: Any) -> Session:
    """A chat with the checkpoint in `folder`, in the arithmetic that it was trained in.

    `settings`: further fields of the session.

    Raises:
        ValueError: the files do not fit each other.
    """
    from regrow.learn.model import files
    from regrow.numerics import torch as numerics
    from regrow.numerics.torch.install import install

    numerics.activate()
    loaded, _ = bpe.load(tokenizer)
    return Session(install(files.load(folder)), loaded, form, **settings)


def _encode(tokenizer: Tokenizer, text: str) -> list[int]:
    return [int(token) for tokens in bpe.encode(tokenizer, [text]) for token in tokens]
