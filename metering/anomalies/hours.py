"""An hour and the same hour of past weeks, from the roll-ups: two queries for an organisation."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from metering.anomalies.detecting import Hour
from metering.models import Alert, AlertKind, By, Grain, HourlyUsage, RollUp, UsageTotal
from metering.usage.figures import Figures, figures_of
from tenants.scope import system_scope

WEEK = dt.timedelta(days=7)
WEEKS = 8
KINDS = (AlertKind.LATENCY, AlertKind.ERRORS, AlertKind.COST)
COLUMNS = (*RollUp.SUMS, *RollUp.SKETCHES)
NOTHING = Hour(requests=0, errors=0, answered=0, p95_ms=None, micros=0)


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A model, or all (`model` is empty), in an hour and in the same hour of the weeks before that had requests."""

    model: str
    hour: Hour
    past: list[Hour]


def beside_past_weeks(start: dt.datetime, models: Iterable[str] = ()) -> list[Beside]:
    """The active tenant's, of the hour that begins at `start`: every model with requests and those named, then all."""
    starts = [start - week * WEEK for week in range(WEEKS + 1)]
    total = UsageTotal.objects.filter(by=By.ALL, grain=Grain.HOUR, start__in=starts)
    rows = list(total.values_list("start", *COLUMNS))
    found = figures_of([("", row[0]) for row in rows], [row[1:] for row in rows])
    single = HourlyUsage.objects.filter(hour__in=starts).exclude(alias="").order_by()
    rows = list(single.values_list("alias", "hour", *COLUMNS))
    found |= figures_of([row[:2] for row in rows], [row[2:] for row in rows])
    names = sorted({model for model, at in found if at == start} | set(models) - {""})
    return [
        Beside(
            model=model,
            hour=_hour(found.get((model, start))),
            past=[_hour(found.get((model, at))) for at in starts[1:] if (model, at) in found],
        )
        for model in [*(name for name in names if name), ""]
    ]


def tenants_to_check(start: dt.datetime) -> list[UUID]:
    """Organisations with requests in an hour, or with an open alert about one."""
    with system_scope():
        busy = UsageTotal.objects.filter(by=By.ALL, grain=Grain.HOUR, start=start).order_by()
        alarmed = Alert.objects.open().filter(kind__in=KINDS).order_by()
        return sorted({*busy.values_list("tenant_id", flat=True), *alarmed.values_list("tenant_id", flat=True)})


def _hour(figures: Figures | None) -> Hour:
    if figures is None:
        return NOTHING
    return Hour(
        requests=figures.requests,
        errors=figures.errors,
        answered=figures.answered,
        p95_ms=figures.p95_ms,
        micros=None if figures.unpriced else figures.used_micros + figures.idle_micros,
    )
