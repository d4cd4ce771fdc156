"""Storage and calls of the site's judges that were written down, or got a price, after their month was closed.

What such a month costs by now is compared with what its statement said and what was charged for it since. The rest is
an adjustment on the next open statement, so that nothing is charged twice however often it is compared.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Sum

from evaluations.models import CallPurpose, PaidTo
from metering.costs.judging import judge_lines as judge_costs
from metering.costs.shares import largest_remainder
from metering.costs.storage import KIND
from metering.ledger.months import next_month
from metering.models import Adjustment, AdjustmentKind, ClosedMonth, Statement
from metering.statements.document import Document
from metering.statements.lock import hold
from metering.statements.months import end_of, start_of
from metering.statements.parts.judging import judge_lines
from metering.statements.parts.lines import Line
from metering.statements.parts.storage import storage_lines
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope

KINDS = frozenset({KIND, *CallPurpose.values})
MONTHS = 2
"""Closed ones that are looked at: what comes later than that is not charged any more."""
LONGEST = 200


def charge_late_lines() -> int:
    """Charge what has come to the last closed months. Returns how many adjustments were made. Safe to run twice."""
    months = list(ClosedMonth.objects.exclude(finished_at=None).order_by("-month").values_list("month", flat=True))
    with system_scope():
        tenants = list(Tenant.objects.order_by("id"))
    return sum(_charge(tenant, month) for month in months[:MONTHS] for tenant in tenants)


def _charge(tenant: Tenant, month: dt.date) -> int:
    with tenant_scope(tenant.id), transaction.atomic():
        hold()
        statement = Statement.objects.filter(month=month).first()
        if statement is None:
            return 0
        stated = _by_label(Document.of_json(statement.document).lines)
        start, end = start_of(month), end_of(month)
        now = _by_label([*judge_lines(judge_costs(start, end)), *storage_lines(start, end)])
        before = _adjusted(month)
        left = sum(now.values()) - sum(stated.values()) - sum(before.values())
        more = {label: now[label] - stated[label] - before[label] for label in sorted(now)}
        more = {label: micros for label, micros in more.items() if micros > 0}
        if left <= 0 or not more:
            return 0
        # What was called something else in the statement is not new.
        parts = largest_remainder(left, list(more.values())) if sum(more.values()) > left else list(more.values())
        last = ClosedMonth.objects.order_by("-month").values_list("month", flat=True)[0]
        made = [
            Adjustment(
                kind=AdjustmentKind.LATE, month=next_month(last), of_month=month, hour=start, reason=label,
                micros=micros,
            )
            for label, micros in zip(more, parts, strict=True)
            if micros
        ]  # fmt: skip
        Adjustment.objects.bulk_create(made)
        return len(made)


def _by_label(lines: Iterable[Line]) -> Counter[str]:
    """Millionths of a dollar that the site charges, by what a late line would be called."""
    found: Counter[str] = Counter()
    for line in lines:
        if line.kind in KINDS and line.paid_to == PaidTo.SITE and line.micros is not None:
            label = f"{line.title}: {line.group}" if line.kind == KIND and line.group != line.title else line.title
            found[label[:LONGEST]] += line.micros
    return found


def _adjusted(month: dt.date) -> Counter[str]:
    late = Adjustment.objects.filter(kind=AdjustmentKind.LATE, of_month=month, endpoint="").order_by()
    return Counter(dict(late.values_list("reason").annotate(Sum("micros"))))
