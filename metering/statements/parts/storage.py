"""Lines of storage: by adapter, and apart what belongs to none."""

import datetime as dt
from collections import defaultdict
from decimal import Decimal

from metering.costs.storage import KIND, NO_PRICE, StoragePart, StorageRate, hours_not_measured, storage_parts, title_of
from metering.prices.texts import amount_text
from metering.statements.parts.lines import Line, plain

GROUP = "Storage"
UNIT = "GB-month"


def storage_lines(start: dt.datetime, end: dt.datetime) -> list[Line]:
    """The active tenant's. Hours that nobody measured are a line of their own, whose cost is not known."""
    groups: dict[tuple[str, StorageRate], list[StoragePart]] = defaultdict(list)
    for part in storage_parts(start, end):
        groups[part.adapter, part.rate].append(part)
    lines = [_line(adapter, rate, parts) for (adapter, rate), parts in groups.items()]
    missing = hours_not_measured(start, end)
    if missing:
        unit = "hour"
        lines.append(
            Line(kind=KIND, group=GROUP, title="Storage", quantity=str(missing), unit=unit, price_source="Not measured")
        )
    return lines


def _line(adapter: str, rate: StorageRate, parts: list[StoragePart]) -> Line:
    known = [part.micros for part in parts if part.micros is not None]
    return Line(
        kind=KIND,
        group=adapter or GROUP,
        title=title_of(rate.storage_class),
        quantity=plain(sum((part.gb_months for part in parts), Decimal(0))),
        unit=UNIT,
        unit_price="" if rate.price is None else amount_text(rate.price, "").replace(",", "").strip(),
        price_source=NO_PRICE if rate.price is None else rate.source,
        micros=sum(known) if known else None,
    )
