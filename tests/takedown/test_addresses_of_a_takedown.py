"""A takedown looks for archives by the hosts of its addresses, whatever the addresses are."""

from __future__ import annotations

import pytest

from regrow.change.takedown import stored


@pytest.mark.parametrize(
    "url", ["http://[broken/", "https://[::1", "http://a℀.example/", "urn:x", ""]
)
def test_an_address_that_is_none_has_no_host(url: str) -> None:
    assert stored._host(url) == ""


def test_the_host_of_an_address_is_that_of_its_archive() -> None:
    assert stored._host("http://A.example:80/x") == "a.example"
