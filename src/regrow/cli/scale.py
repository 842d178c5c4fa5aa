"""The answer of `regrow plan --scale` as text."""

from __future__ import annotations

from typing import Any

from regrow.cli.paint import Paint


def show(answer: dict[str, Any], paint: Paint) -> None:
    """Parameters, stages, memory, storage, jobs."""
    vocabulary = answer["vocabulary"]
    print(paint.bold(answer["params_file"]) + f"  vocabulary {vocabulary['tokens']:,}")
    _parameters(answer, paint)
    _stages(answer, paint)
    _memory(answer["memory"], paint)
    _storage(answer, paint)


def _parameters(answer: dict[str, Any], paint: Paint) -> None:
    found = answer["parameters"]
    print(f"\n{paint.bold('parameters')}  {found['total']:,}")
    for item in found["classes"]:
        shape = " x ".join(f"{side:,}" for side in item["shape"])
        print(f"  {item['name']:<20} {item['tensors']:>4} of {shape:<16} {item['parameters']:>18,}")
    print(paint.dim(f"  multiplied by every token (N of 6 N D): {found['multiplied']:,}"))


def _stages(answer: dict[str, Any], paint: Paint) -> None:
    machine = answer["machine"]
    print(
        f"\n{paint.bold('stages')}  if another trainer ran them (this flow trains on CPUs only) on "
        f"{machine['gpus']:,} GPUs of {machine['peak_flops'] / 1e12:,.0f} "
        f"TFLOP/s at {machine['utilisation']:.0%} of the peak"
    )
    print(
        paint.dim(
            f"  {'':<20} {'steps':>9} {'batch':>7} {'length':>7} {'tokens':>9} {'FLOPs':>9} "
            f"{'days':>8} {'checkpoints':>12}"
        )
    )
    for row in answer["stages"]:
        mark = "≤" if row["at_most"] else " "
        print(
            f"  {row['stage']:<20} {row['steps']:>9,} {row['batch']:>7,} {row['length']:>7,} "
            f"{mark}{tokens(row['tokens']):>8} {mark}{row['flops']:>8.2e} {mark}{row['days']:>7.2f} "
            f"{row['checkpoints']:>5} {size(row['checkpoint_bytes']):>9}"
        )
    total = answer["total"]
    print(
        f"  {'total':<20} {'':>25} ≤{tokens(total['tokens']):>8} ≤{total['flops']:>8.2e} "
        f"≤{total['days']:>7.2f}"
    )
    cost = answer["stages"][0]["flops_per_token"]
    print(
        paint.dim(
            f"  FLOPs: {answer['formula']}; a pretraining token {cost['matrices']:.3e} + {cost['attention']:.3e}"
        )
    )
    rate = answer["stages"][0]["tokens_per_second_and_gpu"]
    print(paint.dim(f"  which is {rate:,.0f} tokens per second and GPU"))
    print(
        paint.dim(
            "  ≤: at most, as if every example, pair or answer were as long as may be; answers that are drawn "
            "and a reference\n  model are counted as forward passes. Evaluation and data steps are not counted."
        )
    )


def _memory(found: dict[str, Any], paint: Paint) -> None:
    print(
        f"\n{paint.bold('memory of this flow')}  which trains in float32 on CPUs only, without ZeRO and "
        "without recomputation: each process needs"
    )
    for stage, parts in found["own"].items():
        cells = ", ".join(
            f"{name} {size(value)}" for name, value in parts.items() if name != "total"
        )
        print(f"  {stage:<12} {size(parts['total'])}  {paint.dim(cells)}")
    print(
        f"\n{paint.bold('memory per rank of another trainer')}  on {found['ranks']:,} GPUs, with what this flow "
        "does not have: GPUs, bf16, ZeRO, recomputation"
    )
    for precision, stages in found["states"].items():
        cells = ", ".join(f"ZeRO-{stage} {size(value)}" for stage, value in stages.items())
        print(f"  {precision}  {cells}")
    for stage, parts in found["activations"].items():
        print(
            f"  activations of a {stage} micro-batch, recomputed by layer: {size(parts['layers'])}"
            f"; logits {size(parts['logits'])} unless fused with the loss"
        )


def _storage(answer: dict[str, Any], paint: Paint) -> None:
    found, jobs = answer["storage"], answer["jobs"]
    packs = ", ".join(f"{name} {size(value)}" for name, value in found["packed_bytes"].items())
    print(f"\n{paint.bold('storage')}")
    print(
        f"  {found['checkpoints']:,} checkpoints with optimizer states in 32 bits: "
        f"{size(found['checkpoint_bytes'])} (releases share their weights)"
    )
    print(
        f"  text {size(found['text_bytes_per_copy'])} a copy, {found['text_copies']} copies or more; "
        f"packed at {found['bytes_per_packed_token']} bytes a token: {packs}"
    )
    largest = sorted(jobs["by_step"].items(), key=lambda item: (-item[1], item[0]))[:4]
    print(
        f"\n{paint.bold('jobs')}  {jobs['total']:,}: "
        + ", ".join(f"{step} {count:,}" for step, count in largest)
        + " ..."
    )


def tokens(count: float) -> str:
    """5.93T, 100B, 1.2M."""
    return _unit(count, ("", "K", "M", "B", "T", "P"))


def size(count: float) -> str:
    """Bytes for people: 87.6 GB, 124 TB."""
    return _unit(count, (" B", " kB", " MB", " GB", " TB", " PB"))


def _unit(count: float, units: tuple[str, ...]) -> str:
    unit = 0
    while count >= 999.5 and unit < len(units) - 1:
        count, unit = count / 1000, unit + 1
    digits = 0 if unit == 0 or count >= 100 else 1 if count >= 10 else 2
    return f"{count:.{digits}f}{units[unit]}"
