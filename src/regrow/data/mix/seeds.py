"""Labels from URLs: which pages are known examples of a topic, or of quality."""

from __future__ import annotations

from dataclasses import dataclass

from regrow.numerics.random import Stream


class Prefixes:
    """URL prefixes (host/path, no scheme), each standing for a label; the longest match wins."""

    def __init__(self, labels: dict[str, list[str]], section: str) -> None:
        """Check the prefixes; `section` is the params section named in errors.

        Raises:
            ValueError: an empty prefix, one with a scheme, or one that stands for two labels.
        """
        self._labels: dict[str, str] = {}
        for label, prefixes in labels.items():
            for prefix in prefixes:
                if not prefix or "://" in prefix:
                    raise ValueError(
                        f"{section}.{label}: {prefix!r} is no URL prefix; "
                        "write host/path without a scheme, e.g. `docs.example.org/tutorial/`."
                    )
                other = self._labels.setdefault(prefix, label)
                if other != label:
                    raise ValueError(
                        f"{section}: the prefix {prefix!r} stands for both {other} and {label}; "
                        "leave it to one of them."
                    )
        self._lengths = sorted({len(prefix) for prefix in self._labels}, reverse=True)

    def label(self, url: str) -> str | None:
        """The label of a page, None if no prefix matches."""
        address = url.partition("://")[2] or url
        for length in self._lengths:
            label = self._labels.get(address[:length])
            if label is not None:
                return label
        return None


@dataclass(frozen=True)
class Split:
    """Positions of labelled documents: those to learn from, and those to measure on."""

    train: list[int]
    test: list[int]


def split(ids: list[str], labels: list[str | None], share: float, seed: int) -> Split:
    """Hold back `share` of each label's documents, chosen by a keyed draw per document.

    A label with at least two documents keeps at least one on either side; the draw of a
    document depends on its id and the seed alone.
    """
    train: list[int] = []
    test: list[int] = []
    for label in sorted({label for label in labels if label is not None}):
        members = [i for i, other in enumerate(labels) if other == label]
        members.sort(key=lambda i: (int(Stream("classify test", seed, ids[i]).bits64(1)[0]), i))
        held = int(share * len(members) + 0.5)
        held = min(max(held, 1), len(members) - 1)
        test.extend(members[:held])
        train.extend(members[held:])
    return Split(sorted(train), sorted(test))
