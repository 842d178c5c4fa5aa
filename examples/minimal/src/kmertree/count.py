"""FASTA to the number of each canonical k-mer (the smaller of a word and its reverse complement)."""

import json
from collections import Counter
from pathlib import Path

_COMPLEMENT = str.maketrans("ACGT", "TGCA")


def run(inputs, params, output: Path) -> dict:
    """Fill `output` with counts.json: sequence -> k-mer -> count. Returns how much was read and skipped."""
    k, counted, skipped = params.count.k, {}, 0
    for name, letters in read(inputs["sequences"]).items():
        words = [letters[i : i + k] for i in range(len(letters) - k + 1)]
        good = [word for word in words if set(word) <= set("ACGT")]
        skipped += len(words) - len(good)
        counted[name] = dict(sorted(Counter(map(canonical, good)).items()))
    output.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"k": k, "counts": counted}, sort_keys=True, indent=1)
    (output / "counts.json").write_text(text + "\n")
    kept = sum(sum(own.values()) for own in counted.values())
    return {
        "sequences": len(counted),
        "in": kept + skipped,
        "kept": kept,
        "dropped": {"ambiguous": skipped},
    }


def canonical(word: str) -> str:
    """The smaller of a word and its reverse complement."""
    return min(word, word.translate(_COMPLEMENT)[::-1])


def read(path: Path) -> dict[str, str]:
    """Name -> sequence of a FASTA file. Raises ValueError for text before the first name, or a name twice."""
    found: dict[str, list[str]] = {}
    name = None
    for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), 1):
        if line.startswith(">"):
            name = line[1:].split()[0]
            if name in found:
                raise ValueError(f"{path}:{number}: the name {name} is given twice")
            found[name] = []
        elif line.strip():
            if name is None:
                raise ValueError(f"{path}:{number}: sequence before the first >name")
            found[name].append(line.strip().upper())
    return {name: "".join(lines) for name, lines in found.items()}
