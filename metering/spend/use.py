"""How an endpoint was used over time: its adapters, its time, and what a cloud saw of its machines."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from metering.models import EndpointHour, EngineHour, ObservedEndpoint
from metering.usage.queries import Slice
from metering.usage.ranges import HOUR
from serving.models import Deployment, Endpoint
from tenants.scope import system_scope

OBSERVED = ("gpu_percent", "gpu_memory_percent", "cpu_percent", "memory_percent", "concurrency", "waiting")
MIB = 2**20
Span = tuple[dt.datetime, dt.datetime]
"""From a time up to another, exclusive."""


@dataclass(frozen=True, kw_only=True)
class HourOfUse:
    """An hour (UTC) in which an endpoint was there. What is not known is None.

    `adapters` is the most that were on it at a time, `used_percent` the share of its cost that somebody used. What
    follows is a cloud's: means in per cent, and the most requests at a time that an instance answered or let wait. MiB
    are the most that each part of the engine's memory took, as it says itself.
    """

    adapters: int | None = None
    used_percent: float | None = None
    gpu_percent: float | None = None
    gpu_memory_percent: float | None = None
    cpu_percent: float | None = None
    memory_percent: float | None = None
    concurrency: float | None = None
    waiting: float | None = None
    base_mib: float | None = None
    slots_mib: float | None = None
    cache_mib: float | None = None
    process_mib: float | None = None


@dataclass(frozen=True, kw_only=True)
class Stay:
    """How long an adapter was on an endpoint within a range, and whether it is there still."""

    deployment: Deployment
    time: dt.timedelta
    is_there: bool

    @property
    def hours(self) -> float:
        return self.time / HOUR


def use_over_time(endpoint: Endpoint, wanted: Slice) -> dict[dt.datetime, HourOfUse]:
    """By hour; an hour that nothing is known of has none."""
    measured = {
        hour: None if not micros else 100 * used / micros
        for hour, micros, used in EndpointHour.objects.filter(
            endpoint=endpoint.name, hour__gte=wanted.start, hour__lt=wanted.end, up_ms__gt=0
        ).values_list("hour", "micros", "used_micros")
    }
    rows = ObservedEndpoint.objects.filter(endpoint=endpoint, hour__gte=wanted.start, hour__lt=wanted.end)
    observed = {row["hour"]: row for row in rows.order_by().values("hour", *OBSERVED)}
    memory = _memory(endpoint, wanted)
    # Content that several organisations or versions have is one adapter to the engine.
    spans: dict[str, list[Span]] = defaultdict(list)
    for deployment in _deployments(endpoint, wanted):
        spans[deployment.name].append(_span(deployment, wanted.end))
    most = most_at_a_time(spans.values(), sorted(measured))
    return {
        hour: HourOfUse(
            adapters=most.get(hour),
            used_percent=measured.get(hour),
            **{name: observed[hour][name] if hour in observed else None for name in OBSERVED},
            **memory.get(hour, {}),
        )
        for hour in sorted({*measured, *observed, *memory})
    }


def _memory(endpoint: Endpoint, wanted: Slice) -> dict[dt.datetime, dict[str, float | None]]:
    """By hour and the field of an `HourOfUse`."""
    rows = EngineHour.objects.filter(endpoint=endpoint, hour__gte=wanted.start, hour__lt=wanted.end).order_by()
    columns = [f"{part}_bytes" for part in EngineHour.PARTS]
    return {
        hour: {
            f"{part}_mib": None if size is None else size / MIB
            for part, size in zip(EngineHour.PARTS, sizes, strict=True)
        }
        for hour, *sizes in rows.values_list("hour", *columns)
    }


def stays(endpoint: Endpoint, wanted: Slice, *, now: dt.datetime) -> list[Stay]:
    """Of every adapter that was on it in a range, the longest first; those that were there as long, by name."""
    end = min(wanted.end, now)
    times: dict[UUID, dt.timedelta] = defaultdict(dt.timedelta)
    last: dict[UUID, Deployment] = {}
    for deployment in _deployments(endpoint, wanted):
        begin, until = _span(deployment, end)
        times[deployment.version_id] += max(dt.timedelta(), min(until, end) - max(begin, wanted.start))
        last[deployment.version_id] = deployment
    found = [
        Stay(deployment=deployment, time=times[version_id], is_there=deployment.deleted_at is None)
        for version_id, deployment in last.items()
    ]
    return sorted(found, key=lambda stay: (-stay.time, str(stay.deployment.version), str(stay.deployment.id)))


def most_at_a_time(things: Iterable[Iterable[Span]], hours: Sequence[dt.datetime]) -> Mapping[dt.datetime, int]:
    """The most things that were there at a time in each of these hours, the earliest first. A thing counts once."""
    changes = sorted(change for spans in things for begin, end in _joined(spans) for change in ((begin, 1), (end, -1)))
    found, level, place = {}, 0, 0
    for hour in hours:
        while place < len(changes) and changes[place][0] <= hour:
            level += changes[place][1]
            place += 1
        most = level
        while place < len(changes) and changes[place][0] < hour + HOUR:
            level += changes[place][1]
            most, place = max(most, level), place + 1
        found[hour] = most
    return found


def _joined(spans: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    for begin, end in sorted(span for span in spans if span[0] < span[1]):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def _span(deployment: Deployment, end: dt.datetime) -> Span:
    begin = deployment.in_service_at or end
    return begin, deployment.deleted_at or max(begin, end)


def _deployments(endpoint: Endpoint, wanted: Slice) -> list[Deployment]:
    with system_scope():
        there = Deployment.objects.filter(endpoint=endpoint, in_service_at__lt=wanted.end)
        overlapping = there.filter(Q(deleted_at=None) | Q(deleted_at__gt=wanted.start))
        return list(overlapping.select_related("version__adapter", "tenant").order_by("in_service_at"))
