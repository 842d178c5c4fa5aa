"""A filter that is written is run, and it is on the page: nobody has to remember either."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

from regrow.data import filters
from regrow.data.filters import step

ROOT = Path(__file__).parents[2]
HELPERS = {"document", "step", "words"}
MODULES = [m.name for m in pkgutil.iter_modules(filters.__path__) if m.name not in HELPERS]


def test_every_filter_is_in_the_list_of_the_step():
    run = {filter_.__module__.rpartition(".")[2] for filter_ in step.FILTERS}
    assert run == set(MODULES)


def test_a_filter_judges_or_cleans():
    for name in MODULES:
        module = importlib.import_module(f"regrow.data.filters.{name}")
        assert hasattr(module, "judge") or hasattr(module, "clean"), name


def test_the_page_has_a_row_per_filter_in_the_order_of_the_step():
    (page,) = (ROOT / "docs").rglob("data.md")
    rows = re.findall(r"^\| \d+ \| `(\w+)` \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    order = [filter_.__module__.rpartition(".")[2] for filter_ in step.FILTERS]
    assert rows == list(dict.fromkeys(order))
