"""Calls of judges and outside models: paid to the site, or to an organisation's own provider.

Calls of models on this site are in its hosting.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from evaluations.models import CallPurpose, JudgeUsage, PaidTo
from metering.costs.judging import COUNTED, PRICE_SOURCE
from metering.costs.lines import MICRO_DOLLAR
from metering.costs.shares import largest_remainder
from metering.focus.charges import MICROS, Charge
from metering.focus.organisations import Organisations
from metering.focus.periods import Month
from metering.focus.unknown import NO_PRICE, Unknown

SUBCATEGORY = "Generative AI"
NO_TOKENS = "The model’s server reported no tokens"
PRICE_PLACES = Decimal(10) ** -18
"""Of a token: that of a long bill is still right to the millionth."""
USD_PLACES = 10


class Line(NamedTuple):
    """What the page of costs adds up."""

    tenant_id: UUID
    purpose: str
    paid_to: str
    judge_name: str
    judge_key: str


class Hour(NamedTuple):
    hour: dt.datetime
    calls: int
    without_price: int
    without_tokens: int
    tokens_in: int
    tokens_out: int
    usd: Decimal

    def plus(self, other: "Hour") -> "Hour":
        return Hour(
            hour=self.hour,
            calls=self.calls + other.calls,
            without_price=self.without_price + other.without_price,
            without_tokens=self.without_tokens + other.without_tokens,
            tokens_in=self.tokens_in + other.tokens_in,
            tokens_out=self.tokens_out + other.tokens_out,
            usd=self.usd + other.usd,
        )


def call_charges(month: Month, organisations: Organisations) -> Iterator[Charge]:
    """Lines of the page of costs, each divided among its days or hours."""
    for line, periods in _lines(month, organisations).items():
        known = {start: sums for start, sums in periods.items() if _has_cost(sums)}
        if not known:
            continue
        usd = sum((sums.usd for sums in periods.values()), Decimal(0)).quantize(MICRO_DOLLAR)
        weights = [int(sums.usd.scaleb(USD_PLACES)) for sums in known.values()]
        shares = largest_remainder(int(usd * MICROS), weights) if any(weights) else weights
        for (start, sums), micros in zip(known.items(), shares, strict=True):
            yield _charge(line, start, sums, micros, month, organisations)


def call_unknown(month: Month, organisations: Organisations) -> Iterator[Unknown]:
    """Calls without a price, or without tokens."""
    for line, periods in _lines(month, organisations).items():
        for start, sums in periods.items():
            for count, reason in ((sums.without_price, NO_PRICE), (sums.without_tokens, NO_TOKENS)):
                if count:
                    yield Unknown(
                        start=start, end=month.period_of(start)[1], organisation=organisations.get(line.tenant_id),
                        service=str(CallPurpose(line.purpose).label), resource_id=resource_id(line),
                        quantity=Decimal(count), unit="Requests", reason=reason,
                    )  # fmt: skip


def resource_id(line: Line) -> str:
    return f"judges/{line.judge_key}"


def _charge(
    line: Line, start: dt.datetime, sums: Hour, micros: int, month: Month, organisations: Organisations
) -> Charge:
    tokens = sums.tokens_in + sums.tokens_out
    quantity, unit = (Decimal(tokens), "Tokens") if tokens else (Decimal(sums.calls), "Requests")
    # Input and output have prices of their own, and calls record what both came to.
    price = (Decimal(micros) / MICROS / quantity).quantize(PRICE_PLACES)
    title, payee = str(CallPurpose(line.purpose).label), PaidTo(line.paid_to)
    return Charge(
        start=start,
        end=month.period_of(start)[1],
        part="Calls",
        description=f"{title}: {sums.calls} calls",
        service=title,
        subcategory=SUBCATEGORY,
        micros=micros,
        quantity=quantity,
        unit=unit,
        unit_price=price,
        list_unit_price=price,
        price_source=PRICE_SOURCE[payee],
        sku=f"{line.purpose}/{line.judge_key}",
        meter=unit,
        organisation=organisations.get(line.tenant_id),
        resource_id=resource_id(line),
        resource_name=line.judge_name,
        resource_type="Judge",
        paid_to=payee,
        tags={"call-purpose": line.purpose},
        calls=sums.calls,
        input_tokens=sums.tokens_in if tokens else None,
        output_tokens=sums.tokens_out if tokens else None,
    )


def _has_cost(sums: Hour) -> bool:
    return sums.without_price + sums.without_tokens < sums.calls


def _lines(month: Month, organisations: Organisations) -> dict[Line, dict[dt.datetime, Hour]]:
    """By the beginning of the day or hour."""
    calls = JudgeUsage.objects.filter(
        hour__gte=month.start, hour__lt=month.end, tenant_id__in=organisations.ids()
    ).exclude(paid_to=PaidTo.SERVING)
    rows: Any = calls.order_by("tenant__slug", "purpose", "paid_to", "judge_name", "judge_key", "hour").values_list(
        *Line._fields, "hour", *COUNTED
    )
    found: dict[Line, dict[dt.datetime, Hour]] = defaultdict(dict)
    for row in rows.iterator():
        line, hour = Line(*row[: len(Line._fields)]), Hour(*row[len(Line._fields) :])
        start, _ = month.period_of(hour.hour)
        before = found[line].get(start)
        found[line][start] = before.plus(hour) if before else hour._replace(hour=start)
    return found
