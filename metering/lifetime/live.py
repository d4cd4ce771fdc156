"""The live versions of the active tenant, as the advice needs to see them."""

import datetime as dt
from uuid import UUID

from django.db.models import Max, Sum
from django.utils import timezone

from metering.lifetime.advice import RECENT, Advised, Seen, advise
from metering.models import By, EndpointHour, HourlyUsage, version_value
from metering.usage.figures import Figures
from metering.usage.queries import Slice, usage_of
from serving.models import Route


def advice_by_version() -> dict[UUID, Advised]:
    """For each version that a model answers with now. A constant number of queries."""
    now = timezone.now()
    routes = list(Route.objects.exclude(active=None).select_related("active__endpoint", "active__version__adapter"))
    recent = usage_of(Slice.touching(now - RECENT, now), By.VERSION).lines
    figures = {line.name.value: line.figures for line in recent[:]}
    asked, times = _last_asked(), _instance_times(now - RECENT)
    found = {}
    for route in routes:
        live = route.active
        value = version_value(live.version.adapter.name, str(live.version_id))
        since = live.in_service_at or now
        seen = Seen(
            recent=figures.get(value, Figures()),
            live_for=now - since,
            quiet_for=now - max(since, asked.get(str(live.version_id), since)),
            instance_time=times.get(live.endpoint.name, dt.timedelta()),
            is_pinned=live.is_pinned,
        )
        found[live.version_id] = advise(seen)
    return found


def _last_asked() -> dict[str, dt.datetime]:
    """The end of the last hour with a request, by version id."""
    # Rows without requests bear idle time.
    rows = HourlyUsage.objects.filter(requests__gt=0).exclude(version_key="").order_by().values_list("version_key")
    return {key: hour + dt.timedelta(hours=1) for key, hour in rows.annotate(Max("hour"))}


def _instance_times(since: dt.datetime) -> dict[str, dt.timedelta]:
    hours = EndpointHour.objects.filter(hour__gte=since).order_by().values_list("endpoint")
    return {name: dt.timedelta(milliseconds=ms) for name, ms in hours.annotate(Sum("instance_ms"))}
