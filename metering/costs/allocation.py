"""Shares what an endpoint cost in an hour among those who used it.

A request has a cost when its hour was shared, and its hour is shared again whenever more comes to it. Only differences
are written, so sharing an hour twice changes nothing. The shares of a closed month stay as they are.
"""

import datetime as dt
from collections.abc import Iterable, Mapping

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from metering.costs.late import charge_late, is_closed
from metering.costs.prices import hosting_price
from metering.costs.shares import Parts, split
from metering.ledger.lock import wait_for_turn
from metering.ledger.rollup import Fact, Sums, add_sums
from metering.ledger.sketches import Bins
from metering.models import EndpointHour, HourlyUsage, IdlePolicy, Method, RollUp
from metering.usage.figures import MICROS
from metering.usage.ranges import HOUR
from serving.models import Deployment
from tenants.models import Tenant
from tenants.scope import system_scope

MOST_HOURS = 200
"""At a time. The lock is held for each, and let go between two."""
HOUR_MS = 3_600_000
PRICE_AGAIN = dt.timedelta(hours=1)
"""How often a price that was not known is looked up."""


def allocate_due() -> int:
    """Share the hours that something has come to, the newest first. Returns how many, at most `MOST_HOURS`."""
    unknown = EndpointHour.objects.filter(price_per_hour=None, allocated_at__lt=timezone.now() - PRICE_AGAIN)
    unknown.update(allocated_at=None)
    with system_scope():
        late = HourlyUsage.objects.filter(endpoint=OuterRef("endpoint"), hour=OuterRef("hour"), unpriced__gt=0)
        due = EndpointHour.objects.filter(Q(allocated_at=None) | Q(Exists(late), price_per_hour__isnull=False))
        found = list(due.order_by("-hour").values_list("endpoint", "hour")[:MOST_HOURS])
    for endpoint, hour in found:
        allocate_hour(endpoint, hour)
    return len(found)


def allocate_hour(endpoint: str, hour: dt.datetime) -> EndpointHour:
    """Share a measured hour of an endpoint, or charge what came late to it. Raises EndpointHour.DoesNotExist."""
    with system_scope(), transaction.atomic():
        wait_for_turn()
        row = EndpointHour.objects.select_for_update().get(endpoint=endpoint, hour=hour)
        if is_closed(hour):
            _share_late(row)
        else:
            _set_cost(row)
            _share(row)
        row.allocated_at = timezone.now()
        row.save()
    return row


def _set_cost(row: EndpointHour) -> None:
    """At the price of that hour, which stays as it was once it was known."""
    if row.price_per_hour is None:
        price = hosting_price(row.endpoint, row.hour)
        row.price_per_hour, row.price_source = (price.amount, price.source) if price else (None, "")
    if row.price_per_hour is not None:
        row.micros = round(row.price_per_hour * MICROS * row.instance_ms / HOUR_MS)


def _share(row: EndpointHour) -> None:
    lines = _lines(row)
    row.method = _method(lines)
    row.idle_policy = row.idle_policy or settings.IDLE_COST_POLICY
    facts, parts = _parts(row, lines)
    row.used_micros, row.idle_micros, row.operator_micros = sum(parts.used), sum(parts.idle), parts.operator
    _write(facts, parts, lines, is_priced=row.micros is not None)


def _share_late(row: EndpointHour) -> None:
    """An hour whose price was not known when its month was closed is the operator's as a whole, and late as a whole."""
    was_unknown = row.micros is None
    _set_cost(row)
    if row.micros is None:
        return
    if was_unknown:
        row.operator_micros = row.micros
    lines = _lines(row)
    row.method = row.method or _method(lines)
    facts, parts = _parts(row, lines)
    charge_late(row, lines, facts, parts.used)
    stays = Parts(
        used=[lines[fact].used_micros if fact in lines else 0 for fact in facts],
        idle=[lines[fact].idle_micros if fact in lines else 0 for fact in facts],
        operator=row.operator_micros,
    )
    _write(facts, stays, lines, is_priced=True)


def _lines(row: EndpointHour) -> dict[Fact, HourlyUsage]:
    tenants = Tenant.objects.values("id")
    rows = HourlyUsage.objects.filter(tenant__in=tenants, hour=row.hour, endpoint=row.endpoint)
    return {_fact(line): line for line in rows.defer(*RollUp.SKETCHES)}


def _method(lines: Mapping[Fact, HourlyUsage]) -> Method:
    return Method.STEPS if all(_tells_its_time(line) for line in lines.values()) else Method.TOKENS


def _parts(row: EndpointHour, lines: Mapping[Fact, HourlyUsage]) -> tuple[list[Fact], Parts]:
    """What each has of the hour, by the row's method and policy."""
    weights = {fact: _weight(line, row.method) for fact, line in lines.items()}
    idle = _idle_weights(row, weights)
    facts = list({**weights, **idle})
    parts = Parts(used=[0] * len(facts), idle=[0] * len(facts), operator=0)
    if row.micros is not None:
        by_step = row.method == Method.STEPS
        parts = split(
            row.micros,
            used=sum(line.busy_us for line in lines.values()) // 1000 if by_step else _answering_ms(row),
            capacity=row.instance_ms if by_step else row.up_ms,
            weights=[weights.get(fact, 0) for fact in facts],
            idle_weights=[idle.get(fact, 0) for fact in facts],
        )
    return facts, parts


def _fact(line: HourlyUsage) -> Fact:
    return Fact(str(line.tenant_id), line.hour, line.alias, line.version_key, line.endpoint, line.key)


def _tells_its_time(line: HourlyUsage) -> bool:
    """Whether the engine told its own time of every answer."""
    return line.timed >= line.requests - line.errors


def _weight(line: HourlyUsage, method: str) -> int:
    if method == Method.STEPS:
        return int(line.busy_us)
    read = max(0, line.prompt_tokens - line.cached_tokens)
    return 1000 * read + int(1000 * settings.OUTPUT_TOKEN_WEIGHT) * line.completion_tokens


def _idle_weights(row: EndpointHour, weights: Mapping[Fact, int]) -> dict[Fact, int]:
    if row.idle_policy == IdlePolicy.USE:
        return dict(weights)
    if row.idle_policy == IdlePolicy.OPERATOR:
        return {}
    held = Deployment.objects.filter(
        Q(deleted_at=None) | Q(deleted_at__gt=row.hour),
        tenant__in=Tenant.objects.values("id"),
        endpoint__name=row.endpoint,
        in_service_at__lt=row.hour + HOUR,
    ).order_by("tenant_id", "version_id")
    named = held.values_list("tenant_id", "version__adapter__name", "version_id").distinct()
    return {
        Fact(str(tenant_id), row.hour, alias, str(version_id), row.endpoint, ""): 1
        for tenant_id, alias, version_id in named
    }


def _answering_ms(row: EndpointHour) -> int:
    """How long at least one request was being answered, in milliseconds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(extract(epoch FROM upper(span) - lower(span))) * 1000, 0) FROM (SELECT unnest("
            "range_agg(tstzrange(at, least(at + latency_ms * interval '1 millisecond', %s)))) AS span"
            " FROM metering_invocation"
            " WHERE tenant_id IN (SELECT id FROM tenants_tenant) AND at >= %s AND at < %s AND endpoint = %s"
            " AND latency_ms > 0 AND (status < 400 OR completion_tokens > 0)) spans",
            [row.hour + HOUR, row.hour, row.hour + HOUR, row.endpoint],
        )
        return int(cursor.fetchone()[0])


def _write(facts: list[Fact], parts: Parts, lines: Mapping[Fact, HourlyUsage], *, is_priced: bool) -> None:
    def before(name: str) -> Iterable[int]:
        return (getattr(lines[fact], name) if fact in lines else 0 for fact in facts)

    counted = {name: np.zeros(len(facts), np.int64) for name in RollUp.SUMS}
    counted["used_micros"] += np.array(parts.used, np.int64) - np.array(list(before("used_micros")), np.int64)
    counted["idle_micros"] += np.array(parts.idle, np.int64) - np.array(list(before("idle_micros")), np.int64)
    if is_priced:
        counted["unpriced"] -= np.array(list(before("unpriced")), np.int64)
    changed = np.flatnonzero(sum(np.abs(values) for values in counted.values()))
    if len(changed):
        nothing = Bins.of_sketches([])
        add_sums(
            {facts[old]: new for new, old in enumerate(changed)},
            Sums(counted, dict.fromkeys(RollUp.SKETCHES, nothing)).regrouped(
                changed, np.arange(len(changed)), len(changed)
            ),
        )
