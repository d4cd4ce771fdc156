"""What requests count for a trial's callers."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from adapters.models import AdapterVersion
from lorakit.contracts import InvocationRecord
from metering.usage.latency import usual_p95_ms
from serving.models import Trial, TrialCaller
from serving.promotions.services import promote_version
from serving.trials.callers import MOST_REQUESTS
from serving.trials.figures import figures_of, measured
from serving.trials.services import TrialPlan
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.serving.trials.conftest import until_tried

pytestmark = pytest.mark.django_db
Versions = tuple[AdapterVersion, AdapterVersion]
CANARY, LIVE = "0" * 32, "f" * 32


@pytest.fixture
def trial(versions: Versions) -> Trial:
    """A running canary of 10 %, with windows of ten minutes, in which requests over 500 ms are slow."""
    first, second = versions
    plan = TrialPlan(percent=10, minutes=60)
    promote_version(tenant=first.tenant, version=second, created_by=None, canary=plan)
    trial = until_tried()
    trial.slow_ms = 500.0
    trial.save()
    return trial


@pytest.fixture
def ask(
    trial: Trial,
    record: Callable[..., InvocationRecord],
    count: Callable[..., int],
) -> Callable[..., None]:
    """Let a caller's requests be collected: changes to a usual record, one for each."""

    def collected(caller: str, *requests: dict[str, object], trial_id: object = trial.id) -> None:
        assert count(*(record(trial_id=str(trial_id), caller=caller, **changes) for changes in requests)) == len(
            requests
        )

    return collected


def seen(caller: str) -> tuple[bool, int, int, int]:
    row = TrialCaller.objects.get(caller=caller)
    return row.in_canary, row.requests, row.errors, row.slow


def test_errors_and_slow_requests_of_both_arms(trial: Trial, ask: Callable[..., None]) -> None:
    refusals = ({"status": status} for status in (400, 404, 429, 499))
    ask(CANARY, {}, {"status": 503}, {"latency_ms": 900.0}, {"failed_over": True}, *refusals)
    ask(LIVE, {}, {"latency_ms": 900.0, "status": 502})
    ask(LIVE, {})
    assert seen(CANARY) == (True, 8, 2, 1)
    assert seen(LIVE) == (False, 3, 1, 0)


def test_only_the_first_requests_in_a_window_count(trial: Trial, ask: Callable[..., None]) -> None:
    start = timezone.now().timestamp()
    ask(CANARY, {"at": start}, {"at": start + 599}, {"at": start + 601, "status": 500})
    ask(CANARY, {"at": start + 700, "status": 500})
    assert seen(CANARY) == (True, 2, 0, 0)
    ask(LIVE, *({"at": start + number} for number in range(MOST_REQUESTS + 5)))
    assert seen(LIVE) == (False, MOST_REQUESTS, 0, 0)


def test_windows_that_are_open_decide_nothing(trial: Trial, ask: Callable[..., None]) -> None:
    now = timezone.now()
    ask(CANARY, {"at": now.timestamp(), "status": 500})
    assert measured(trial, now=now).candidate.callers == 0
    assert figures_of(trial).candidate.requests == 1
    later = measured(trial, now=now + dt.timedelta(minutes=11)).candidate
    assert (later.callers, later.with_errors, later.error_share) == (1, 1, 1.0)


def test_a_copied_ledger_counts_nothing_twice(
    trial: Trial,
    record: Callable[..., InvocationRecord],
    count: Callable[..., int],
    write: Callable[..., object],
) -> None:
    line = record(trial_id=str(trial.id), caller=CANARY)
    assert count(line) == 1
    write(line, name="gateway-copy.jsonl")
    assert count() == 0
    assert seen(CANARY) == (True, 1, 0, 0)


def test_what_is_no_caller_of_the_trial_counts_nothing(
    trial: Trial,
    ask: Callable[..., None],
    other_tenant: Tenant,
    record: Callable[..., InvocationRecord],
    count: Callable[..., int],
) -> None:
    for name in ("short", "z" * 32, "F" * 32, ""):
        ask(name, {})
    ask(CANARY, {}, trial_id="00000000-0000-0000-0000-000000000000")
    # Another tenant's line never counts for this one's trial.
    assert count(record(trial_id=str(trial.id), caller=CANARY, tenant_id=str(other_tenant.id))) == 1
    assert not TrialCaller.objects.exists()
    with tenant_scope(other_tenant.id):
        assert not TrialCaller.objects.exists()


def test_slow_is_what_is_slower_than_usual(
    versions: Versions,
    record: Callable[..., InvocationRecord],
    count: Callable[..., int],
) -> None:
    first, second = versions
    assert usual_p95_ms(first.id) is None
    usual = (record(version_id=str(first.id), latency_ms=float(number)) for number in range(1, 201))
    assert count(*usual) == 200
    assert usual_p95_ms(first.id) == pytest.approx(190, rel=0.02)
    plan = TrialPlan(percent=10, minutes=60)
    promote_version(tenant=first.tenant, version=second, created_by=None, canary=plan)
    assert until_tried().slow_ms == usual_p95_ms(first.id)
