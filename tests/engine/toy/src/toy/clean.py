"""One shard, cleaned."""

from toy.shared import squeeze


def run(inputs, params, output, instance):
    text = (inputs["split"] / f"{instance}.txt").read_text()
    lines = [squeeze(line) for line in text.splitlines()]
    if params.clean.lower:
        lines = [line.lower() for line in lines]
    (output / "clean.txt").write_text("\n".join(lines) + "\n")
