"""A ban in params means what it says, however it is written; one that could never match is an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.data.filters import url
from regrow.data.filters.document import Document
from regrow.params.data import Filter


def reason(address: str, **bans: list[str]) -> str | None:
    params = Filter(**{"url_words": [], "url_hosts": []} | bans)
    drop = url.judge(Document("text", address), params)
    return drop.reason if drop else None


@pytest.mark.parametrize(
    "ban",
    [
        "spam.example",
        "www.spam.example",
        "Spam.Example",
        "http://spam.example",
        "spam.example/",
        ".spam.example",
        "*.spam.example",
        "spam.example.",
        "https://WWW.Spam.Example:8080/",
        "//spam.example",
        " spam.example ",
        "user@spam.example",
        "ｓｐａｍ.example",
        "spam。example",
    ],
)
@pytest.mark.parametrize(
    "address",
    [
        "http://spam.example/p",
        "https://www.SPAM.example:80/",
        "http://a.b.spam.example./x?y#z",
        "http://user:pw@spam.example",
        "http://sp%61m.example/",
        "spam.example/p",
    ],
)
def test_a_host_is_banned_however_it_is_written(ban: str, address: str) -> None:
    assert reason(address, url_hosts=[ban]) == "url.host"


@pytest.mark.parametrize("ban", ["bücher.example", "BÜCHER.example", "xn--bcher-kva.example"])
@pytest.mark.parametrize(
    "host", ["bücher.example", "www.xn--bcher-kva.example", "b%C3%BCcher.example"]
)
def test_an_international_host_is_one_host(ban: str, host: str) -> None:
    assert reason(f"http://{host}/p", url_hosts=[ban]) == "url.host"


@pytest.mark.parametrize(
    "address", ["http://notspam.example/", "http://spam.example.org/", "", "http://[::1/"]
)
def test_other_hosts_stay(address: str) -> None:
    assert reason(address, url_hosts=["spam.example"]) is None


@pytest.mark.parametrize(
    ("ban", "address"),
    [
        ("порно", "http://a.example/порно/1"),
        ("порно", "http://a.example/%D0%9F%D0%BE%D1%80%D0%BD%D0%BE.html"),
        ("Порно", "http://xn--h1akmim.example/"),
        ("casino-bonus", "http://a.example/big-casino-bonus-here"),
        ("casino bonus", "http://a.example/casino_bonus"),
        ("CASINO", "http://casino.example/"),
        ("赌博", "http://a.example/在线赌博/"),
        ("ｃａｓｉｎｏ", "http://a.example/casino"),
        ("café", "http://a.example/cafe%CC%81"),
    ],
)
def test_a_word_is_banned_in_any_script(ban: str, address: str) -> None:
    if "xn--" in address:
        address = "http://xn--" + "порно".encode("punycode").decode() + ".example/"
    assert reason(address, url_words=[ban]) == "url.word"


@pytest.mark.parametrize(
    ("ban", "address"),
    [
        ("casino-bonus", "http://a.example/casino/big-bonus"),
        ("casino", "http://a.example/casinos"),
        ("порно", "http://a.example/порнография"),
        ("http", "http://a.example/"),
    ],
)
def test_other_words_stay(ban: str, address: str) -> None:
    assert reason(address, url_words=[ban]) is None


@pytest.mark.parametrize(
    ("bans", "message"),
    [
        ({"url_hosts": ["spam.example/forum"]}, "names a part of a host.*'spam.example'"),
        ({"url_hosts": ["spam.example?x=1"]}, "names a part of a host"),
        ({"url_hosts": [""]}, "is no host"),
        ({"url_hosts": ["http://"]}, "is no host"),
        ({"url_hosts": ["*"]}, "is no host"),
        ({"url_hosts": ["two words"]}, "is no host"),
        ({"url_words": ["--"]}, "has no letter or digit"),
        ({"url_words": [""]}, "has no letter or digit"),
    ],
)
def test_a_ban_that_could_never_match_is_an_error(bans, message) -> None:
    with pytest.raises(ValueError, match=message):
        reason("http://a.example/", **bans)


@given(st.text(max_size=60))
def test_any_address_can_be_judged(address: str) -> None:
    assert reason(address, url_hosts=["spam.example"], url_words=["casino"]) in (
        None,
        "url.host",
        "url.word",
    )
