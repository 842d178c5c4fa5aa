"""Which field is which: given names, usual names, names inside objects, and values of the wrong type."""

from __future__ import annotations

from typing import Any

import pytest

from regrow.data.sources.fields import Fields
from regrow.data.sources.item import Item, Refused
from source_files import source


def item(row: dict[str, Any], **entry: Any) -> Item | Refused:
    return Fields(source("jsonl", **entry)).item(row, b"row", "a.jsonl, line 1")


def test_a_given_name_is_the_only_one_that_counts():
    row = {"text": "no", "page": {"body": "yes"}, "url": "u"}
    made = item(row, fields={"text": "page.body", "url": ""})
    assert isinstance(made, Item)
    assert (made.text, made.url) == ("yes", "")
    refused = item({"text": "no"}, fields={"text": "page.body"})
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.detail) == ("missing_text", "no field 'page.body'")


def test_a_field_whose_name_has_a_dot_comes_before_one_inside_an_object():
    made = item({"text": "t", "meta.url": "flat", "meta": {"url": "nested"}}, fields={"url": "meta.url"})  # fmt: skip
    assert isinstance(made, Item) and made.url == "flat"


def test_the_first_usual_name_with_a_value_counts():
    made = item({"text": None, "content": "c", "uri": "u", "license": "MIT", "created": "2020"})
    assert isinstance(made, Item)
    assert (made.text, made.url, made.licence, made.date) == ("c", "u", "MIT", "2020")


def test_licences_in_a_list_all_hold():
    made = item({"text": "t", "max_stars_repo_licenses": ["MIT", "Apache-2.0", "MIT"]})
    assert isinstance(made, Item) and made.licence == "MIT AND Apache-2.0"


@pytest.mark.parametrize(("ours", "value", "said"), [
    ("date", {"year": 2020}, "date: 'x' is an object"), ("url", [1], "url: 'x' is an array"),
    ("licence", [{"a": 1}], "licence: 'x' is an array"), ("title", b"\xff", "title: 'x' is bytes"),
])  # fmt: skip
def test_a_named_field_of_the_wrong_type_is_a_drop_and_a_guessed_one_is_none(ours: str, value: object, said: str):  # fmt: skip
    refused = item({"text": "t", "x": value}, fields={ours: "x"})
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.detail) == ("wrong_type", said)
    guessed = item({"text": "t", ours: value})
    assert isinstance(guessed, Item) and getattr(guessed, ours) == ""


def test_metadata_is_carried_along_as_text_in_the_order_of_the_recipe():
    row = {
        "text": "t",
        "b": {"z": [1.0, None], "a": True},
        "a": False,
        "n": None,
        "meta": {"k": "v"},
    }
    made = item(row, metadata=["b", "a", "n", "missing", "meta.k"])
    assert isinstance(made, Item)
    assert list(made.metadata.items()) == [("b", '{"a": true, "z": [1.0, null]}'), ("a", "false"), ("meta.k", "v")]  # fmt: skip


def test_a_refused_row_keeps_its_name_and_address():
    refused = item({"id": "i", "url": "u"})
    assert isinstance(refused, Refused)
    assert (refused.name, refused.url, refused.place, refused.payload) == ("i", "u", "a.jsonl, line 1", b"row")  # fmt: skip
