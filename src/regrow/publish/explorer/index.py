"""The documents as the page holds them: rows that point into tables of names, and an index of words."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import Any

from regrow.ask.trace.stop import decisive
from regrow.engine.visible import shown, visible
from regrow.publish.explorer import codec, words
from regrow.publish.explorer.documents import Document
from regrow.publish.explorer.facts import Pool
from regrow.publish.explorer.tasks import Task

MOST = 4000
"""documents in a page; of more, those that training saw most"""
ROOM = 1_400_000
"""bytes for the index of words"""
MOST_TASKS = 3000
"""tasks in a page; of more, those that were prompts most often, were asked, or had most made of them"""
ROOM_OF_TASKS = 1_800_000
"""bytes for tasks"""
DIGITS = 12
"""of the ids of examples and pairs"""
SHORT = 160
"""characters of a question or an answer"""
ENDS = ("trained", "kept", "held out", "dropped", "lost")


def index(found: list[Document], most: int = MOST, room: int = ROOM) -> dict[str, Any]:
    """Rows, names and words of the first `most` documents, and the counts of all by fate."""
    kept = found[:most]
    names = Names()
    texts = [document for document in kept if document.text]
    numbers = {id(document): number for number, document in enumerate(kept)}
    vocabulary = words.index([f"{d.title} {d.text}" for d in texts], room)
    return {
        "rows": [_row(document, names) for document in kept],
        "sources": names.sources.values,
        "licences": names.licences.values,
        "steps": names.steps.values,
        "ends": list(ENDS),
        "labels": names.labels.values,
        "words": {**asdict(vocabulary), "texts": codec.rising([numbers[id(d)] for d in texts])},
        "counts": _counts(found),
        "left_out": len(found) - len(kept),
    }


def listed(found: list[Task], most: int = MOST_TASKS, room: int = ROOM_OF_TASKS) -> dict[str, Any]:
    """Rows of the first `most` tasks that have room, names that they point to, and how many there are of what."""
    names = Pool()
    rows: list[list[Any]] = []
    for task in found[:most]:
        row = _task(task, names)
        room -= len(json.dumps(row, ensure_ascii=False).encode())
        if room < 0:
            break
        rows.append(row)
    return {
        "rows": rows,
        "names": names.values,
        "counts": {
            "tasks": len(found),
            "examples and pairs": sum(len(task.used) for task in found),
            "answers": sum(entry.answers for task in found for entry in task.rewarded),
        },
        "left_out": len(found) - len(rows),
    }


def _task(task: Task, names: Pool) -> list[Any]:
    """id, family, split, question, answer, passed, used, held-out pairs, rewarded, seen, scores."""
    place = names.place
    return [
        task.id,
        place(visible(task.family)),
        place(task.split),
        visible(task.question, SHORT),
        visible(task.answer, SHORT),
        [[place(job), passes, samples, kept] for job, passes, samples, kept in task.passed],
        [
            [
                one.id[:DIGITS],
                place(one.checkpoint),
                place(visible(one.about)),
                codec.rising(one.steps),
            ]
            for one in task.used
        ],
        [id[:DIGITS] for id in task.heldout_pairs],
        [
            [
                place(run.checkpoint),
                codec.rising(run.steps),
                codec.numbers(round(100 * max(0.0, reward)) for reward in run.rewards),
                run.answers,
                run.tokens,
                [
                    [
                        step,
                        round(reward, 3),
                        place(visible(reason)),
                        visible(_one_line(text), SHORT),
                    ]
                    for step, reward, reason, text in run.shown
                ],
            ]
            for run in task.rewarded
        ],
        [[place(entry.checkpoint), entry.tokens, codec.rising(entry.steps)] for entry in task.seen],
        [[place(name), place(probe), round(value, 3)] for name, probe, value in task.scores],
    ]


def _one_line(text: str) -> str:
    return text.strip().replace("\n\n", "\n").replace("\n", " ↵ ")


class Names:
    """What rows point to."""

    def __init__(self) -> None:
        self.sources, self.licences, self.steps, self.labels = Pool(), Pool(), Pool(), Pool()


def _row(document: Document, names: Names) -> list[Any]:
    """id, url, title, source, licence, end, fate, stops, seen."""
    return [
        document.id,
        visible(document.url),
        visible(document.title),
        names.sources.place(visible(document.source)),
        names.licences.place(visible(document.licence)),
        ENDS.index(document.end),
        visible(document.fate),
        [
            [
                names.steps.place(stop.step),
                stop.outcome,
                [
                    part
                    for label, value in shown(stop.facts).items()
                    for part in (names.labels.place(label), value)
                ],
            ]
            for stop in document.stops
        ],
        [
            [entry.checkpoint, entry.tokens, len(entry.steps), codec.rising(entry.steps)]
            for entry in document.seen
        ],
    ]


def _counts(found: list[Document]) -> dict[str, Any]:
    """How many documents ended how, and of the dropped ones where and why."""
    ends = Counter(document.end for document in found)
    reasons = Counter(
        (decisive(document.stops).step, visible(document.fate.partition(": ")[2]))
        for document in found
        if document.end == "dropped"
    )
    return {
        "ends": {end: ends[end] for end in ENDS if ends[end]},
        "dropped": [
            [step, reason, count]
            for (step, reason), count in sorted(reasons.items(), key=lambda i: (-i[1], i[0]))
        ],
    }
