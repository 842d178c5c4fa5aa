"""Which charset a page is in: as browsers read it, and UTF-8 or nothing where bytes are mostly UTF-8."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.data.web import charset, media
from regrow.data.web.labels import codec_of
from regrow.data.web.prescan import meta_labels

RUSSIAN = "Этот документ описывает настройку сервера. " * 4
JAPANESE = "日本語のテキスト。これは文書です。\n" * 3
FRENCH = "Le café est fermé à Noël… "


def read(body: bytes, content_type: str = "text/html", share: float = 0.01) -> str | None:
    found = charset.decode(body, content_type, share)
    return found.text if found else None


@pytest.mark.parametrize(
    "decoy",
    [
        "<!-- <meta charset=iso-8859-1> -->",
        "<!--[if IE]><meta charset=utf-8><![endif]-->",
        "<!--><!-- > <meta charset=koi8-r> --!>",
        "<div data-charset=koi8-r></div>",
        "<meta name=x data-charset='iso-8859-1'>",
        "<meta property=og:url content='http://x.example/?charset=iso-8859-1'>",
        "<title><meta charset=iso-8859-1></title>",
        "<style>/* <meta charset=iso-8859-1> */</style>",
        "<script>var a = '<meta charset=iso-8859-1>'</script>",
        "<noscript><meta charset=iso-8859-1></noscript>",
        "<p title='<meta charset=iso-8859-1>'>",
        '<script charset="iso-8859-1" src=a></script>',
        "<link charset=koi8-r href=x>",
        "<meta charset=nonsense><meta charset=punycode>",
    ],
)
def test_only_a_real_meta_declares(decoy: str) -> None:
    page = f"<html><head>{decoy}<META content='text/html; charset=windows-1251' http-equiv=\"Content-Type\"></head>{RUSSIAN}"
    assert read(page.encode("cp1251")) == page
    assert "windows-1251" in meta_labels(page.encode("cp1251"))


def test_a_meta_counts_wherever_it_comes() -> None:
    page = "<p>" + "x " * 9_000 + f"<meta charset=iso-8859-5>{RUSSIAN}"
    assert read(page.encode("iso8859-5")) == page


@pytest.mark.parametrize(
    "body",
    [
        (FRENCH * 6).encode() + FRENCH.replace("…", "").encode("latin-1"),
        (FRENCH * 9).encode() + b"\xff" * 4,
        ("Привет, мир. " * 9).encode() + "Конец".encode("cp1251"),
        FRENCH.encode() + b"\xe9 \xe8 short",
    ],
)
@pytest.mark.parametrize(
    "content_type", ["text/html; charset=utf-8", "text/html", "text/html; charset=iso-8859-1"]
)
def test_mostly_utf8_is_never_read_as_anything_else(body: bytes, content_type: str) -> None:
    for share in (0.0, 0.01, 0.2):
        found = charset.decode(body, content_type, share)
        assert found is None or found.charset == "utf-8"
        assert found is None or "Ã" not in found.text
    repaired = charset.decode(body, content_type, 0.2)
    assert repaired is not None
    assert repaired.invalid > 0


def test_one_bad_byte_never_costs_a_page_that_may_be_repaired() -> None:
    assert (
        read(b"caf\xc3\xa9 and one \xe9 bad byte", "text/html; charset=utf-8")
        == "café and one  bad byte"
    )
    assert charset.decode(b"caf\xc3\xa9 and one \xe9", "text/html; charset=utf-8", 0.0) is None


def test_surrogates_in_utf8_are_joined() -> None:
    smile = b"\xed\xa0\xbd\xed\xb8\x80"
    assert read("Très bien… ".encode() * 3 + smile * 3) == "Très bien… " * 3 + "😀😀😀"


@pytest.mark.parametrize(
    ("body", "label", "wanted"),
    [
        (JAPANESE.encode("iso2022_jp"), "", JAPANESE),
        (JAPANESE.encode("iso2022_jp") + b"\x1b$B\x2d\x21\x2d\x6a\x1b(B", "iso-2022-jp", JAPANESE + "①㈱"),
        (JAPANESE.encode("iso2022_jp") + b"\x1b$B\x2d\x21\x1b(B", "", JAPANESE + "①"),
        (JAPANESE.encode("iso2022_jp") + b"\x1b(I\x31\x32\x33\x1b(B", "", JAPANESE + "ｱｲｳ"),
        (JAPANESE.encode("euc_jp") + b"\xad\xa1\xad\xea\xad\xd1", "euc-jp", JAPANESE + "①㈱㎝"),
        (JAPANESE.encode("euc_jp") + b"\xad\xa1\x8e\xb1", "", JAPANESE + "①ｱ"),
        (b"\xa1\xc1\x8f\xb0\xa1", "euc-jp", "～丂"),
        (("这个网站上的文章是关于自由软件的。" * 3).encode("gbk") + b"\x80 100", "gbk", "这个网站上的文章是关于自由软件的。" * 3 + "€ 100"),
        ("“ไทย”…".encode("cp874"), "windows-874", "“ไทย”…"),
        ("“ไทย”".encode("cp874"), "tis-620", "“ไทย”"),
        ("Цей документ описує налаштування сервера, її мова — українська. ".encode("koi8-u", "ignore"), "",
         "Цей документ описує налаштування сервера, її мова  українська. "),
        (b"plain ASCII", "utf-16", "plain ASCII"),
        (b"plain ASCII", "unicode", "plain ASCII"),
        (b"plain ASCII.", "ucs-2", "plain ASCII."),
        ("Ünïcode".encode(), "utf-16le", "Ünïcode"),
        ("<p>Hello".encode("utf-16-le"), "utf-16le", "<p>Hello"),
        ("<p>Hello, wörld".encode("utf-16-le"), "", "<p>Hello, wörld"),
        ("<p>Hello, wörld".encode("utf-16-be"), "", "<p>Hello, wörld"),
        ("<p>Hello".encode("utf-16-be"), "utf-16", "<p>Hello"),
        ("这个网站".encode("utf-16-le"), "utf-16", "这个网站"),
    ],
)  # fmt: skip
def test_charsets_are_read_as_browsers_read_them(body: bytes, label: str, wanted: str) -> None:
    assert read(body, f"text/html; charset={label}" if label else "text/html") == wanted


@pytest.mark.parametrize(
    "label",
    ["punycode", "undefined", "idna", "base64", "utf-7", "rot13", "²", "x" * 999, "unicode_escape"],
)
def test_labels_that_are_no_charset_are_ignored(label: str) -> None:
    assert codec_of(label) is None
    assert read(RUSSIAN.encode("cp1251"), f"text/html; charset={label}") == RUSSIAN


@pytest.mark.parametrize(
    ("header", "mime", "label"),
    [
        ("text/html, text/html", "text/html", None),
        ("text/html;charset=gbk, text/html", "text/html", "gbk"),
        ("text/html;charset=gbk, text/plain", "text/plain", None),
        ("text/plain, */*; charset=x", "text/plain", "x"),
        ("html", "", None),
        ("", "", None),
        ('TEXT/HTML ; a="x,y" ; charset="UTF-8"', "text/html", "UTF-8"),
        ("text/html; x-charset=q", "text/html", None),
    ],
)
def test_content_types_are_extracted_as_the_standard_says(
    header: str, mime: str, label: str | None
) -> None:
    assert (media.essence(header), media.charset(header) or None) == (mime, label)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.one_of(st.binary(max_size=20), st.sampled_from([b"\x1b$B", b"\x1b(I", b"<meta charset=", b"<!--", b"\xed\xa0\x80", b"\0"])), max_size=12),
    st.sampled_from(["", "utf-8", "utf-16", "iso-2022-jp", "euc-jp", "gbk", "big5", "shift_jis", "euc-kr", "undefined", "hz", "cp037", "utf-32"]),
)  # fmt: skip
def test_any_bytes_under_any_label_are_clean_text_or_nothing(
    parts: list[bytes], label: str
) -> None:
    found = charset.decode(b"".join(parts), f"text/html; charset={label}", 0.05)
    if found is not None:
        assert "\udcff" not in found.text
        assert found.invalid <= max(1, 0.05 * sum(map(len, parts)))
