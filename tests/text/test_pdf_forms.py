"""Forms that draw nothing but each other cost as much as forms that show text."""

from __future__ import annotations

import pytest

from regrow.data.text import pdf_cost
from regrow.data.web.cost import TooCostlyError


def file(*forms: bytes) -> bytes:
    """A PDF whose page draws object 5; `forms` are the contents of objects 5, 6, ..."""
    page = b"<</Type/Page/Contents 4 0 R/Resources<</XObject<</X0 5 0 R>>>>>>"
    content = b"<</Length 7>>stream\n/X0 Do \nendstream"
    parts = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Kids[3 0 R]>>", page, content]
    parts += [
        b"<</Subtype/Form/Resources<</XObject<</X0 %d 0 R>>>>/Length 9>>stream\n%b\nendstream"
        % (5 if b"self" in body else 6 + number, body.replace(b"self", b"X0"))
        for number, body in enumerate(forms)
    ]
    objects = (b"%d 0 obj\n%b\nendobj\n" % (n, body) for n, body in enumerate(parts, 1))
    return b"%PDF-1.4\n" + b"".join(objects) + b"%%EOF"


@pytest.mark.parametrize(
    "forms",
    [
        [b"/self Do " * 4],  # a form that draws itself
        [b"/X0 Do " * 4] * 12
        + [b"n"],  # 4 to the power of 12 forms, of which the last draws nothing
        [b"/X0 Do q Q " * 30] * 5 + [b"0 0 m n"],
        [b"0 0 m " * 600_000],
    ],
)
def test_forms_are_counted_though_they_show_no_text(forms: list[bytes]) -> None:
    with pytest.raises(TooCostlyError):
        pdf_cost.check(file(*forms), 100)


def test_a_few_forms_are_no_trouble() -> None:
    pdf_cost.check(file(b"/X0 Do " * 4, b"/X0 Do " * 4, b"0 0 m 9 9 l S"), 100)
