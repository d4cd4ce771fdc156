"""What judges and outside models cost: by judge, and as lines beside the others."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import fields
from decimal import Decimal

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q, Sum, Value

from evaluations.models import CallPurpose, JudgeUsage, PaidTo
from metering.costs.lines import MICRO_DOLLAR, Calls, CostLine, JudgeLine

COUNTED = ("calls", "calls_without_price", "calls_without_tokens", "tokens_in", "tokens_out", "usd")
CALLS = [field.name for field in fields(Calls)]
"""In the order of COUNTED."""

BASIS = {
    PaidTo.SITE: "tokens × price per token of the site’s judges",
    PaidTo.PROVIDER: "paid to your provider: tokens × price per token",
    PaidTo.SERVING: "by models on this site: their cost is in Serving",
}
SOURCES = ArrayAgg("price_source", filter=~Q(price_source=""), distinct=True, default=Value([]))
PRICE_SOURCE = {
    PaidTo.SITE: "Set by your site’s operator",
    PaidTo.PROVIDER: "Set on your judges, or the site’s price of the model",
    PaidTo.SERVING: "Counted in Serving",
}


def judge_lines(start: dt.datetime, end: dt.datetime) -> list[JudgeLine]:
    """The active tenant's, between two whole hours: by purpose, who is paid, and judge."""
    found = (
        JudgeUsage.objects.filter(hour__gte=start, hour__lt=end)
        .order_by()
        .values_list("purpose", "paid_to", "judge_name", "judge_key")
        .annotate(*(Sum(name) for name in COUNTED), sources=SOURCES)
    )
    lines = []
    for purpose, paid_to, name, key, *sums, usd, sources in sorted(found, key=lambda row: row[:4]):
        calls = Calls(**dict(zip(CALLS, sums, strict=True)))
        known = paid_to != PaidTo.SERVING and calls.without_cost < calls.calls
        lines.append(
            JudgeLine(
                purpose=purpose,
                judge_key=key,
                judge=name,
                paid_to=PaidTo(paid_to),
                calls=calls,
                usd=usd.quantize(MICRO_DOLLAR) if known else None,
                price_sources=tuple(sources),
            )
        )
    return lines


def call_lines(judges: Iterable[JudgeLine]) -> list[CostLine]:
    """One line for each purpose and each that is paid: the sums of these."""
    groups: dict[tuple[str, PaidTo], list[JudgeLine]] = defaultdict(list)
    for line in judges:
        groups[line.purpose, line.paid_to].append(line)
    return [_call_line(purpose, paid_to, parts) for (purpose, paid_to), parts in groups.items()]


def _call_line(purpose: str, paid_to: PaidTo, parts: list[JudgeLine]) -> CostLine:
    calls = sum((part.calls for part in parts[1:]), parts[0].calls)
    known = [part.usd for part in parts if part.usd is not None]
    has_price = bool(known) or paid_to == PaidTo.SERVING
    return CostLine(
        kind=purpose,
        title=CallPurpose(purpose).label,
        basis=BASIS[paid_to],
        price_source=source_of(paid_to, parts) if has_price else calls.why_unknown.capitalize(),
        usd=sum(known, Decimal(0)) if known else None,
        paid_to=paid_to,
        calls=calls,
    )


def source_of(paid_to: PaidTo, parts: Iterable[JudgeLine]) -> str:
    """All sources of the prices; of calls from before they were kept, what they can have been."""
    sources = sorted({source for part in parts for source in part.price_sources})
    return "; ".join(sources) or PRICE_SOURCE[paid_to]
