"""Items of many lengths planted in pages: what decontamination must find, however it is spelled.

`python tests/support/planted_items.py` prints the table of recall by length.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable

from regrow.data.dedup.items import Item, Items, Reader
from regrow.data.dedup.telling import COMMON
from regrow.learn.tasks.words import WORDS

LENGTHS = (3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 16, 20, 30, 50, 100, 200, 300)
_RARE = [word for word in WORDS if word not in COMMON]
_COMMON = sorted(COMMON)


def sentence(rng: random.Random, n: int, common: float = 0.45) -> str:
    """n words, about so many of them common, without a full stop inside."""
    words = [rng.choice(_COMMON if rng.random() < common else _RARE) for _ in range(n)]
    if n > 3 and rng.random() < 0.3:
        words[-1] = str(rng.randrange(10, 9_999))
    return " ".join(words).capitalize()


def page(rng: random.Random, item: str) -> str:
    """The item in the middle of running text, without a mark before or after it.

    The words beside it are neither numbers nor single letters: with the item's own they would be a list.
    """
    return f"{sentence(rng, 150)} and {item} and {sentence(rng, 150)}."


def _wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


SPELLINGS: dict[str, Callable[[str], str]] = {
    "verbatim": str,
    "capitals": str.upper,
    "typographic quotes": lambda text: text.replace("'", "\u2019").replace(" ", " \u201c", 1),
    "full width": _wide,
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "ligatures": lambda text: text.replace("fi", "\ufb01").replace("ff", "\ufb00"),
    "soft hyphens": lambda text: text.replace("e", "e\u00ad"),
    "zero width": lambda text: text.replace("a", "\u200ba\u2060"),
    "control characters": lambda text: text.replace("a", "\x01a\x1b").replace("e", "e\x7f\x8f"),
    "format controls": lambda text: text.replace("e", "e\U0001d173").replace("o", "\U0001bca3o"),
    "underscores": lambda text: " ".join(f"_{word}_" for word in text.split(" ")),
    "bold": lambda text: f"**{text.replace(' ', '** **')}**",
    "stressed inside": lambda text: " ".join(
        f"{word[:2]}**{word[2:]}**" if word.isalpha() and len(word) > 2 else word
        for word in text.split(" ")
    ),
    "tags": lambda text: " ".join(f"<b>{word}</b>" for word in text.split(" ")),
    "a tag inside": lambda text: text.replace("o", "<i>o</i>"),
    "links": lambda text: " ".join(f"[{word}](http://x.example/a_b)" for word in text.split(" ")),
    "references": lambda text: "".join(f"&#{ord(c)};" if c in "aeiou" else c for c in text),
    "line breaks": lambda text: text.replace(" ", "\n"),
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
}


PLACES: dict[str, Callable[[str], str]] = {
    "running on": str,
    "a sentence": lambda item: f"so. {item}? But",
    "a line": lambda item: f"\n{item}\n",
}


def recall(
    n: int, limit: float, each: int = 20, seed: int = 0
) -> dict[int, dict[str, tuple[int, int]]]:
    """By length and place in the page: items that are found, of how many."""
    table = {}
    reader = Reader()
    for length in LENGTHS:
        rng = random.Random(f"{seed} {length}")
        texts = [sentence(rng, length) for _ in range(each)]
        items = Items([Item(str(i), text) for i, text in enumerate(texts)], reader, n, limit)

        def found(text: str, i: int, items: Items = items) -> bool:
            hit = items.find(reader.read(text))
            return hit is not None and hit.id == str(i)

        table[length] = {
            name: (sum(found(page(rng, put(text)), i) for i, text in enumerate(texts)), each)
            for name, put in PLACES.items()
        }
    return table


if __name__ == "__main__":
    for n, limit in ((13, 0.30), (8, 0.5)):
        print(f"found, {n}-grams, {limit}:   words  " + "  ".join(PLACES))
        for size, row in recall(n, limit, 200).items():
            print(f"{size:25}  " + "  ".join(f"{a:6} of {b}" for a, b in row.values()))
