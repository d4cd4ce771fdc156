"""A statement as CSV: a row for each line, with the exact amount and the one that is shown."""

import csv
import io

from corpora.versions.exports import safe_cell
from metering.statements.document import Document
from metering.statements.shown import shown

COLUMNS = (
    "statement", "month", "state", "group", "kind", "item", "detail", "quantity", "unit", "unit_price", "price_source",
    "paid_to", "currency", "amount", "shown",
)  # fmt: skip


def statement_csv(document: Document) -> str:
    """Amounts of the rows paid to the site sum to the amount due; they are empty where a cost is unknown."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for one in shown(document).lines:
        line = one.line
        writer.writerow(
            {
                "statement": document.number,
                "month": document.month,
                "state": document.state.value,
                "group": safe_cell(line.group),
                "kind": line.kind,
                "item": safe_cell(line.title),
                "detail": safe_cell(line.detail),
                "quantity": line.quantity,
                "unit": line.unit,
                "unit_price": line.unit_price,
                "price_source": safe_cell(line.price_source),
                "paid_to": line.paid_to,
                "currency": document.currency,
                "amount": one.exact,
                "shown": one.amount,
            }
        )
    return text.getvalue()
