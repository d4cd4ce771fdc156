"""Counts routed requests by hour, in the transaction that collects them."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from serving.models import RouterHits

KEY = ("tenant_id", "router", "hour", "by", "rule", "target")
LONGEST = {"router": 60, "by": 16, "rule": 36, "target": 80}


class Routed(NamedTuple):
    """A request that a router sent somewhere. `hour` is in UTC."""

    tenant_id: UUID
    router: str
    hour: dt.datetime
    by: str
    rule: str
    target: str


def count(routed: Iterable[Routed]) -> None:
    """Add each request to its hour. The caller sees to it that each is counted once, and one collector at a time."""
    added = Counter(one for one in routed if all(len(getattr(one, name)) <= most for name, most in LONGEST.items()))
    if not added:
        return
    known = RouterHits.objects.filter(
        tenant_id__in={one.tenant_id for one in added},
        router__in={one.router for one in added},
        hour__in={one.hour for one in added},
    )
    rows = {Routed(*(getattr(row, name) for name in KEY)): row for row in known}
    changed = []
    for key, requests in sorted(added.items()):
        row = rows.get(key) or RouterHits(**key._asdict())
        row.requests += requests
        changed.append(row)
    RouterHits.objects.bulk_create(
        changed, batch_size=1_000, update_conflicts=True, unique_fields=list(KEY), update_fields=["requests"]
    )
