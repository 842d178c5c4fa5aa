"""TRL's loss and gradients on given batches: run in a process of its own, in plain torch.

`python peer_trl.py FOLDER` reads `FOLDER/model` (a checkpoint), `FOLDER/reference` and
`FOLDER/batches.json`, and writes `FOLDER/<objective>.safetensors` (loss and gradients).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from datasets import Dataset
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer
from trl.trainer.dpo_trainer import DataCollatorForPreference

ROWS = [{"prompt": "t2 t3", "chosen": "t4", "rejected": "t5"}] * 4


def main(folder: Path) -> None:
    batches = json.loads((folder / "batches.json").read_text())
    words = {f"t{i}": i for i in range(258)}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(WordLevel(words, unk_token="t2")), pad_token="t0", eos_token="t1"
    )
    tokenizer.backend_tokenizer.pre_tokenizer = WhitespaceSplit()
    dpo(folder, batches["dpo"], tokenizer)
    for name in ("grpo", "grpo_first"):
        grpo(folder, name, batches[name], tokenizer)


def model(folder: Path) -> torch.nn.Module:
    return AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    )


def write(folder: Path, name: str, loss: torch.Tensor, net: torch.nn.Module) -> None:
    gradients = {n: p.grad for n, p in net.named_parameters() if p.grad is not None}
    save_file(
        {"loss": loss.detach().reshape(1)} | {n: g.contiguous() for n, g in gradients.items()},
        folder / f"{name}.safetensors",
    )


def common(folder: Path) -> dict[str, object]:
    return {
        "output_dir": str(folder / "trl"),
        "use_cpu": True,
        "bf16": False,
        "report_to": "none",
        "gradient_checkpointing": False,
        "per_device_train_batch_size": 4,
    }


def dpo(folder: Path, batch: dict, tokenizer: PreTrainedTokenizerFast) -> None:
    settings = DPOConfig(loss_type=["sigmoid_norm"], beta=batch["beta"], **common(folder))
    net = model(folder / "model")
    trainer = DPOTrainer(
        net,
        ref_model=model(folder / "reference"),
        args=settings,
        train_dataset=Dataset.from_list(ROWS),
        processing_class=tokenizer,
    )
    collated = DataCollatorForPreference(pad_token_id=0)(batch["pairs"])
    loss = trainer._compute_loss(trainer.model, collated, return_outputs=False)
    loss.backward()
    write(folder, "dpo", loss, net)


def grpo(folder: Path, name: str, batch: dict, tokenizer: PreTrainedTokenizerFast) -> None:
    """Prompts padded on the left and answers on the right, as TRL does it."""
    settings = GRPOConfig(
        loss_type="dapo",  # the mean over the whole batch's tokens
        beta=0.0,
        epsilon=batch["clip_low"],
        epsilon_high=batch["clip_high"],
        num_generations=4,
        **common(folder),
    )
    net = model(folder / "model")
    trainer = GRPOTrainer(
        net,
        reward_funcs=lambda completions, **_: [0.0] * len(completions),
        args=settings,
        train_dataset=Dataset.from_list([{"prompt": "t2 t3"}] * 4),
        processing_class=tokenizer,
    )
    trainer.use_vllm = trainer.vllm_importance_sampling_correction = True  # the factor is given
    trainer.current_gradient_accumulation_steps = 1
    trainer.args.steps_per_generation = 1
    answers = batch["answers"]
    width = max(len(a["prompt"]) for a in answers)
    length = max(len(a["tokens"]) for a in answers)

    def left(a: dict) -> list[int]:
        return [0] * (width - len(a["prompt"])) + a["prompt"]

    def right(values: list) -> list:
        return values + [0] * (length - len(values))

    old = torch.tensor([right(a["old"]) for a in answers])
    sampler = torch.tensor([right(a["logprobs"]) for a in answers])
    inputs = {
        "prompt_ids": torch.tensor([left(a) for a in answers]),
        "prompt_mask": torch.tensor(
            [[0] * (width - len(a["prompt"])) + [1] * len(a["prompt"]) for a in answers]
        ),
        "completion_ids": torch.tensor([right(a["tokens"]) for a in answers]),
        "completion_mask": torch.tensor([right([1] * len(a["tokens"])) for a in answers]),
        "advantages": torch.tensor([right(a["advantages"]) for a in answers]),
        "old_per_token_logps": old if batch["given"] else None,
        "importance_sampling_ratio": torch.clamp(torch.exp(old - sampler), max=batch["cap"]),
        "num_items_in_batch": torch.tensor(sum(len(a["tokens"]) for a in answers)),
    }
    trainer.model.train()
    loss = trainer._compute_loss(trainer.model, inputs)
    loss.backward()
    write(folder, name, loss, net)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
