"""Why a text goes from training for what evaluations and tasks ask: the items of both, looked for together."""

from __future__ import annotations

from pathlib import Path

from regrow.data.dedup import evals, marking
from regrow.data.dedup.items import Items, Numbers, Reader, Said
from regrow.params.data import Decontaminate


class Unwanted:
    """The items of the evals and the tasks of dev and test, and why a text that holds one goes.

    Args:
        inputs: the folders `evals` and `tasks`.
        reader: of the items and of the texts.

    Raises:
        ValueError: an eval file is malformed.
    """

    def __init__(self, inputs: dict[str, Path], reader: Reader, params: Decontaminate) -> None:
        self._reader = reader
        self._items, self._tasks = (
            Items(found, self._reader, params.ngram, params.max_overlap)
            for found in (evals.load(inputs["evals"]), evals.tasks(inputs["tasks"]))
        )

    def __len__(self) -> int:
        return len(self._items) + len(self._tasks)

    def find(self, text: str, words: Numbers | None = None) -> tuple[str, float, float, str] | None:
        """(reason, value, threshold, detail) of a drop, or None.

        `words`: the numbers of the text's words, where they are at hand (`regrow.data.dedup.sequences.Sequences.words`). They
        save nearly all texts a closer look, and change no answer.
        """
        if words is not None and not self._may_hold(text, words):
            return None
        said: Said = self._reader.read(text)
        if hit := self._items.find(said):
            reason = "quotes_eval" if hit.quote else "overlaps_eval"
        elif hit := self._tasks.find(said):
            reason = "holds_task"
        else:
            return None
        return reason, hit.value, hit.threshold, hit.id

    def _may_hold(self, text: str, words: Numbers) -> bool:
        if marking.may_have_marks(text):
            return True
        return self._items.may_hold(words) or self._tasks.may_hold(words)
