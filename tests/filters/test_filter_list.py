"""A filter that is written is run, and it is on the page: nobody has to remember either.

`python tests/filters/test_filter_list.py` writes the table of docs/concepts/data.md.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
import drop_reasons
from regrow.data import filters
from regrow.data.filters import step
from regrow.params.data import Filter

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/concepts/data.md"
BEGIN = "<!-- filters: written by tests/filters/test_filter_list.py -->\n"
END = "<!-- end of filters -->\n"
HELPERS = {"document", "sentences", "step", "words"}
MODULES = [
    m.name for m in pkgutil.iter_modules(filters.__path__) if not m.ispkg and m.name not in HELPERS
]
ALL = (*step.FILTERS, *step.FOR_CODE)


def test_every_filter_is_in_the_list_of_the_step():
    run = {filter_.__module__.rpartition(".")[2] for filter_ in ALL}
    assert run == set(MODULES)


def test_a_filter_judges_or_cleans():
    for name in MODULES:
        module = importlib.import_module(f"regrow.data.filters.{name}")
        assert hasattr(module, "judge") or hasattr(module, "clean"), name


def rows() -> str:
    """The table of filters, in the order of the step: purpose and source from their docstrings, reasons from their code.

    A filter is off by default if its switch in the params, which has its name, is.
    """
    made = drop_reasons.in_source()
    order = [filter_.__module__.rpartition(".")[2] for filter_ in ALL]
    lines = [
        "| # | module | what it is about | by default | reasons of drops | source |\n| --- | --- | --- | --- | --- | --- |\n"
    ]
    for number, name in enumerate(dict.fromkeys(order), 1):
        module = importlib.import_module(f"regrow.data.filters.{name}")
        text = " ".join((module.__doc__ or "").split()).replace("OLMo 3", "Olmo 3")
        off = getattr(Filter(), name, True) in (False, "keep")
        reasons = sorted(r for r, places in made.items() if f"data/filters/{name}.py" in places)
        said = (
            ", ".join(f"`{reason.replace(drop_reasons.HOLE, 'N')}`" for reason in reasons)
            or "none: it changes the text"
        )
        (source,) = re.findall(r"Source: (.*?\(arXiv.*?\)|.*?) *(?=[(.:;,]|with|$)", text)[:1]
        lines.append(
            f"| {number} | `{name}` | {text.partition('. ')[0]} | {'off' if off else 'on'} | {said} | {source} |\n"
        )
    return "".join(lines)


def parts(text: str) -> tuple[str, str, str]:
    """The page before, inside and after the table."""
    before, _, rest = text.partition(BEGIN)
    inside, _, after = rest.partition(END)
    return before + BEGIN, inside, END + after


def test_the_page_has_the_table_that_the_code_gives():
    assert parts(PAGE.read_text(encoding="utf-8"))[1] == rows(), (
        f"run: python {Path(__file__).relative_to(ROOT)}"
    )


if __name__ == "__main__":
    start, _, end = parts(PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(start + rows() + end, encoding="utf-8")
