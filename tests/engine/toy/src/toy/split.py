"""Lines to shards."""


def run(inputs, params, output):
    lines = (inputs["raw"] / "raw.txt").read_text().splitlines()
    n = params.split.shards
    for shard in range(n):
        (output / f"{shard}.txt").write_text("\n".join(lines[shard::n]) + "\n")
    return {"lines": len(lines)}
