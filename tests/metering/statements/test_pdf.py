"""The PDF: the same bytes again, whatever the names; bounded; and everything that the statement says."""

import re
import zlib

import pytest

from evaluations.models import PaidTo
from metering.statements import pdf
from metering.statements.document import Document
from metering.statements.parts.lines import ADJUSTMENT, Line
from metering.statements.pdf import MOST_LINES, StatementTooLong, statement_pdf

HOSTILE = [
    '#include "/etc/passwd"', '#read("/etc/passwd")', "*bold* _x_ $y$ [z] <a> @b \\", "a" * 300, "word " * 60,
    "שלום עולם", "مرحبا بالعالم", "\u202eabc\u202c", "Ω Жук ñ ß é", "{{ x }} {% y %} </script>", "", " ",
]  # fmt: skip
BOXES = ["🎉👩\u200d⚖️", "日本語", "ไทย", "\x01\x1f", "\ufeffbom", "a\u0000b"]
"""With characters that none of typst's fonts has."""


def line(number: int = 1, **changes: object) -> Line:
    plain: dict[str, object] = {
        "kind": "serving", "group": "clauses", "title": "Serving on shared", "detail": "12 requests",
        "quantity": "0.5", "unit": "instance-hour", "unit_price": "1.515", "price_source": "a quote",
        "micros": 1_234_567 * number,
    }  # fmt: skip
    return Line(**{**plain, **changes})  # type: ignore[arg-type]


def document(*lines: Line, **changes: object) -> Document:
    plain: dict[str, object] = {
        "number": "alder-law-2026-10", "organisation": "Alder Law", "month": "2026-10", "currency": "USD",
        "sharing": "It is shared.", "closed_at": "2026-11-04T00:00:00+00:00", "lines": list(lines),
    }  # fmt: skip
    return Document(**{**plain, **changes})  # type: ignore[arg-type]


def pages(file: bytes) -> int:
    """The number of pages, which stand in streams of objects."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", file, re.DOTALL)
    plain = file
    for stream in streams:
        try:
            plain += zlib.decompress(stream)
        except zlib.error:
            continue
    return len(re.findall(rb"/Type\s*/Page\b", plain))


def claims_to_be_accessible(file: bytes) -> bool:
    return b"pdfuaid:part" in file


def test_it_is_the_same_again_and_accessible() -> None:
    of = document(
        line(), line(kind=ADJUSTMENT, group="Adjustments", title="Credit", micros=-500_000, quantity="", unit=""),
        line(micros=None, price_source="No price set"), line(paid_to=PaidTo.PROVIDER.value),
    )  # fmt: skip
    file = statement_pdf(of, "ab" * 32)
    assert statement_pdf(of, "ab" * 32) == file
    assert file.startswith(b"%PDF-1.7")
    assert claims_to_be_accessible(file)
    assert b"/Lang (en)" in file or b"/Lang" in file
    assert pages(file) in (1, 2)


@pytest.mark.parametrize("month", ["2026-02", "2028-02", "2026-12"])
def test_an_empty_month_is_a_page(month: str) -> None:
    assert pages(statement_pdf(document(month=month))) == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_is_markup(name: str) -> None:
    of = document(line(group=name, title=name, detail=name, price_source=name), organisation=name or "x")
    assert claims_to_be_accessible(statement_pdf(of))
    assert pdf._data(of, "")["groups"][0]["title"] == name


@pytest.mark.parametrize("name", BOXES)
def test_characters_that_no_font_has_are_boxes(name: str) -> None:
    of = document(line(group=name, title=name), organisation=name)
    file = statement_pdf(of)
    assert file == statement_pdf(of)
    assert not claims_to_be_accessible(file)
    assert pages(file) == 1


def test_a_thousand_lines_have_many_pages_and_too_many_are_refused() -> None:
    many = [line(number, group=f"adapter {number // 10}") for number in range(1000)]
    assert pages(statement_pdf(document(*many))) > 20
    with pytest.raises(StatementTooLong, match="at most 2,000 lines, and this statement has 2,001") as error:
        statement_pdf(document(*[line()] * (MOST_LINES + 1)))
    assert error.value.status == 413


def test_it_says_what_it_is_and_what_it_is_not() -> None:
    printed = pdf._data(document(line(), line(micros=None)), "ab" * 32)
    assert printed["title"] == "Statement for October 2026"
    assert dict(printed["facts"]) == {
        "Number": "alder-law-2026-10", "Period": "1 October 2026 to 31 October 2026 (UTC)",
        "State": "Closed on 4 November 2026", "Amount due": "1.23 USD",
    }  # fmt: skip
    assert [one["amount"] for one in printed["groups"][0]["lines"]] == ["1.23", "unknown"]
    said = " ".join(printed["notes"])
    for part in ("It is shared.", "no price is listed as unknown", "exact amount due is 1.234567 USD", "not an invoice",
                 "no taxes", "ab" * 32):  # fmt: skip
        assert part in said
    assert dict(pdf._data(document(closed_at=""), "")["facts"])["State"] == "Open: the figures so far"
