"""Five recipes, each said in YAML alone; the fourth is cut into parts, and reads what users bring: corpora, a tokenizer, chats, a task."""

from __future__ import annotations

import json
from pathlib import Path

SHORT = ("max_tokens: 224", "max_tokens: 120")
"""without a longer context, examples must fit into the first one"""
RECIPES: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "base": ("stages: [pretrain, sft]\n", (SHORT,)),
    "no_dpo": (
        "stages: [pretrain, midtrain, midtrain_b, soup, longcontext_control, longcontext, sft, sft_instruct, rlvr, "
        "rlzero, rlzero_random]\n",
        (("difficulty: {", "difficulty: {max_pass_rate: 0.5, "),),
    ),
    "soup_of_three": (
        """\
stages:
- pretrain
- midtrain: {evaluated: [text]}
- second: {kind: midtrain, data: {midtrain_data: 0.7, more: 0.3}}
- second_b: {kind: midtrain, order: 2, settings: second, data: joined_second}
- second_c: {kind: midtrain, order: 3, settings: second, data: {midtrain_data: 0.7, more: 0.3}}
- soup
- sft: {data: both}
datasets:
- more: {kind: midtrain_data}
- ours: {kind: chats, file: datasets/ours.jsonl, max_tokens: 120, licence: CC-BY-4.0}
- both: {kind: joined, of: {sft_data: 0.75, ours: 0.25}, max_repeats: 2}
more: {tokens: 2000, sequence_length: 128, component_tokens: 1000, top_buckets: 1, shares: {quality: 0.5, pretraining: 0.5}}
second: {steps: 4, checkpoint_every: 2, batch_sequences: 2, micro_batch_sequences: 2, digest_every: 2}
""",
        (SHORT,),
    ),
    "own": (
        """\
sources:
- notes: {files: corpus/notes/**/*.md, licence: CC0-1.0, origin: our wiki}
- rows: {files: corpus/rows, kind: jsonl, licence: unknown, origin: "https://dumps.example/", shards: 2}
- crawl
parts: 3
stages:
- pretrain
- sft: {data: ours}
datasets:
- ours: {kind: chats, file: datasets/ours.jsonl, beside: sft_data, share: 0.25, max_tokens: 120, licence: CC-BY-4.0}
""",
        (
            SHORT,
            (
                "tokenizer:\n  vocabulary: 400\n  sample_bytes: 100000\n",
                "tokenizer: {file: tokenizers/ours.json}\n",
            ),
            ("evaluate:\n", "evaluate:\n  tasks: [parity]\n"),
        ),
    ),
    "rl_zero": ("stages: [pretrain, rlzero, rlzero_random]\n", ()),
}
"""name -> what is behind the tiny params, and what is exchanged in them"""
CHATS = 12
TASK = """\
dataset_path: json
dataset_kwargs:
  data_files: {test: parity.jsonl}
test_split: test
output_type: multiple_choice
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_choice: ["even", "odd"]
doc_to_target: "{{answer}}"
metric_list:
- {metric: acc}
"""


def params(tiny: str, name: str) -> str:
    """The params file of a recipe."""
    behind, exchanged = RECIPES[name]
    for old, new in exchanged:
        assert old in tiny, old
        tiny = tiny.replace(old, new)
    return tiny + behind


def bring(root: Path) -> None:
    """Write what the recipe `own` reads: corpus/, datasets/ours.jsonl, tokenizers/ours.json, evals/parity."""
    corpora(root / "corpus")
    for folder in ("datasets", "tokenizers"):
        (root / folder).mkdir(exist_ok=True)
    colours = ("red", "blue", "green")
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"What colour has item {n}?"},
                {
                    "role": "assistant",
                    "content": f"Item {n} is {colours[n % 3]}.",
                    "reasoning_content": f"{n} is {n % 3} modulo 3.",
                },
            ]
        }
        for n in range(CHATS)
    ]
    lines = [json.dumps(row) + "\n" for row in (*rows, rows[0])]  # one comes twice
    (root / "datasets/ours.jsonl").write_text("".join(lines))
    (root / "evals/parity.yaml").write_text(TASK)
    asked = [
        {
            "id": f"parity-{n}",
            "question": f"Is the number {7 * n + 3} even or odd?",
            "answer": ("even", "odd")[(7 * n + 3) % 2],
        }
        for n in range(8)
    ]
    (root / "evals/parity.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    tokenizer(root / "tokenizers/ours.json")


def corpora(folder: Path) -> None:
    """Six notes, one of them empty; eight rows in four files, three of them with a licence, and a line that is none."""
    from pydoc_data.topics import topics

    texts = [text[:3_000] for _, text in sorted(topics.items()) if len(text) > 2_000][:13]
    for n, text in enumerate([*texts[:5], "\n"]):
        path = folder / f"notes/{'ab'[n % 2]}/note{n}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# Note {n}\n\n{text}" if text.strip() else text)
    rows = [{"id": f"row{n}", "text": text} for n, text in enumerate(texts[5:])]
    for row in rows[:3]:
        row |= {"url": f"https://manual.example/{row['id']}", "licence": "PSF-2.0"}
    (folder / "rows").mkdir(parents=True, exist_ok=True)
    for n in range(4):
        lines = [json.dumps(row) + "\n" for row in rows[n::4]]
        (folder / f"rows/{n}.jsonl").write_text("".join(lines) + ("{\n" if n == 3 else ""))


def tokenizer(path: Path) -> None:
    """A byte-level BPE of another making, which knows none of the flow's control tokens but one."""
    from pydoc_data.topics import topics

    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator([topics[name] for name in sorted(topics)[:20]], trainer)
    made.save(str(path))
