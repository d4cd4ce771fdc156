"""What was asked of the versions on an endpoint, of all its tenants. Only the operator sees it."""

import datetime as dt
from collections.abc import Mapping
from uuid import UUID

from django.db.models import Q, Sum

from metering.ledger.sketches import quantiles, size_of
from metering.models import HourlyUsage
from serving.capacity.usage import HourOfUse, Usage
from tenants.scope import system_scope

FEWEST_ANSWERS = 100
"""Fewer don’t tell a 95th percentile."""


def usage_of_versions(versions: Mapping[UUID, UUID], *, base: str, start: dt.datetime, end: dt.datetime) -> Usage:
    """The `Finder` of the capacity pages: three queries, whatever the number of tenants."""
    of_versions = Q(version_key__in=[str(version) for version in versions])
    with system_scope():
        # The tenants say no more than the versions do, but they are what the index begins with.
        rows = HourlyUsage.objects.filter(tenant__in=set(versions.values()), hour__gte=start, hour__lt=end).order_by()
        requests = rows.filter(of_versions).values_list("version_key").annotate(all=Sum("requests"))
        by_version = {UUID(key): count for key, count in requests}
        rows = rows.filter(of_versions | Q(version_key="", alias=base))
        by_hour = rows.values("hour").annotate(
            all=Sum("requests"), busy=Sum("busy_us"), read=Sum("prompt_tokens"), written=Sum("completion_tokens")
        )
        hours = list(by_hour)
        sketches = list(rows.values_list("latency_sketch", flat=True))
    return Usage(
        requests=by_version,
        hours=[HourOfUse(requests=hour["all"], busy_seconds=hour["busy"] / 1e6) for hour in hours],
        p95_ms=quantiles(sketches, (0.95,))[0] if size_of(sketches) >= FEWEST_ANSWERS else None,
        input_tokens=sum(hour["read"] for hour in hours),
        output_tokens=sum(hour["written"] for hour in hours),
    )
