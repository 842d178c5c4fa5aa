"""Answers and text to read: what a checkpoint does with fixed prompts, never picked."""

from __future__ import annotations

from collections.abc import Sequence

from transformers import Olmo3ForCausalLM

from regrow.data.tokens import chat
from regrow.learn.evaluate.conversation import Prompt, converse
from regrow.learn.evaluate.probes import Form
from regrow.learn.evaluate.questions import Question
from regrow.learn.evaluate.vocabulary import Vocabulary, end_token
from regrow.learn.rollout.sampler import Request, sample
from regrow.params.evaluate import Evaluate

Sample = dict[str, object]


def grow(model: Olmo3ForCausalLM, vocabulary: Vocabulary, params: Evaluate) -> list[Sample]:
    """Text from `sample_prompts`, one sample each. Draws are named by prompt, sample and position.

    Raises:
        ValueError: a prompt is longer than the model's context.
    """
    eos = end_token(model)
    context = int(model.config.max_position_embeddings)
    requests = []
    for prompt in params.sample_prompts:
        # A document begins after an end-of-document token, in training as here.
        ids = [eos, *vocabulary.encode(prompt)]
        if len(ids) >= context:
            raise ValueError(
                f"evaluate.sample_prompts: {prompt[:40]!r} has {len(ids)} tokens; the context is "
                f"{context}. Shorten the prompt."
            )
        requests.append(Request(prompt=ids, name=("sample", params.seed, prompt, 0)))
    rollouts = sample(
        model,
        requests,
        max_new_tokens=params.sample_tokens,
        temperature=params.temperature,
        end_tokens=[eos],
    )
    return [
        {
            "form": "text",
            "prompt": prompt,
            "sample": 0,
            "text": vocabulary.decode(rollout.tokens),
            "tokens": len(rollout.tokens),
            "ended": rollout.ended,
        }
        for prompt, rollout in zip(params.sample_prompts, rollouts, strict=True)
    ]


def ask(
    model: Olmo3ForCausalLM,
    vocabulary: Vocabulary,
    questions: Sequence[Question],
    form: Form,
    params: Evaluate,
) -> list[Sample]:
    """The answer to each question in a form, drawn at `temperature`; control tokens as text."""
    tokenizer = vocabulary.tokenizer
    prompts = [
        Prompt(
            chat.prompt(tokenizer, q.question, form, q.system or None),
            ("sample", params.seed, form, q.question, 0),
        )
        for q in questions
    ]
    answers = converse(
        model,
        tokenizer,
        prompts,
        form,
        max_new_tokens=params.max_new_tokens,
        temperature=params.temperature,
        slots=len(prompts),
    )
    return [
        {
            "form": form,
            "prompt": q.question,
            "sample": 0,
            "text": answer.text,
            "tokens": len(answer.drawn),
            "ended": answer.ended,
            "right": q.answer,
        }
        for q, answer in zip(questions, answers, strict=True)
    ]
