"""A record of a time at which keys were made of other parts is read, and told of as such."""

from __future__ import annotations

import json

import pytest

from regrow.flow.changes import changes
from small_repository import ROOT

NEW = json.loads((ROOT / "records/pack.json").read_text())["parts"]


@pytest.mark.parametrize(
    ("old", "told"),
    [
        ({k: v for k, v in NEW.items() if k != "packages"}, "`packages` is a part of keys now"),
        ({**NEW, "compiler": "13.2"}, "`compiler` is a part of keys no more"),
    ],
)
def test_another_definition_of_the_key_is_named(old: dict[str, object], told: str):
    found = [change for change in changes(old, NEW) if change.part == "definition"]
    assert len(found) == 1 and found[0].text.startswith(told)


def test_one_definition_is_not_told_of():
    assert changes(NEW, NEW) == []
    assert [c.part for c in changes({**NEW, "options": {"a": 1}}, NEW)] == ["options"]
