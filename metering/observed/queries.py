"""What a cloud counted of the active tenant's adapters, beside what the ledger has."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from uuid import UUID

from django.utils import timezone

from metering.ledger.rollup import hour_of
from metering.ledger.sketches import quantiles
from metering.models import HourlyUsage, ObservedUsage
from metering.observed.watched import watched_endpoints
from metering.observed.windows import HOUR, RECENT
from rest.errors import NotFound
from serving.models import Deployment


@dataclass(frozen=True, kw_only=True)
class ComparedHour:
    """An hour (UTC): the ledger's figures, and the cloud's where it has any. Latencies are in milliseconds.

    `observed_p95_ms` is the highest of the deployments that answered; theirs together is no higher. The ledger's is of
    whole requests, the cloud's of the model alone. What is provisional may still come from the cloud.
    """

    hour: dt.datetime
    requests: int
    errors: int
    p95_ms: float | None
    observed_requests: int | None
    observed_errors: int | None
    observed_p95_ms: float | None
    is_provisional: bool

    @property
    def difference(self) -> int | None:
        """How many more the cloud has counted; None where it has no data."""
        return None if self.observed_requests is None else self.observed_requests - self.requests

    @property
    def difference_percent(self) -> float | None:
        """The same of the ledger's requests; None if it has none."""
        return _percent(self.difference, self.requests)

    @property
    def is_missing(self) -> bool:
        """Whether the cloud has no data of an hour with requests, although it should by now."""
        return bool(self.requests) and self.observed_requests is None and not self.is_provisional


@dataclass(frozen=True, kw_only=True)
class ObservedLine:
    """An hour of one deployment as the cloud counted it; `row` has the figures, of which None is no data."""

    model: str
    version: UUID
    row: ObservedUsage


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Every hour from `start` up to `end`, both full hours (UTC), but none that has not begun."""

    start: dt.datetime
    end: dt.datetime
    hours: list[ComparedHour]
    lines: list[ObservedLine] = field(default_factory=list)

    @cached_property
    def requests(self) -> int:
        """The ledger's."""
        return sum(hour.requests for hour in self.hours)

    @cached_property
    def observed_requests(self) -> int | None:
        """The cloud's; None if it has no data at all."""
        counted = [hour.observed_requests for hour in self.hours if hour.observed_requests is not None]
        return sum(counted) if counted else None

    @cached_property
    def difference(self) -> int | None:
        """How many more the cloud has counted, in the hours of which it has data."""
        found = [hour.difference for hour in self.hours if hour.difference is not None]
        return sum(found) if found else None

    @cached_property
    def difference_percent(self) -> float | None:
        """The same of the ledger's requests in those hours."""
        return _percent(self.difference, sum(hour.requests for hour in self.hours if hour.difference is not None))

    @cached_property
    def hours_without_data(self) -> list[dt.datetime]:
        """Hours with requests in the ledger of which the cloud has none."""
        return [hour.hour for hour in self.hours if hour.is_missing]


@dataclass(frozen=True, kw_only=True)
class _Part:
    """What is compared: versions by the ledger's key, and deployments by name, each with its model and version."""

    version_keys: frozenset[str]
    deployments: dict[str, tuple[str, UUID]]


def compared(
    start: dt.datetime,
    end: dt.datetime,
    *,
    model: str = "",
    version: UUID | None = None,
    deployment: str = "",
    now: dt.datetime | None = None,
) -> Comparison:
    """Every whole hour that the range touches, of the active tenant, or of one model, version or deployment of it.

    Base models are not compared: tenants share their component, so that the cloud cannot tell them apart. Without
    anything that a cloud watches, there are no hours. Raises NotFound for a model, version or deployment that was never
    there, or is not the tenant's.
    """
    now = now or timezone.now()
    part = _part(model, version, deployment)
    if (model or version or deployment) and not part.deployments:
        raise NotFound("This was never on an endpoint that CloudWatch watches.")
    first, last = hour_of(start), hour_of(end)
    last = min(last if last == end else last + HOUR, hour_of(now) + HOUR)
    if not part.deployments or first >= last:
        return Comparison(start=first, end=max(first, last), hours=[])
    found = ObservedUsage.objects.filter(hour__gte=first, hour__lt=last, deployment__in=part.deployments)
    rows = list(found.order_by("hour", "component"))
    ledger, observed = _ledger(part, first, last), defaultdict[dt.datetime, list[ObservedUsage]](list)
    for row in rows:
        observed[row.hour].append(row)
    lines = []
    for row in rows:
        name, version_id = part.deployments[row.deployment]
        lines.append(ObservedLine(model=name, version=version_id, row=row))
    hours = (first + number * HOUR for number in range((last - first) // HOUR))
    figures = [_hour(hour, ledger[hour], observed[hour], now) for hour in hours]
    return Comparison(start=first, end=last, hours=figures, lines=lines)


def _part(model: str, version: UUID | None, deployment: str) -> _Part:
    served = Deployment.objects.filter(endpoint__in=watched_endpoints()).exclude(in_service_at=None)
    wanted = {"version__adapter__name": model, "version": version, "name": deployment}
    some = served.filter(**{name: value for name, value in wanted.items() if value})
    deployments = {name: (of, id_) for name, of, id_ in some.values_list("name", "version__adapter__name", "version")}
    # Versions of the same content share a deployment.
    keys = served.filter(name__in=deployments).values_list("version", flat=True)
    return _Part(version_keys=frozenset(str(key) for key in keys), deployments=deployments)


@dataclass
class _Counted:
    """What the ledger has of an hour."""

    requests: int = 0
    errors: int = 0
    sketches: list[bytes] = field(default_factory=list)


def _ledger(part: _Part, start: dt.datetime, end: dt.datetime) -> dict[dt.datetime, _Counted]:
    hours: dict[dt.datetime, _Counted] = defaultdict(_Counted)
    rows = HourlyUsage.objects.filter(hour__gte=start, hour__lt=end, version_key__in=part.version_keys)
    # A cloud can't count what was refused before it was asked.
    for row in rows.exclude(endpoint="").defer("first_token_sketch"):
        counted = hours[row.hour]
        counted.requests += row.requests
        counted.errors += row.errors
        counted.sketches.append(bytes(row.latency_sketch))
    return hours


def _hour(hour: dt.datetime, ledger: _Counted, rows: list[ObservedUsage], now: dt.datetime) -> ComparedHour:
    [p95] = quantiles(ledger.sketches, (0.95,))
    return ComparedHour(
        hour=hour,
        requests=ledger.requests,
        errors=ledger.errors,
        p95_ms=p95,
        observed_requests=_sum(row.requests for row in rows),
        observed_errors=_sum(count for row in rows for count in (row.errors_4xx, row.errors_5xx)),
        observed_p95_ms=max((row.p95_ms for row in rows if row.p95_ms is not None), default=None),
        is_provisional=hour + HOUR + RECENT > now,
    )


def _sum(counts: Iterable[int | None]) -> int | None:
    """None if nothing was counted."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _percent(difference: int | None, of: int) -> float | None:
    return None if difference is None or not of else 100 * difference / of
