"""Planted copies: books as pages of HTML and as a PDF, whose text has running heads, contents and wrong hyphens."""

from __future__ import annotations

import hashlib
import random

PDF, HTML = "application/pdf", "text/html"


def words(key: str, count: int) -> list[str]:
    """Words of an alphabet of syllables; some of them are in every book."""
    rng = random.Random(key)
    common = [f"w{n}" for n in range(60)]
    return [
        rng.choice(common) if rng.random() < 0.4 else "".join(rng.choices("abdegiklmnorstu", k=5))
        for _ in range(count)
    ]


def pages(name: str, count: int, size: int = 400) -> list[list[str]]:
    """The chapters of a book."""
    return [words(f"{name} {n}", size + 37 * n % 200) for n in range(count)]


def printed(chapters: list[list[str]], noise: float, key: str) -> str:
    """The chapters as a PDF gives them: contents, a running head on each page, and words with a hyphen too many."""
    rng = random.Random(key)
    text = ["Contents"]
    for number, chapter in enumerate(chapters, 1):
        text += [str(number), *chapter[:4], "....", str(10 * number)]
    for number, chapter in enumerate(chapters, 1):
        for at, word in enumerate(chapter):
            if at % 350 == 349:
                text.append(f"\n\nChapter {number} {at}\n\n")
            text.append(f"{word[:2]}-{word[2:]}" if rng.random() < noise else word)
    return " ".join(text)


def row(url: str, text: str, mime: str) -> dict[str, str]:
    """A document as the filters leave it."""
    return {
        "id": hashlib.sha256(url.encode()).hexdigest()[:32], "url": url, "source": "books", "mime": mime, "text": text,
    }  # fmt: skip


def book(
    name: str, chapters: list[list[str]], *, noise: float = 0.005, left: float = 1.0
) -> list[dict[str, str]]:
    """A PDF of all chapters, and pages of the first of them: of the share `left`."""
    html = chapters[: round(left * len(chapters))]
    return [
        row(f"source://books/{name}.pdf", printed(chapters, noise, name), PDF),
        *(
            row(f"source://books/{name}/{n}.html", " ".join(chapter), HTML)
            for n, chapter in enumerate(html)
        ),
    ]
