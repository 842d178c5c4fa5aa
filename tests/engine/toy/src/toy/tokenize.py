"""Words to numbers."""

from toy.shared import squeeze


def run(inputs, params, output):
    words = squeeze((inputs["mix"] / "mix.txt").read_text()).split(" ")
    vocabulary = {word: n for n, word in enumerate(sorted(set(words)))}
    (output / "vocabulary.txt").write_text("\n".join(vocabulary) + "\n")
    (output / "nested").mkdir()
    (output / "nested" / "tokens.txt").write_text(" ".join(str(vocabulary[w]) for w in words))
    return {"tokens": len(words)}
