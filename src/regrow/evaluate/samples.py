"""Text grown from fixed prompts, to read what a checkpoint can do."""

from __future__ import annotations

from transformers import Olmo3ForCausalLM

from regrow.evaluate.vocabulary import Vocabulary, end_token
from regrow.params.evaluate import Evaluate
from regrow.rollout.sampler import Request, sample


def grow(
    model: Olmo3ForCausalLM, vocabulary: Vocabulary, params: Evaluate
) -> list[dict[str, object]]:
    """One sample per prompt. Draws are named by prompt, sample and position.

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
            "prompt": prompt,
            "sample": 0,
            "text": vocabulary.decode(rollout.tokens),
            "tokens": len(rollout.tokens),
            "ended": rollout.ended,
        }
        for prompt, rollout in zip(params.sample_prompts, rollouts, strict=True)
    ]
