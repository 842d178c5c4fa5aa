"""docs/concepts/architecture.md lists every package of src/regrow and every step of the table.

`python tests/test_architecture.py` writes both tables into the page.
"""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from regrow.engine.step import Input, Step
from regrow.recipe import table

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/concepts/architecture.md"
BEGIN = "<!-- {name}: written by tests/test_architecture.py -->\n"
END = "<!-- end of {name} -->\n"
STEPS = [step for step in table.default() if step.group == "main"]


def layers() -> list[list[str]]:
    """Packages from the top layer to the lowest, those of one layer together: import-linter's lists.

    A package with a list of its own is followed by those inside it.
    """
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    tops, *nested = (
        [[name.strip() for name in layer.split("|")] for layer in c["layers"]]
        for c in tool["importlinter"]["contracts"]
        if c["type"] == "layers"
    )
    found = []
    for layer in tops:
        found.append(layer)
        found += [n for inner in nested for n in inner if inner[0][0].startswith(f"{layer[0]}.")]
    return found


def purpose(package: str) -> str:
    """The first sentence of the docstring of a package, or of a module that stands alone."""
    place = ROOT / "src" / package.replace(".", "/")
    path = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    text = " ".join((ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split())
    return re.split(r"(?<=\.)\s", text)[0]


def packages() -> str:
    """The map: a row per package, in the order of the layers."""
    rows = [f"| `{p}` | {purpose(p)} |\n" for layer in layers() for p in layer]
    return "| package | what it is for |\n| --- | --- |\n" + "".join(rows)


def reads(step: Step) -> str:
    """What a step reads, each once: steps, places in git, and (in italics) what its instance names."""
    return ", ".join(dict.fromkeys(_read(step, i) for i in step.inputs)) or "nothing"


def _read(step: Step, given: Input) -> str:
    if given.kind == "record":
        return "records of what came before"
    if given.kind == "source":
        return f"`{given.path}`"
    if given.instance == "previous" and given.step == step.name:
        return "its checkpoint before"
    if not given.step:
        return f"*{given.name}*"
    return given.step + (f" (or {given.substitute})" if given.substitute else "")


def steps() -> str:
    """The table of steps, in the order of the flow."""
    rows = [f"| {s.name} | {reads(s)} | {', '.join(s.params)} | {s.numerics} |\n" for s in STEPS]
    return "| step | reads | params | arithmetic |\n| --- | --- | --- | --- |\n" + "".join(rows)


TABLES = {"packages": packages, "steps": steps}


def parts(text: str, name: str) -> tuple[str, str, str]:
    """The page before, inside and after a table."""
    before, _, rest = text.partition(BEGIN.format(name=name))
    inside, _, after = rest.partition(END.format(name=name))
    return before + BEGIN.format(name=name), inside, END.format(name=name) + after


@pytest.mark.parametrize("name", TABLES)
def test_the_page_has_the_table_that_the_code_gives(name: str):
    _, inside, _ = parts(PAGE.read_text(encoding="utf-8"), name)
    assert inside == TABLES[name](), "run: python tests/test_architecture.py"


def test_every_package_has_a_layer_and_a_purpose():
    code = ROOT / "src/regrow"
    found = {f"regrow.{p.parent.name}" for p in code.glob("*/__init__.py")}
    found |= {f"regrow.{p.stem}" for p in code.glob("*.py") if p.stem != "__init__"}
    for house in ("data", "learn"):
        found |= {f"regrow.{house}.{p.parent.name}" for p in code.glob(f"{house}/*/__init__.py")}
    assert {p for layer in layers() for p in layer} == found
    assert [p for p in found if not purpose(p).endswith(".")] == []


def test_the_page_says_what_every_step_fills():
    """By hand, one row for steps that fill the same: the names in front are those of the flow."""
    text = PAGE.read_text(encoding="utf-8")
    rows = text[text.index("| step | fills") :].partition("\n\n")[0].splitlines()[2:]
    first = [row.split("|")[1] for row in rows if not row.startswith("| a checkpoint ")]
    named = [re.match(r"[a-z_]+", name.strip()) for cell in first for name in cell.split(",")]
    assert sorted(m.group() for m in named if m) == sorted(s.name for s in STEPS)


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    for title, made in TABLES.items():
        start, _, end = parts(page, title)
        page = start + made() + end
    PAGE.write_text(page, encoding="utf-8")
