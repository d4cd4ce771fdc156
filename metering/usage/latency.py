"""How long a version usually takes to answer."""

import datetime as dt
from uuid import UUID

from django.utils import timezone

from metering.ledger.sketches import counts_of, quantiles
from metering.models import HourlyUsage

RECENT = dt.timedelta(days=7)
FEWEST_ANSWERS = 100
"""Fewer don’t tell a 95th percentile."""


def usual_p95_ms(version_id: UUID) -> float | None:
    """The 95th percentile of its answers in the last seven days, in milliseconds; None after fewer than 100."""
    hours = HourlyUsage.objects.filter(version_key=str(version_id), hour__gte=timezone.now() - RECENT)
    sketch = b"".join(bytes(one) for one in hours.values_list("latency_sketch", flat=True))
    if counts_of(sketch).sum() < FEWEST_ANSWERS:
        return None
    [p95] = quantiles(sketch, (0.95,))
    return p95
