"""Promotions and rollbacks, to be seen on the time axis of usage."""

from jobs.states import State
from metering.models import By
from metering.usage.charts import Mark
from metering.usage.queries import Slice
from serving.models import Promotion

MOST = 12
"""More would hide what they explain."""


def marks_of(wanted: Slice) -> list[Mark]:
    """The newest promotions that ended well in a range, of the model or version it is of, the earliest first."""
    only = dict(wanted.only)
    found = Promotion.objects.filter(
        job__state=State.SUCCEEDED, job__finished_at__gte=wanted.start, job__finished_at__lt=wanted.end
    )
    if By.VERSION in only:
        found = found.filter(version_id__in=[key] if (key := only[By.VERSION].partition("/")[2]) else [])
    elif By.MODEL in only:
        found = found.filter(version__adapter__name=only[By.MODEL])
    newest = found.select_related("job", "version__adapter").order_by("-job__finished_at")[:MOST]
    return [Mark(at=one.job.finished_at, text=_text(one)) for one in reversed(newest)]


def _text(promotion: Promotion) -> str:
    return f"{'▼' if promotion.is_rollback else '▲'} {promotion.version}"
