"""The twin of an endpoint: its memory, its adapters with their tiers, and its load, from its options and its usage."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.utils import timezone

from adapters.base_models.shapes import read_shape
from lorakit.capacity.plan import Plan, plan_of
from lorakit.capacity.residency import Tier, characteristic_seconds, misses_a_day, tier_of
from lorakit.capacity.setup import Setup
from lorakit.capacity.shape import Shape
from lorakit.capacity.waiting import GAIN, Batch, Load, load_of_busy, load_of_requests
from serving.backends.errors import EndpointError
from serving.backends.residency import Residency
from serving.capacity.usage import HourOfUse, Usage, usage_of
from serving.endpoints.queries import backend_of
from serving.models import HELD, Deployment, Endpoint, Route
from tenants.scope import system_scope

DAY = dt.timedelta(days=1)
WEEK = dt.timedelta(days=7)
HOUR_SECONDS = 3600.0


@dataclass(frozen=True, kw_only=True)
class HeldAdapter:
    """An adapter that an endpoint holds. `rate` is requests a second, over the last day or since it is there."""

    deployment: Deployment
    rate: float
    tier: Tier

    @property
    def an_hour(self) -> float:
        """Requests an hour."""
        return self.rate * HOUR_SECONDS

    @property
    def is_asked(self) -> bool:
        return self.rate > 0


@dataclass(frozen=True, kw_only=True)
class Demand:
    """The load of one engine of an endpoint as its requests met it in the last week, and in its busiest hour.

    `seconds` is what a request takes alone; `rate` is requests a second.
    """

    usual: Load
    busiest: Load
    rate: float
    p95_ms: float | None

    @property
    def seconds(self) -> float:
        return self.usual.work / self.rate

    def plus(self, rate: float) -> "Demand":
        """With so many more requests a second, as long as the others."""
        work = rate * self.seconds
        usual = Load(self.usual.batch, self.usual.work + work)
        busiest = Load(self.busiest.batch, self.busiest.work + work)
        longer = usual.slowdown / self.usual.slowdown
        p95_ms = None if self.p95_ms is None or math.isinf(longer) else self.p95_ms * longer
        return Demand(usual=usual, busiest=busiest, rate=self.rate + rate, p95_ms=p95_ms)


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Of a usual request, on average over the last week."""

    read: int
    written: int


@dataclass(frozen=True, kw_only=True)
class Twin:
    """An endpoint whose setup and base are known. `demand` and `tokens` are None until something was asked of it.

    `slot_seconds` and `host_seconds` are the characteristic times of slots and of the machine's memory.
    """

    endpoint: Endpoint
    setup: Setup
    shape: Shape
    plan: Plan
    copies: int
    adapters: Sequence[HeldAdapter]
    demand: Demand | None
    tokens: Tokens | None
    slot_seconds: float
    host_seconds: float

    @property
    def pinned(self) -> int:
        """How many adapters keep their slot. All others take turns in the rest."""
        return sum(adapter.deployment.is_pinned for adapter in self.adapters)

    @property
    def rates(self) -> list[float]:
        """Requests a second, at one of the engines, of each adapter that isn't pinned."""
        return [one.rate / self.copies for one in self.adapters if not one.deployment.is_pinned]

    @property
    def misses(self) -> float:
        """Requests a day, at all engines, that wait for their adapter to be put into a slot."""
        return misses_a_day(self.rates, self.slot_seconds) * self.copies

    def count(self, tier: Tier) -> int:
        """Adapters of a tier."""
        return sum(adapter.tier is tier for adapter in self.adapters)


def twin_of(endpoint: Endpoint, *, now: dt.datetime | None = None) -> Twin | None:
    """The twin as it was at `now`; None if its engine's setup, or its base's shape, isn't known here.

    Raises EndpointNotSetUp, and ValueError for a setup that can't be.
    """
    now = now or timezone.now()
    backend, shape = backend_of(endpoint), read_shape(endpoint.base_model)
    setup = backend.setup(endpoint.base_model.context_length)
    if setup is None or shape is None:
        return None
    held = held_on(endpoint)
    versions = {one.version_id: one.tenant_id for one in held}
    base = endpoint.base_model.name
    lately = usage_of(versions, base=base, start=now - DAY, end=now)
    week = usage_of(versions, base=base, start=now - WEEK, end=now)
    rates = [_rate(one, lately.requests, now) for one in held]
    shared = [rate / backend.copies for rate in rates]
    pinned = sum(one.is_pinned for one in held)
    in_turn = [rate for one, rate in zip(held, shared, strict=True) if not one.is_pinned]
    slot_seconds = characteristic_seconds(in_turn, setup.slots - pinned)
    host_seconds = characteristic_seconds(in_turn, setup.host_adapters - pinned)
    return Twin(
        endpoint=endpoint,
        setup=setup,
        shape=shape,
        plan=plan_of(shape, setup),
        copies=backend.copies,
        adapters=[
            HeldAdapter(
                deployment=one,
                rate=rate,
                tier=Tier.HOT
                if one.is_pinned
                else tier_of(share, slot_seconds=slot_seconds, host_seconds=host_seconds),
            )
            for one, rate, share in zip(held, rates, shared, strict=True)
        ],
        demand=demand_of(setup, week.hours, copies=backend.copies, p95_ms=week.p95_ms),
        tokens=_tokens(week),
        slot_seconds=slot_seconds,
        host_seconds=host_seconds,
    )


def residency_of(endpoint: Endpoint) -> Residency | None:
    """What the endpoint itself says of its adapters and memory; None where it doesn't, or is away."""
    if not endpoint.is_serving:
        return None
    try:
        return backend_of(endpoint).residency()
    except EndpointError:
        return None


def held_on(endpoint: Endpoint) -> list[Deployment]:
    """What it holds, of all tenants; `is_live` says whether requests for the model ID go there."""
    with system_scope():
        held = Deployment.objects.filter(endpoint=endpoint, state__in=HELD).defer("version__manifest")
        held = held.select_related("tenant", "version__adapter")
        held = held.annotate(is_live=Exists(Route.objects.filter(active_id=OuterRef("id"))))
        return list(held.order_by("tenant__name", "version__adapter__name", "-version__number", "id"))


def demand_of(setup: Setup, hours: Sequence[HourOfUse], *, copies: int, p95_ms: float | None) -> Demand | None:
    """The demand of one of so many engines; None without requests that took any time."""
    requests = sum(hour.requests for hour in hours)
    if not requests or not any(hour.busy_seconds for hour in hours):
        return None
    # A percentile over all requests shows the hours in proportion to their requests.
    busy = sum(hour.requests * hour.busy_seconds for hour in hours) / requests
    rate = sum(hour.requests**2 for hour in hours) / requests
    most = max(hour.busy_seconds for hour in hours)
    return Demand(
        usual=_load(setup, busy / HOUR_SECONDS / copies),
        busiest=_load(setup, most / HOUR_SECONDS / copies),
        rate=rate / HOUR_SECONDS / copies,
        p95_ms=p95_ms,
    )


def _load(setup: Setup, busy: float) -> Load:
    """Our engine reports each request's share of its time; of others the time in which they answered is known."""
    batch = Batch(width=setup.width, gain=GAIN[setup.engine])
    return load_of_busy(batch, busy) if setup.engine == "lorakit" else load_of_requests(batch, busy)


def _tokens(usage: Usage) -> Tokens | None:
    requests = sum(hour.requests for hour in usage.hours)
    if not requests or not usage.input_tokens:
        return None
    return Tokens(read=max(1, usage.input_tokens // requests), written=max(1, usage.output_tokens // requests))


def _rate(deployment: Deployment, requests: Mapping[UUID, int], now: dt.datetime) -> float:
    since = now - (deployment.in_service_at or now)
    seconds = min(DAY.total_seconds(), max(HOUR_SECONDS, since.total_seconds()))
    return requests.get(deployment.version_id, 0) / seconds
