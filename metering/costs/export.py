"""Costs as CSV: a row for each line, those of judges one by one."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from corpora.versions.exports import safe_cell
from metering.costs.queries import CostSummary

COLUMNS = (
    "kind", "item", "judge", "paid_to", "seconds", "usd_per_hour", "price_source", "calls", "calls_without_cost",
    "tokens_in", "tokens_out", "gb_months", "usd_per_gb_month", "usd",
)  # fmt: skip


def costs_csv(costs: CostSummary) -> str:
    """The column `usd` sums to the total. It is empty where no cost is known, and where it is in another row."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(_rows(costs))
    return text.getvalue()


def _rows(costs: CostSummary) -> Iterator[dict[str, Any]]:
    for line in costs.lines:
        if line.calls is None:
            yield {
                "kind": line.kind,
                "item": line.title,
                "paid_to": line.paid_to,
                "seconds": line.seconds,
                "usd_per_hour": line.usd_per_hour,
                "price_source": safe_cell(line.price_source),
                "gb_months": line.gb_months,
                "usd_per_gb_month": line.usd_per_gb_month,
                "usd": line.usd,
            }
    for part in costs.judges:
        yield {
            "kind": part.purpose,
            "item": part.title,
            "judge": safe_cell(part.judge),
            "paid_to": part.paid_to,
            "calls": part.calls.calls,
            "calls_without_cost": part.calls.without_cost,
            "tokens_in": part.calls.tokens_in,
            "tokens_out": part.calls.tokens_out,
            "usd": part.usd,
        }
