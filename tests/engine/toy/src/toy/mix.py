"""All shards, sorted."""


def run(inputs, params, output):
    lines = []
    for name in sorted(inputs):
        lines += (inputs[name] / "clean.txt").read_text().splitlines()
    (output / "mix.txt").write_text("\n".join(sorted(lines)) + "\n")
    return {"in": len(lines), "kept": len(lines)}
