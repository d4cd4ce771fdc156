"""How long a version usually takes to answer."""

import datetime as dt
from uuid import UUID

from django.db.models import Subquery
from django.utils import timezone

from adapters.models import AdapterVersion
from metering.ledger.sketches import quantiles, size_of
from metering.models import HourlyUsage

RECENT = dt.timedelta(days=7)
FEWEST_ANSWERS = 100
"""Fewer don’t tell a 95th percentile."""


def usual_p95_ms(version_id: UUID) -> float | None:
    """The 95th percentile of its answers in the last seven days, in milliseconds; None after fewer than 100."""
    # The model says no more than the version does, but it is what an index begins with.
    model = AdapterVersion.objects.filter(id=version_id).values("adapter__name")
    since = timezone.now() - RECENT
    hours = HourlyUsage.objects.filter(alias=Subquery(model), version_key=str(version_id), hour__gte=since)
    sketches = list(hours.values_list("latency_sketch", flat=True))
    return quantiles(sketches, (0.95,))[0] if size_of(sketches) >= FEWEST_ANSWERS else None
