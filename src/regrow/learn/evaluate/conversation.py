"""Answers of a model to questions in one of the three forms; tools are run and read back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tokenizers import Tokenizer
from transformers import Olmo3ForCausalLM

from regrow.data.tokens import chat
from regrow.learn.evaluate.probes import Form
from regrow.learn.rollout.sampler import Request, sample
from regrow.learn.verifiers import response, tools

MAX_TURNS = 3
"""of the assistant in one conversation"""


@dataclass(frozen=True)
class Prompt:
    """What is asked, and the name of the draws."""

    tokens: list[int]
    name: tuple[str | int, ...]


@dataclass
class Answer:
    """Everything after a prompt."""

    text: str = ""
    """as `chat.completion` writes it; tool messages included"""
    drawn: list[int] = field(default_factory=list)
    """the tokens that the model drew"""
    ended: bool = False


def stopping(tokenizer: Tokenizer, form: Form) -> Callable[[list[int]], bool] | None:
    """Whether an answer in the plain form, which has no end token, is complete; None for chat."""
    if form != "plain":
        return None
    # Only a token with a line break in it can complete an answer: look no further at others.
    breaks = {
        number
        for number in tokenizer.get_vocab().values()
        if "\n" in tokenizer.decode([number], skip_special_tokens=False)
    }

    def stop(tokens: list[int]) -> bool:
        return tokens[-1] in breaks and chat.finished(chat.decode(tokenizer, tokens), form)

    return stop


def converse(
    model: Olmo3ForCausalLM,
    tokenizer: Tokenizer,
    prompts: Sequence[Prompt],
    form: Form,
    *,
    max_new_tokens: int,
    temperature: float,
    slots: int,
) -> list[Answer]:
    """One answer per prompt, of at most `max_new_tokens` tokens per turn.

    In the Instruct form calls of tools are run, their results follow as tool messages, and the
    model goes on, for at most MAX_TURNS turns. Draws are named by the prompt's name and position.
    A prompt that fills the context gets an empty answer.
    """
    answers = [Answer() for _ in prompts]
    texts = [list(prompt.tokens) for prompt in prompts]
    stop = stopping(tokenizer, form)
    context = int(model.config.max_position_embeddings)
    open_ = [i for i, tokens in enumerate(texts) if len(tokens) < context]
    for _ in range(MAX_TURNS if form == "instruct" else 1):
        rollouts = sample(
            model,
            [Request(prompt=texts[i], name=prompts[i].name) for i in open_],
            max_new_tokens=max_new_tokens,
            temperature=temperature,
            end_tokens=chat.end_tokens(tokenizer, form),
            slots=slots,
            stop=stop,
        )
        following = []
        for i, rollout in zip(open_, rollouts, strict=True):
            answer, turn = answers[i], chat.completion(tokenizer, rollout.tokens)
            answer.text += turn
            answer.drawn += rollout.tokens
            answer.ended = rollout.ended
            texts[i] += rollout.tokens
            calls = response.parse(turn, form).tool_calls if form == "instruct" else ()
            if rollout.ended and calls:
                messages = chat.result(tokenizer, [tools.answer(call) for call in calls])
                if len(texts[i]) + len(messages) < context:
                    answer.text += chat.completion(tokenizer, messages)
                    answer.ended = False
                    texts[i] += messages
                    following.append(i)
        open_ = following
        if not open_:
            break
    return answers
