"""What endpoints cost, split among those who used them.

An origin charge is what an endpoint cost in a day or an hour at one price and by one method. The file has its parts,
which add up to it in every quantity and cost. What nobody was given is the last part, without a resource.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from metering.costs.shares import largest_remainder
from metering.focus.charges import Allocation, Charge, Element, Organisation
from metering.focus.list_prices import Listed, ListPrices
from metering.focus.organisations import Organisations
from metering.focus.periods import Month
from metering.focus.unknown import NO_PRICE, NOT_SHARED, Unknown
from metering.models import By, IdlePolicy, Method, version_value
from metering.usage.names import names_of

SERVICE = "Model hosting"
SUBCATEGORY = "Generative AI"
METHODS = {Method.STEPS: "engine-time", Method.TOKENS: "weighted-tokens"}
IDLE = {IdlePolicy.OPERATOR: "idle-unallocated", IdlePolicy.USE: "idle-by-use", IdlePolicy.EQUALLY: "idle-equally"}
"""AllocatedMethodId is one of each, as in engine-time.idle-by-use; docs/focus.md describes them."""

PLACES = 9
"""Of hours: a part of a day is not less than a few millionths of a second."""
RATIO_PLACES = 12
HOUR_MS = 3_600_000

READ = """
SELECT e.endpoint, e.hour, e.instance_ms, e.micros, e.price_per_hour, e.price_source, e.method, e.idle_policy,
  u.tenant_id, u.alias, u.version_key, sum(u.used_micros), sum(u.idle_micros), sum(u.busy_us), sum(u.prompt_tokens),
  sum(u.cached_tokens), sum(u.completion_tokens)
FROM metering_endpointhour e
{join} JOIN metering_hourlyusage u ON u.endpoint = e.endpoint AND u.hour = e.hour
  AND (u.used_micros <> 0 OR u.idle_micros <> 0) AND u.tenant_id = ANY(%(tenants)s)
WHERE e.hour >= %(start)s AND e.hour < %(end)s AND e.micros IS NOT NULL AND e.instance_ms > 0
GROUP BY e.endpoint, e.hour, u.tenant_id, u.alias, u.version_key
ORDER BY e.endpoint, e.hour, u.tenant_id, u.alias, u.version_key
"""
"""An hour and its shares in one statement, so that sharing it anew in between changes both or neither."""

READ_UNKNOWN = """
SELECT u.endpoint, u.hour, u.tenant_id, sum(u.unpriced)
FROM metering_hourlyusage u
WHERE u.hour >= %(start)s AND u.hour < %(end)s AND u.unpriced > 0
  AND u.tenant_id = ANY(%(tenants)s)
GROUP BY u.endpoint, u.hour, u.tenant_id
ORDER BY u.endpoint, u.hour, u.tenant_id
"""

UNPRICED = """
SELECT endpoint, hour, instance_ms FROM metering_endpointhour
WHERE hour >= %(start)s AND hour < %(end)s AND micros IS NULL AND instance_ms > 0 ORDER BY endpoint, hour
"""


class Of(NamedTuple):
    """What makes hours one origin charge."""

    start: dt.datetime
    end: dt.datetime
    endpoint: str
    price: Decimal
    listed: Listed
    source: str
    method: str
    idle_policy: str


class PartOf(NamedTuple):
    """What makes shares one part of it."""

    tenant_id: UUID
    alias: str
    version_key: str
    is_idle: bool


@dataclass
class Measured:
    micros: int = 0
    busy_us: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    hours: int = 0


@dataclass
class Origin:
    instance_ms: int = 0
    micros: int = 0
    parts: dict[PartOf, Measured] = field(default_factory=lambda: defaultdict(Measured))


def hosting_charges(month: Month, organisations: Organisations, *, unsplit: bool = False) -> Iterator[Charge]:
    """The parts of every origin charge, those of the active tenant only if there is one; or, `unsplit`, the origins."""
    prices = ListPrices()
    for start, end in month.days():
        origins = _origins(month, start, end, organisations, prices)
        labels = _labels(part for origin in origins.values() for part in origin.parts)
        for of, origin in origins.items():
            if unsplit:
                hours = _whole_hours(origin.instance_ms)
                yield _charge(of, micros=origin.micros, quantity=Decimal(hours).scaleb(-PLACES))
            else:
                yield from _parts(of, origin, organisations, labels)


def hosting_unknown(month: Month, organisations: Organisations) -> Iterator[Unknown]:
    """Hours of endpoints without a price, for the operator, and requests that have no cost yet."""
    hours: dict[tuple[dt.datetime, dt.datetime, str, UUID | None], int] = defaultdict(int)
    if organisations.only is None:
        for endpoint, hour, instance_ms in _read(UNPRICED, month.start, month.end, organisations):
            hours[*month.period_of(hour), endpoint, None] += instance_ms
    for (start, end, endpoint, _), instance_ms in hours.items():
        quantity = Decimal(_whole_hours(instance_ms)).scaleb(-PLACES)
        yield _unknown(start, end, None, endpoint, quantity, "Hours", NO_PRICE)
    requests: dict[tuple[dt.datetime, dt.datetime, str, UUID], int] = defaultdict(int)
    for endpoint, hour, tenant_id, count in _read(READ_UNKNOWN, month.start, month.end, organisations):
        requests[*month.period_of(hour), endpoint, tenant_id] += int(count)
    for (start, end, endpoint, tenant_id), count in requests.items():
        owner = organisations.get(tenant_id)
        yield _unknown(start, end, owner, endpoint, Decimal(count), "Requests", NOT_SHARED)


def _unknown(
    start: dt.datetime, end: dt.datetime, owner: Organisation | None, endpoint: str, quantity: Decimal, unit: str,
    reason: str,
) -> Unknown:  # fmt: skip
    return Unknown(
        start=start, end=end, organisation=owner, service=SERVICE, resource_id=resource_id(endpoint),
        quantity=quantity, unit=unit, reason=reason,
    )  # fmt: skip


def resource_id(endpoint: str) -> str:
    return f"endpoints/{endpoint}"


def _origins(
    month: Month, start: dt.datetime, end: dt.datetime, organisations: Organisations, prices: ListPrices
) -> dict[Of, Origin]:
    found: dict[Of, Origin] = defaultdict(Origin)
    last: tuple[str, dt.datetime] | None = None
    for endpoint, hour, instance_ms, micros, price, source, method, policy, *share in _read(
        READ, start, end, organisations
    ):
        of = Of(*month.period_of(hour), endpoint, price, prices.of(endpoint, hour, price), source, method, policy)
        if last != (endpoint, hour):
            last = (endpoint, hour)
            found[of].instance_ms += instance_ms
            found[of].micros += micros
        if share[0] is not None:
            _add(found[of], *share)
    return found


def _add(
    origin: Origin, tenant_id: UUID, alias: str, version_key: str, used: int, idle: int, busy_us: int, prompt: int,
    cached: int, completion: int,
) -> None:  # fmt: skip
    for is_idle, micros in ((False, used), (True, idle)):
        if micros:
            part = origin.parts[PartOf(tenant_id, alias, version_key, is_idle)]
            part.micros += int(micros)
            part.busy_us += int(busy_us)
            part.input_tokens += int(prompt)
            part.cached_tokens += int(cached)
            part.output_tokens += int(completion)
            part.hours += 1


def _parts(
    of: Of, origin: Origin, organisations: Organisations, labels: Mapping[tuple[str, str], str]
) -> Iterator[Charge]:
    """Of one tenant, what the others were given counts as the rest, which is not its business."""
    parts = list(origin.parts.items())
    micros = [part.micros for _, part in parts]
    weights = [*micros, origin.micros - sum(micros)]
    # An hour that was free of charge belongs to nobody.
    weights = weights if any(weights) else [0] * len(parts) + [1]
    ratios = largest_remainder(10**RATIO_PLACES, weights)
    hours = largest_remainder(_whole_hours(origin.instance_ms), weights)
    for number, (key, part) in enumerate(parts):
        yield _charge(
            of,
            micros=part.micros,
            quantity=Decimal(hours[number]).scaleb(-PLACES),
            owner=organisations.get(key.tenant_id),
            part="Idle" if key.is_idle else "Use",
            allocation=_given(of, key, part, ratios[number], organisations, labels),
            measured=part,
        )
    if weights[-1] and organisations.only is None:
        yield _charge(
            of,
            micros=weights[-1] if origin.micros else 0,
            quantity=Decimal(hours[-1]).scaleb(-PLACES),
            part="Unallocated",
            allocation=Allocation(
                origin=_origin_id(of),
                method=_method(of),
                element=Element(ratio=Decimal(ratios[-1]).scaleb(-RATIO_PLACES), unit="Hours"),
            ),
        )


def _given(
    of: Of, key: PartOf, part: Measured, ratio: int, organisations: Organisations, labels: Mapping[tuple[str, str], str]
) -> Allocation:
    owner = organisations.get(key.tenant_id)
    model = version_value(key.alias, key.version_key)
    tags = {"organisation": owner.slug, "model": key.alias}
    if key.version_key:
        tags["version"] = key.version_key
    return Allocation(
        origin=_origin_id(of),
        method=_method(of),
        element=_element(of, key, part, Decimal(ratio).scaleb(-RATIO_PLACES)),
        resource_id=f"organisations/{owner.slug}/models/{model}{'/idle' if key.is_idle else ''}",
        resource_name=labels[key.alias, key.version_key],
        tags=tags,
    )


def _element(of: Of, key: PartOf, part: Measured, ratio: Decimal) -> Element:
    if key.is_idle and of.idle_policy == IdlePolicy.EQUALLY:
        return Element(ratio=ratio, unit="Adapter-Hours", quantity=Decimal(part.hours))
    if of.method == Method.STEPS:
        return Element(ratio=ratio, unit="Seconds", quantity=Decimal(part.busy_us).scaleb(-6))
    # How much an output token weighed then was not kept: the counts are here, and docs/focus.md says how they count.
    tokens = {
        "x_InputTokenCount": part.input_tokens,
        "x_CachedTokenCount": part.cached_tokens,
        "x_OutputTokenCount": part.output_tokens,
    }
    return Element(ratio=ratio, unit="Tokens", more=tokens)


def _charge(
    of: Of, *, micros: int, quantity: Decimal, owner: Organisation | None = None, part: str = "Hosting",
    allocation: Allocation | None = None, measured: Measured | None = None,
) -> Charge:  # fmt: skip
    used = measured if part == "Use" else None
    return Charge(
        start=of.start,
        end=of.end,
        part=part,
        description=f"Hosting of endpoint {of.endpoint}",
        service=SERVICE,
        subcategory=SUBCATEGORY,
        micros=micros,
        quantity=quantity,
        unit="Hours",
        unit_price=of.price,
        list_unit_price=of.listed.amount,
        price_source=of.source,
        sku=f"hosting/{of.endpoint}",
        meter="Instance hours",
        organisation=owner,
        resource_id=resource_id(of.endpoint),
        resource_name=of.endpoint,
        resource_type="Endpoint",
        region=of.listed.region,
        tags={"endpoint": of.endpoint},
        allocation=allocation,
        input_tokens=used.input_tokens if used else None,
        output_tokens=used.output_tokens if used else None,
    )


def _origin_id(of: Of) -> str:
    price = f"{of.price.normalize():f}"
    return f"{resource_id(of.endpoint)}/{of.start:%Y-%m-%dT%H}/{price}/{_method(of)}"


def _method(of: Of) -> str:
    return f"{METHODS[Method(of.method)]}.{IDLE[IdlePolicy(of.idle_policy)]}"


def _whole_hours(instance_ms: int) -> int:
    """In units of the last place."""
    return int((2 * instance_ms * 10**PLACES + HOUR_MS) // (2 * HOUR_MS))


def _labels(parts: Iterable[PartOf]) -> dict[tuple[str, str], str]:
    keys = list(dict.fromkeys((part.alias, part.version_key) for part in parts))
    names = names_of(By.VERSION, [version_value(*key) for key in keys])
    return {key: name.label for key, name in zip(keys, names, strict=True)}


def _read(query: str, start: dt.datetime, end: dt.datetime, organisations: Organisations) -> list[tuple[Any, ...]]:
    # The operator's file has what nobody used too.
    join = "LEFT" if organisations.only is None else "INNER"
    with connection.cursor() as cursor:
        cursor.execute(query.format(join=join), {"start": start, "end": end, "tenants": organisations.ids()})
        return list(cursor.fetchall())
