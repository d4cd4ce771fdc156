"""Counts requests of a trial's callers, in the transaction that collects them."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from serving.models import Trial, TrialCaller
from serving.trials.arms import in_canary, is_mark

MOST_REQUESTS = 20
"""Of a caller, the first in their window: one who asks a thousand times weighs no more than others."""

SERVER_ERROR = 500


class Seen(NamedTuple):
    """A request of a trial's caller. `failed_over`: the candidate failed, and the live version answered instead."""

    tenant_id: UUID
    trial_id: UUID
    caller: str
    at: dt.datetime
    status: int
    latency_ms: float
    failed_over: bool


def count(seen: Iterable[Seen]) -> None:
    """Add each request to its caller. The caller of this function sees to it that each is counted once, and one
    collector at a time."""
    by_caller: dict[tuple[UUID, str], list[Seen]] = defaultdict(list)
    for one in seen:
        by_caller[one.trial_id, one.caller].append(one)
    if not by_caller:
        return
    trials = Trial.objects.in_bulk({trial_id for trial_id, _ in by_caller})
    rows = {
        (row.trial_id, row.caller): row
        for row in TrialCaller.objects.filter(trial__in=trials, caller__in={caller for _, caller in by_caller})
    }
    changed = []
    for (trial_id, caller), requests in by_caller.items():
        trial = trials.get(trial_id)
        # A line of the ledger is not believed: a trial counts its own tenant's requests, under a name that it gave.
        if trial is None or not is_mark(caller) or any(one.tenant_id != trial.tenant_id for one in requests):
            continue
        changed.append(_plus(rows.get((trial_id, caller)), trial, sorted(requests, key=lambda one: one.at)))
    TrialCaller.objects.bulk_create(
        changed,
        batch_size=1_000,
        update_conflicts=True,
        unique_fields=["tenant", "trial", "caller"],
        update_fields=["requests", "errors", "slow"],
    )


def _plus(row: TrialCaller | None, trial: Trial, requests: list[Seen]) -> TrialCaller:
    first = requests[0]
    if row is None:
        row = TrialCaller(
            tenant_id=trial.tenant_id,
            trial=trial,
            caller=first.caller,
            in_canary=in_canary(first.caller, trial.share),
            closes_at=first.at + trial.window,
        )
    for one in requests:
        if one.at >= row.closes_at or row.requests >= MOST_REQUESTS:
            break
        row.requests += 1
        failed = one.failed_over or one.status >= SERVER_ERROR
        row.errors += failed
        row.slow += not failed and trial.slow_ms is not None and one.latency_ms > trial.slow_ms
    return row
