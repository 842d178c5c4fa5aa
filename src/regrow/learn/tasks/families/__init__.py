"""The families of procedural tasks, one module each."""

from __future__ import annotations

from regrow.learn.tasks.families import add, count, larger, repeat, reverse, sort, words
from regrow.learn.tasks.families.family import Family

FAMILIES: dict[str, Family] = {
    f.name: f
    for f in (
        add.FAMILY,
        count.FAMILY,
        larger.FAMILY,
        repeat.FAMILY,
        reverse.FAMILY,
        sort.FAMILY,
        words.FAMILY,
    )
}
"""by name"""
