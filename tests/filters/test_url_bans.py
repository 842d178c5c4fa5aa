"""A ban in params means what it says, however it is written; one that could never match is an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.data.filters import url
from regrow.data.filters.document import Document, Drop
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
        ({"url_soft_words": ["--"]}, "url_soft_words.*has no letter or digit"),
        ({"url_subwords": ["_"]}, "url_subwords.*has no letter or digit"),
    ],
)
def test_a_ban_that_could_never_match_is_an_error(bans, message) -> None:
    with pytest.raises(ValueError, match=message):
        reason("http://a.example/", **bans)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://a.example/escort/", None),
        ("http://a.example/escort-webcam", "url.soft_words"),
        ("http://escort.example/live-cam/", "url.soft_words"),
        ("http://a.example/escort/ESCORT", "url.soft_words"),  # each place counts
        ("http://a.example/escorts/webcams", None),
    ],
)
def test_soft_words_take_two(address: str, expected: str | None) -> None:
    assert reason(address, url_soft_words=["escort", "webcam", "live cam"]) == expected


def test_soft_words_say_which_and_how_many() -> None:
    params = Filter(url_words=[], url_soft_words=["webcam", "escort"], url_soft_hits=3)
    drop = url.judge(Document("", "http://a.example/escort/webcam/escort"), params)
    assert drop == Drop("url.soft_words", 3.0, 3.0, "webcam, escort")
    assert url.judge(Document("", "http://a.example/escort/webcam"), params) is None


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://a.example/free-p-o-r-n", "url.subword"),
        ("http://bestporntube.example/", "url.subword"),
        ("http://a.example/PornHub", "url.subword"),
        ("http://a.example/popcorn", None),
        ("http://a.example/%D0%9F%D0%BE%D1%80%D0%BD%D0%BE%D0%B3%D1%80", "url.subword"),
    ],
)
def test_subwords_are_found_inside_words(address: str, expected: str | None) -> None:
    assert reason(address, url_subwords=["porn", "порно", "free sex"]) == expected


def test_a_subword_says_which() -> None:
    params = Filter(url_words=[], url_subwords=["free-sex", "porn"])
    for address, ban in (
        ("http://a.example/porn/freesex", "free-sex"),
        ("http://xporn.de", "porn"),
    ):
        assert url.judge(Document("", address), params) == Drop("url.subword", detail=ban)


def test_of_several_bans_the_first_of_the_list_is_named() -> None:
    params = Filter(url_words=["later words", "sooner"])
    drop = url.judge(Document("", "http://a.example/sooner/later-words"), params)
    assert drop == Drop("url.word", detail="later words")


def test_long_lists_cost_no_more_per_address() -> None:
    """What is looked up is counted: with 50,000 bans of each kind it is what it is with one."""
    many = [f"w{i:05}" for i in range(50_000)]
    params = Filter(
        url_hosts=[f"{ban}.example" for ban in many],
        url_words=many,
        url_soft_words=many,
        url_subwords=many,
    )
    bans = url._bans(params)
    assert bans.lengths == ((1,), (1,), (6,))
    assert url._bans(params) is bans
    assert url.judge(Document("", "http://a.example/b"), params) is None
    assert reason("http://q.w49999.example/", url_hosts=params.url_hosts) == "url.host"
    assert reason("http://a.example/w00007", url_words=many) == "url.word"
    assert reason("http://a.example/w00007/w40000", url_soft_words=many) == "url.soft_words"
    assert reason("http://a.example/aaw00007bb", url_subwords=many) == "url.subword"


def test_bans_are_those_of_the_params_at_hand() -> None:
    for word in ("one", "two", "one"):
        assert reason("http://a.example/one", url_words=[word]) == (
            "url.word" if word == "one" else None
        )


@given(st.text(max_size=60))
def test_any_address_can_be_judged(address: str) -> None:
    assert reason(address, url_hosts=["spam.example"], url_words=["casino"]) in (
        None,
        "url.host",
        "url.word",
    )
