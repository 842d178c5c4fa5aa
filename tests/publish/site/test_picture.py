"""The picture of the flow in README is the one that the table and the records give.

`regrow site --flow docs/images/flow.svg` draws it again.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import combinations

from default_flow import STEPS
from regrow.publish.site.picture import HEIGHT, WIDTH, of_records, picture
from small_repository import ROOT

SVG = "{http://www.w3.org/2000/svg}"


def boxes(drawn: str) -> list[tuple[float, float]]:
    """The corners of the nodes."""
    nodes = [
        n for n in ET.fromstring(drawn).iter(f"{SVG}rect") if n.get("class", "").startswith("node")
    ]
    return [(float(n.get("x", "")), float(n.get("y", ""))) for n in nodes]


def test_the_committed_picture_is_the_one_that_is_drawn():
    kept = (ROOT / "docs/images/flow.svg").read_text(encoding="utf-8")
    assert kept == of_records(ROOT), "run: regrow site --flow docs/images/flow.svg"


def test_it_shows_every_step_that_has_a_record():
    drawn = "".join(ET.fromstring(of_records(ROOT)).itertext())
    made = {p.name.split(".")[0] for p in (ROOT / "records").glob("*.json")}
    steps = {s.name for s in STEPS if s.group == "main" and s.name in made}
    assert len(steps) > 20
    assert {n for n in steps if n not in drawn and n.split("_", 1)[0] not in drawn} == set()
    assert len(boxes(of_records(ROOT))) == len(steps)


def test_nodes_lie_apart_and_inside_whatever_steps_are_there():
    chosen = {s.name: {"step": 7} for s in STEPS if s.group == "main"}
    for names in (chosen, dict(list(chosen.items())[::2]), dict(list(chosen.items())[:1])):
        drawn = picture(STEPS, names)
        root = ET.fromstring(drawn)
        wide, tall = float(root.get("width", "")), float(root.get("height", ""))
        found = boxes(drawn)
        assert len(found) == len(names)
        for x, y in found:
            assert 0 <= x <= wide - WIDTH and 0 <= y <= tall - HEIGHT
        for (x, y), (other_x, other_y) in combinations(found, 2):
            assert abs(x - other_x) >= WIDTH or abs(y - other_y) >= HEIGHT
