"""What a body is taken for, and what its text is: HTML, XHTML, plain text, PDF lines, invisible characters."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.data.text import pdf
from regrow.data.text.document import Document, Dropped, convert, tidy
from regrow.data.text.lines import joined
from regrow.data.text.payload import kind_of
from regrow.data.text.record import Record
from regrow.data.text.xhtml import as_html
from regrow.data.web.cost import TooCostlyError
from regrow.params.sources import Text
from small_pdf import lines, page, stream
from small_pdf import pdf as pdf_file
from warc_files import WORDS, html, pages, response

PAGE = html()


def made(body: bytes, content_type: str) -> Document | Dropped:
    record = Record(
        "http://a.example/", "response", "", 200, {"content-type": content_type}, body, "", 0, False
    )
    return convert(record, Text())


def text_of(body: bytes, content_type: str = "text/html") -> str:
    found = made(body, content_type)
    assert isinstance(found, Document), found
    return found.text


@pytest.mark.parametrize(
    ("content_type", "body", "kind"),
    [
        ("text/html, text/html", PAGE, "html"),
        ("text/plain, text/html; charset=utf-8", PAGE, "html"),
        ("unknown/unknown", PAGE, "html"),
        ("application/unknown", PAGE, "html"),
        ("*/*", PAGE, "html"),
        ("html", PAGE, "html"),
        ("", b"\n\t <!--" + b"c" * 70_000 + b"-->" + PAGE, "html"),
        ("", b"\xef\xbb\xbf<P>paragraph", "html"),
        ("", b"A text that names <p> and <html> is text.", "plain"),
        ("", "<p>wide".encode("utf-16"), "html"),
        ("", b"<?xml version='1.0'?><!DOCTYPE html [<!-- x -->]><html xmlns='x'>", "xhtml"),
        ("application/xml", b"<?xml version='1.0'?>\n<!-- c --><html xmlns='x'>", "xhtml"),
        ("text/xml", b"<h:html xmlns:h='x'>", "xhtml"),
        ("application/xml", b"<rss><html/></rss>", "other"),
        ("image/svg+xml", b"<svg/>", "other"),
        ("text/html", PAGE.replace(b"fox", b"f\0ox", 1), "html"),
        ("text/html", b"\x0b\x08" + PAGE, "html"),
        ("text/plain", b"one \x08 stray", "plain"),
        ("text/html; charset=utf-16le", "<p>wide".encode("utf-16-le"), "html"),
        ("text/html", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "other"),
        ("text/plain", bytes(range(256)) * 9, "other"),
        ("", b"one \0 NUL", "other"),
        ("text/markdown", b"# T", "plain"),
        ("text/x-rst; charset=utf-8", b"T\n=", "plain"),
        ("text/x-python", b"import x", "plain"),
        ("text/csv", b"a,b", "other"),
        ("text/css", b"a {}", "other"),
        ("text/javascript", b"x", "other"),
        ("text/dns", b"x", "other"),
        ("application/json", b"{}", "other"),
        ("text/html", b"%PDF-1.7", "pdf"),
    ],
)
def test_kind_of_content(content_type: str, body: bytes, kind: str) -> None:
    assert kind_of(body, content_type) == kind


@pytest.mark.parametrize("control", ["\0", "\x0b", "\x08", "\x1f", "\x7f"])
def test_a_stray_control_character_leaves_the_page_without_it(control: str) -> None:
    assert text_of(
        html("First " + WORDS).replace(b"First", f"Fi{control}rst".encode(), 1)
    ).startswith("First The quick")


@pytest.mark.parametrize(
    "broken",
    [
        "<title/>",
        "<script src='x'/>",
        "<style/>",
        "<textarea/>",
        "<iframe/>",
        "<div class='footer'/>",
        "<nav/>",
        "<title />",
    ],
)
@pytest.mark.parametrize(
    "ending",
    ["</p></body></html>", "</body>", "<br></p></body></html>", "&nbsp;&eacute;</p></body></html>"],
)
def test_xhtml_follows_the_rules_of_xml(broken: str, ending: str) -> None:
    head, body = (broken, "") if "div" not in broken and "nav" not in broken else ("", broken)
    page_ = f"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><head>{head}</head><body>{body}<p>{WORDS}{ending}"
    assert text_of(page_.encode(), "application/xhtml+xml").startswith("The quick brown fox")


def test_xhtml_keeps_cdata_and_defines_no_entities() -> None:
    page_ = f"<html xmlns='http://www.w3.org/1999/xhtml'><body><p>{WORDS}<![CDATA[if (a < b && c) return]]></p></body></html>"
    assert "if (a < b && c) return" in text_of(page_.encode(), "application/xhtml+xml")
    assert "if (a < b && c) return" in text_of(
        page_.replace("</p>", "").encode(), "application/xhtml+xml"
    )
    bomb = "<!DOCTYPE html [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]><html><p>&b;</p></html>"
    assert "aaaaaaaaaa" not in as_html(bomb).partition("]>")[2]


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        (["the Anglo-", "American pact"], "the Anglo-American pact"),
        (["COVID-", "19 and UTF-", "8"], "COVID-19 and UTF-8"),
        (["from 1939-", "1945 on"], "from 1939-1945 on"),
        (["try --dry-", "run first"], "try --dry-run first"),
        (["see http://a.example/foo-", "bar here"], "see http://a.example/foo-bar here"),
        (["an e-", "mail of state-of-the-", "art"], "an e-mail of state-of-the-art"),
        (["some infor-", "mation that is con-", "tinued"], "some information that is continued"),
        (["a pseudo-", "package; a pseudo-package, pseudo-package"], "a pseudo-package; a pseudo-package, pseudo-package"),
        (["a dash -", "and more"], "a dash - and more"),
        (["the end.", "The start"], "the end.\nThe start"),
    ],
)  # fmt: skip
def test_hyphens_at_line_ends_of_a_pdf(shown: list[str], wanted: str) -> None:
    assert tidy(pdf.extract(lines(*shown, "Filler words so that there is text."), 9)[1]).startswith(
        wanted
    )


def test_line_ends_in_scripts_without_spaces() -> None:
    assert joined(["这里\n找到。\n你好"]) == ["这里找到。\n你好"]
    assert joined(["これは\nテキスト", "ภาษา\nไทย"]) == ["これはテキスト", "ภาษาไทย"]
    assert joined(["한국어\n문장", "两个\nwords"]) == ["한국어 문장", "两个 words"]
    assert joined(["Non\x02Maintainer\nINTRO\x02\nDUCTION of an introduction"]) == [
        "Non-Maintainer INTRODUCTION of an introduction"
    ]


def test_invisible_characters_go_and_those_that_join_stay() -> None:
    assert tidy("infor\u00admation a\u200bb c\u2060d \ufeffe") == "information ab cd e"
    assert tidy("می\u200cخواهم 👩\u200d💻") == "می\u200cخواهم 👩\u200d💻"
    assert text_of(html(f"infor&shy;mation {WORDS}")).startswith("information The")


FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]"


def forms(levels: int, times: int, shown: bytes = b"BT /F 12 Tf (hello) Tj ET ") -> bytes:
    """A page with forms that draw the next one several times each."""
    made_ = [
        stream(
            (b"/X Do " * times) if n + 1 < levels else shown,
            FORM + b"/Resources<</XObject<</X %d 0 R>>>>" % (7 + n),
        )
        for n in range(levels)
    ]
    return page(b"/X Do", *made_, resources=b"/XObject<</X 6 0 R>>")


SHOWN = b"BT /F 12 Tf 10 10 Td (x) Tj ET\n"
KIDS = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>"
BOMBS = {
    "forms": forms(12, 4),
    "wide forms": forms(3, 2_000),
    "a form in itself": page(
        b"/X Do", stream(b"/X Do /X Do (x) Tj", FORM + b"/Resources<</XObject<</X 6 0 R>>>>"), resources=b"/XObject<</X 6 0 R>>"),
    "operators": page(SHOWN * 1_000_000, packed=True),
    "zeros": page(b"", *[stream(b"\0" * 20_000_000, packed=True)] * 14),
    "one page again and again": pdf_file(
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%s]/Count 400>>" % (b"3 0 R " * 400), KIDS,
        stream(SHOWN * 30_000, packed=True), b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_pdf_that_costs_more_than_its_pages_is_refused(name: str) -> None:
    assert len(BOMBS[name]) < 400_000
    with pytest.raises(TooCostlyError):
        pdf.extract(BOMBS[name], 400)


def test_forms_within_forms_are_read_where_they_are_few() -> None:
    words = b"BT /F 12 Tf 1 1 Td (Words within a form within a form) Tj ET "
    assert "Words within" in pdf.extract(forms(6, 1, words).replace(b"0 0 9 9", b"0 0 900 9"), 9)[1]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_damaged_pdf_is_text_or_a_named_drop(data: st.DataObject) -> None:
    body = bytearray(
        data.draw(st.sampled_from([lines("Some words", "and more words"), forms(3, 2)]))
    )
    for _ in range(data.draw(st.integers(0, 6))):
        body[data.draw(st.integers(9, len(body) - 1))] = data.draw(st.integers(0, 255))
    found = made(bytes(body[: data.draw(st.integers(9, len(body)))]), "application/pdf")
    assert isinstance(found, Document) or found.reason.endswith(("_pdf", "costly", "empty"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["<p>", "<b>", "</b>", "<div/>", "</div>", "<!--", "-->", "<a href='", "'>", "<title/>", "<![CDATA[", "]]>",
                                 "<svg>", "<table>", "<tr>", "<script>", "</script>", "&nbsp;", "\0", "x", "<", "<?xml ?>"]), max_size=60),
       st.sampled_from(["text/html", "application/xhtml+xml", "", "text/plain"]))  # fmt: skip
def test_any_markup_is_a_text_or_a_named_drop(parts: list[str], content_type: str) -> None:
    found = made("".join(parts).encode(), content_type)
    assert isinstance(found, Document) or found.reason in ("empty", "not_text", "bad_charset")


def test_types_are_read_in_the_step_as_here(tmp_path: Path) -> None:
    got = pages(
        tmp_path, response("/x", PAGE, "html"), response("/y", b"# Title\n\nWords", "text/markdown")
    )
    assert (got.documents["/x"]["mime"], got.documents["/y"]["mime"]) == (
        "text/html",
        "text/markdown",
    )
