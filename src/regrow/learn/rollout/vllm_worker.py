"""The process that runs vLLM for `regrow.learn.rollout.vllm`: one JSON request per line in, one answer out.

A script of its own: no import from this project, so that the Python that has vLLM need not
have the project (nor the project's Python vLLM), and no model of ours in vLLM's process.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def main() -> None:
    """Serve until standard input ends. What vLLM prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    settings = json.loads(sys.stdin.readline())

    def answer(value: dict[str, Any]) -> None:
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    try:
        import vllm
    except Exception as error:  # any failure of the import means: not usable here
        answer({"absent": f"{type(error).__name__}: {error}"})
        return
    engine = vllm.LLM(
        model=settings["checkpoint"],
        tokenizer=None,
        skip_tokenizer_init=True,
        dtype=settings["dtype"],
        max_model_len=settings["context"],
        max_num_seqs=settings["slots"],
        enforce_eager=settings["eager"],
        enable_prefix_caching=False,
        # A prompt taken in parts makes vLLM set back the request's generator, which on a CPU it
        # cannot ("CPU Generator does not use offset"): prompts are taken whole.
        enable_chunked_prefill=False,
        max_num_batched_tokens=max(2_048, settings["context"]),
        logprobs_mode="raw_logprobs",
        seed=0,
    )
    answer({"version": vllm.__version__})
    for line in sys.stdin:
        requests = json.loads(line)
        prompts = [{"prompt_token_ids": request["prompt"]} for request in requests]
        sampling = [
            vllm.SamplingParams(
                max_tokens=request["max_tokens"],
                temperature=request["temperature"],
                top_p=1.0,
                top_k=0,
                seed=request["seed"],
                stop_token_ids=request["end_tokens"],
                ignore_eos=True,
                logprobs=0,
                prompt_logprobs=0 if request["score"] else None,
                detokenize=False,
            )
            for request in requests
        ]
        finished = engine.generate(prompts, sampling, use_tqdm=False)
        answer({"rows": [row(request) for request in finished]})


def row(finished: Any) -> dict[str, Any]:
    """Tokens and log-probabilities of a finished request; of its prompt too, if it was scored."""
    output = finished.outputs[0]
    tokens = list(output.token_ids)
    logprobs = [step[token].logprob for token, step in zip(tokens, output.logprobs, strict=True)]
    scored = finished.prompt_logprobs or [None] * len(finished.prompt_token_ids)
    prompt = [
        step[token].logprob
        for token, step in zip(finished.prompt_token_ids, scored, strict=True)
        if step is not None  # the first token has nothing before it
    ]
    return {"tokens": tokens, "logprobs": logprobs, "prompt_logprobs": prompt}


if __name__ == "__main__":
    main()
