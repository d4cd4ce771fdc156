"""A statement as PDF, by typst. The same document is the same file, byte by byte, with the same version of typst."""

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import typst

from metering.ledger.months import next_month
from metering.statements.document import Document
from metering.statements.months import parsed_month, title_of
from metering.statements.shown import Group, Shown, ShownLine, shown
from metering.statements.texts import day_text, money, quantity_text
from rest.errors import PortalError

TEMPLATE = Path(__file__).with_name("statement.typ")
MOST_LINES = 2_000
"""About a second's work, and 110 pages."""
UNKNOWN = "unknown"
EPOCH = 0
"""The time of making, which would differ from file to file."""


class StatementTooLong(PortalError):
    """Its PDF would take too long to make."""

    code = "statement:too_long"
    status = 413


def statement_pdf(document: Document, sha256: str = "") -> bytes:
    """A4, tagged, PDF/UA-1. Raises StatementTooLong.

    A text with characters that typst's fonts don't have, such as emoji, has boxes in their place, and the file then
    does not claim to be PDF/UA-1.
    """
    if len(document.lines) > MOST_LINES:
        text = f"A PDF holds at most {MOST_LINES:,} lines, and this statement has {len(document.lines):,}. "
        raise StatementTooLong(text + "Download the CSV file instead.")
    data = json.dumps(_data(document, sha256), ensure_ascii=False)
    try:
        return _compiled(data, "ua-1")
    except typst.TypstError:
        return _compiled(data, "1.7")


def _compiled(data: str, standard: Literal["ua-1", "1.7"]) -> bytes:
    return typst.compile(
        TEMPLATE,
        root=TEMPLATE.parent,
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"data": data},
        pdf_standards=standard,
        timestamp=EPOCH,
    )


def _data(document: Document, sha256: str) -> dict[str, Any]:
    """What the template prints, all as texts."""
    seen, month = shown(document), parsed_month(document.month)
    last = next_month(month) - dt.timedelta(days=1)
    closed_at = dt.datetime.fromisoformat(document.closed_at) if document.closed_at else None
    date = closed_at.date() if closed_at else month
    return {
        "title": f"Statement for {title_of(month)}",
        "organisation": document.organisation,
        "number": document.number,
        "currency": document.currency,
        "date": {"year": date.year, "month": date.month, "day": date.day},
        "facts": [
            ("Number", document.number),
            ("Period", f"{day_text(month)} to {day_text(last)} (UTC)"),
            ("State", f"Closed on {day_text(closed_at.date())}" if closed_at else "Open: the figures so far"),
            ("Amount due", f"{money(seen.due)} {document.currency}"),
        ],
        "groups": [_group(group) for group in seen.groups],
        "elsewhere": [_plain_group(seen.elsewhere)] if seen.elsewhere else [],
        "due": money(seen.due),
        "due_label": "Amount due" if closed_at else "Amount due so far",
        "provider": money(seen.provider),
        "notes": _notes(document, seen, sha256),
    }


def _group(group: Group) -> dict[str, Any]:
    subtotal = money(group.subtotal) if any(one.amount is not None for one in group.lines) else UNKNOWN
    return {"title": group.title, "lines": [_line(one) for one in group.lines], "subtotal": subtotal}


def _plain_group(lines: Any) -> dict[str, Any]:
    return {"title": "", "lines": [_line(one) for one in lines], "subtotal": ""}


def _line(one: ShownLine) -> dict[str, str]:
    line = one.line
    return {
        "title": line.title,
        "note": " · ".join(filter(None, (line.detail, line.price_source))),
        "quantity": quantity_text(line),
        "price": line.unit_price,
        "amount": UNKNOWN if one.amount is None else money(one.amount),
    }


def _notes(document: Document, seen: Shown, sha256: str) -> list[str]:
    found = [document.sharing] if document.sharing else []
    if document.unknown:
        found.append(
            "What has no price is listed as unknown with its quantity, and is in no sum. If the price of an endpoint "
            "becomes known after the month is closed, its use comes as an adjustment on a later statement."
        )
    found.append(
        "Amounts are kept to the millionth and shown to the cent, rounded so that the lines sum to the total: a line "
        f"may differ from its exact amount by less than a cent. The exact amount due is {_exact(document.due_micros)} "
        f"{document.currency}."
    )
    found.append("This is a statement of costs, not an invoice. It has no taxes.")
    if sha256:
        found.append(f"SHA-256 of the data of this statement: {sha256}")
    return found


def _exact(micros: int) -> str:
    return f"{Decimal(micros) / 1_000_000:,.6f}".replace("-", "−")
