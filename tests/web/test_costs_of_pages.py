"""Pages that cost the square of their length are refused by counts; pages for people are not."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.data.web import cost


def some(form: str, number: int) -> str:
    return "".join(form.replace("#", str(n)) for n in range(number))


COSTLY: dict[str, Callable[[], str]] = {
    "formats in blocks": lambda: some("<p><font id=#>x", 2_000),
    "formats in items": lambda: some("<li><I ID=#>", 2_000),
    "formats closed out of order": lambda: some("<b #>", 900) + some("<i #>", 900) + "x</b>x" * 900,
    "formats under a hidden end": lambda: some("<p><font id=#><!--</font>-->x", 2_000),
    "formats in cells": lambda: "<table>" + some("<tr><td><em class=#>x", 2_000),
    "attributes of a tag": lambda: "<p " + some("a#=1 ", 30_000) + ">x",
    "attributes in quotes": lambda: "<p " + some('a#="<" ', 30_000) + ">x",
    "attributes of many bodies": lambda: some("<body a#=1>", 20_000),
    "options": lambda: "<select>" + "<option>x" * 30_000,
    "groups": lambda: "<select>" + "<optgroup><option>x" * 15_000,
    "nests": lambda: ("<div>" * 1_900 + "x" + "</div>" * 1_900 + "\n") * 100,
    "a flat list in a nest": lambda: "<section>" * 1_900 + "<p>x</p>" * 5_000,
    "end tags of nothing": lambda: "<span>" * 15_000 + "</foo>" * 15_000,
    "end tags of others": lambda: "<b>" * 15_000 + "</a>" * 15_000,
    "one deep nest": lambda: "<div>" * 2_500,
    "one deep nest of spans": lambda: "<span>" * 50_000,
    "links around blocks": lambda: "<a href=x><div>" * 2_500,
}
FINE: dict[str, Callable[[], str]] = {
    "an old page": lambda: some("<p><font size=2 color=blue>x<br>", 3_000),
    "a list of links": lambda: some("<li><a href=/#>page <b>#</b></a>", 20_000),
    "highlighted code": lambda: (
        "<pre>" + some("<span class=k>if</span> <span>#</span>\n", 30_000) + "</pre>"
    ),
    "a table": lambda: "<table>" + some("<tr><td>#<td><i>x</i><td><a name=#>y</a>", 10_000),
    "a form of countries": lambda: (
        "<select>" + some("<option value=#>#</option>", 2_000) + "</select>"
    ),
    "many small forms": lambda: ("<select>" + "<option>x" * 50 + "</select>") * 400,
    "threads of mail": lambda: ("<blockquote>" * 60 + "x" + "</blockquote>" * 60) * 300,
    "scripts full of tags": lambda: "<script>" + "w('<b><div><p>');" * 20_000 + "</script>x",
    "comments full of tags": lambda: "<!--" + "<b><div><select><option>" * 20_000 + "-->x",
    "comparisons": lambda: "a < b, c > d; " * 30_000,
    "a long line": lambda: "word " * 300_000,
    "a large attribute": lambda: '<img alt="' + "a b " * 100_000 + '">',
}


@pytest.mark.parametrize("name", COSTLY)
def test_a_costly_page_is_refused_before_it_costs(name: str) -> None:
    page = "<!DOCTYPE html><body>" + COSTLY[name]()
    start = time.process_time()
    with pytest.raises(cost.TooCostlyError) as caught:
        cost.check(page)
    assert time.process_time() - start < 3
    assert caught.value.reason in ("too_deep", "too_costly")
    assert caught.value.value > caught.value.limit


@pytest.mark.parametrize("name", FINE)
def test_a_page_for_people_is_not_refused(name: str) -> None:
    cost.check("<!DOCTYPE html><html><body>" + FINE[name]() + "</body></html>")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["<p>", "<b>", "</b>", "<div>", "</div>", "<!--", "-->", "<a href='", "'>", "<select>", "<option>",
                                 "<script>", "</script>", "x", '"', "=", "<", "</", ">"]), max_size=60), st.integers(1, 200))  # fmt: skip
def test_the_quick_bounds_never_hide_a_nest(parts: list[str], times: int) -> None:
    page = "".join(parts) * times
    cost.check(page)
    count = cost._Count()
    for raw, raw_rest, slash, name, rest in cost._TAG.findall(page):
        if name:
            count.tag(name.lower(), bool(slash), rest)
        elif raw:
            count.attributes(raw_rest)
