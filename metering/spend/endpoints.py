"""What endpoints cost in a range, and who bears it."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Avg, Count, Max, Q, Sum
from django.db.models.functions import Trunc

from metering.models import EndpointHour, Grain, ObservedEndpoint
from metering.spend.late import late_by_day, late_by_endpoint
from metering.usage.figures import MICROS
from serving.models import Endpoint

IDLE_BELOW = 0.05
"""Of its time, under which an endpoint is said to be idle."""
NOTHING = Decimal(0)
FEWEST_HOURS = 24
"""Fewer say nothing yet."""


@dataclass(frozen=True, kw_only=True)
class EndpointSpend:
    """An endpoint, which may be gone. `used` and `idle` are borne by organisations, `operator` by nobody else.

    `gpu_percent` and `gpu_memory_percent` are means of what a cloud told, None where none did.
    """

    name: str
    endpoint: Endpoint | None
    hours: float
    used: Decimal
    idle: Decimal
    operator: Decimal
    hours_without_price: int
    gpu_percent: float | None = None
    gpu_memory_percent: float | None = None

    @property
    def total(self) -> Decimal:
        return self.used + self.idle + self.operator

    @property
    def used_share(self) -> float | None:
        return float(self.used / self.total) if self.total else None

    @property
    def is_idle(self) -> bool:
        """Whether it is there for nearly nothing."""
        return self.endpoint is not None and self.hours >= FEWEST_HOURS and (self.used_share or 0.0) < IDLE_BELOW


def endpoints_between(start: dt.datetime, end: dt.datetime) -> Sequence[EndpointSpend]:
    """The dearest first. What was counted late is used as well. Call it in the system scope."""
    there = {one.name: one for one in Endpoint.objects.all()}
    observed, late = _observed(start, end), late_by_endpoint(start, end)
    rows = EndpointHour.objects.filter(hour__gte=start, hour__lt=end).order_by().values("endpoint").annotate(
        ms=Sum("instance_ms"), used=Sum("used_micros"), idle=Sum("idle_micros"), operator=Sum("operator_micros"),
        unknown=Count("hour", filter=Q(price_per_hour=None)), last=Max("hour"),
    )  # fmt: skip
    found = [
        EndpointSpend(
            name=row["endpoint"],
            endpoint=there.get(row["endpoint"]),
            hours=row["ms"] / 3_600_000,
            used=Decimal(row["used"]) / MICROS + late.get(row["endpoint"], NOTHING),
            idle=Decimal(row["idle"]) / MICROS,
            operator=Decimal(row["operator"]) / MICROS - late.get(row["endpoint"], NOTHING),
            hours_without_price=row["unknown"],
            gpu_percent=observed.get(row["endpoint"], (None, None))[0],
            gpu_memory_percent=observed.get(row["endpoint"], (None, None))[1],
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (-one.total, one.name))


def endpoints_by_day(start: dt.datetime, end: dt.datetime) -> dict[str, dict[dt.datetime, Decimal]]:
    """What all endpoints cost on each day (UTC), by who bears it. Call it in the system scope."""
    late = late_by_day(start, end)
    found: dict[str, dict[dt.datetime, Decimal]] = defaultdict(dict)
    hours = EndpointHour.objects.filter(hour__gte=start, hour__lt=end)
    days = hours.annotate(day=Trunc("hour", Grain.DAY.value, tzinfo=dt.UTC)).order_by("day").values_list("day")
    for day, used, idle, operator in days.annotate(Sum("used_micros"), Sum("idle_micros"), Sum("operator_micros")):
        for title, micros in (("Used", used), ("Idle, charged", idle), ("Not charged", operator)):
            found[title][day] = Decimal(micros) / MICROS
        found["Used"][day] += late.get(day, NOTHING)
        found["Not charged"][day] -= late.get(day, NOTHING)
    return found


def _observed(start: dt.datetime, end: dt.datetime) -> dict[str, tuple[float | None, float | None]]:
    hours = ObservedEndpoint.objects.filter(hour__gte=start, hour__lt=end).order_by().values_list("endpoint__name")
    return {name: (gpu, memory) for name, gpu, memory in hours.annotate(Avg("gpu_percent"), Avg("gpu_memory_percent"))}
