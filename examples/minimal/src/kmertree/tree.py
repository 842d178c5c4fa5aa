"""A tree of the sequences by average linkage (UPGMA; Sokal and Michener 1958)."""

from pathlib import Path


def run(inputs, params, output: Path) -> dict:
    """Fill `output` with tree.nwk (Newick). Returns the number of leaves and the height of the root."""
    apart = {}
    for line in (inputs["compare"] / "distances.tsv").read_text().splitlines():
        a, b, value = line.split("\t")
        apart[frozenset((a, b))] = float(value)
    # name of the smallest leaf -> (Newick, height, leaves)
    groups = {name: (name, 0.0, 1) for pair in apart for name in pair}
    leaves = len(groups)
    height = 0.0
    while len(groups) > 1:
        pair = min(apart, key=lambda pair: (apart[pair], sorted(pair)))
        a, b = sorted(pair)
        height = apart.pop(pair) / 2
        (left, low, n), (right, other, m) = groups[a], groups.pop(b)
        joined = f"({left}:{height - low:.6f},{right}:{height - other:.6f})"
        for c in groups:
            if c != a:
                ways = apart.pop(frozenset((a, c))), apart.pop(frozenset((b, c)))
                apart[frozenset((a, c))] = (n * ways[0] + m * ways[1]) / (n + m)
        groups[a] = (joined, height, n + m)
    output.mkdir(parents=True, exist_ok=True)
    (output / "tree.nwk").write_text("".join(tree for tree, _, _ in groups.values()) + ";\n")
    return {"leaves": leaves, "height": round(height, 6)}
