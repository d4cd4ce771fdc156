"""Sixteen callers and workers at once, with threads and committed rows: what they leave behind is always in order.

The audit trail has the switches in the order in which they were committed, so it can be replayed on the picture of
aliases. CONTRIBUTING.md says how to race 1,000 times instead of a few.
"""

import contextlib
import datetime as dt
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from adapters.models import AdapterVersion
from jobs.engine.reconciler import jobs_to_step
from jobs.engine.steps import step_job
from jobs.models import Job
from jobs.services import stop_job
from jobs.states import TERMINAL, State
from rest.errors import Conflict
from serving.backends import endpoints
from serving.endpoints.reconciler import reconcile
from serving.models import HELD, PROMOTION, Deployment, DeploymentState, Route, Trial, TrialState
from serving.promotions.services import promote_version, roll_back, try_version
from serving.trials.queries import TRIAL
from serving.trials.services import TrialPlan
from tenants.models import AuditEvent, Tenant
from tenants.scope import system_scope, tenant_scope
from tests.examples import examples
from tests.serving.faulty_endpoint import Fault, FaultyEndpoint
from tests.serving.promotions.aliases import Alias

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

THREADS = 16
ROUNDS = 10
KINDS = (PROMOTION, TRIAL)
PAST = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
PLAN = TrialPlan(percent=50, minutes=10)
REFUSALS = {"promotion:running", "trial:running", "trial:nothing_live", "route:nothing_to_roll_back",
            "promotion:deployment_gone", "job:already_ended"}  # fmt: skip
FAILURES = {"promotion:deployment_failed", "promotion:deployment_gone", "deployment:refused", "trial:stopped"}


@pytest.fixture
def endpoint_in_memory(monkeypatch: pytest.MonkeyPatch) -> FaultyEndpoint:
    endpoint = FaultyEndpoint()
    monkeypatch.setitem(endpoints.built, "default", endpoint)
    monkeypatch.setattr("serving.endpoints.fingerprint.ask", endpoint.answer)
    monkeypatch.setattr(
        "serving.endpoints.loading.known_answers", lambda version, limit: [([], version.package_sha256)]
    )
    return endpoint


@pytest.mark.parametrize("adapters", ["one", "several"])
def test_whatever_races_leaves_everything_in_order(
    adapters: str,
    endpoint_in_memory: FaultyEndpoint,
    tenant: Tenant,
    other_tenant: Tenant,
    make_version: Callable[..., AdapterVersion],
) -> None:
    contents: dict[tuple[Tenant, str], tuple[int, ...]] = {(tenant, "legal"): (1, 2, 1)}
    if adapters == "several":
        contents |= {(tenant, "support"): (1, 3), (other_tenant, "legal"): (1, 2)}
    versions = [make_version(whose, name, seed) for (whose, name), seeds in contents.items() for seed in seeds]
    barrier = Barrier(THREADS, timeout=60)
    race = Race(endpoint_in_memory, versions)

    def run(seed: str) -> None:
        choice = random.Random(seed)
        barrier.wait()
        race.act(choice)

    def leave(thread: int) -> None:
        barrier.wait()
        connections.close_all()

    with ThreadPoolExecutor(THREADS) as threads:
        try:
            for number in range(max(1, examples(ROUNDS) // 2)):
                race.endpoint.fault = random.Random(number).choice([Fault.NONE, Fault.NONE, *Fault])
                list(threads.map(run, [f"{adapters} {number} {thread}" for thread in range(THREADS)]))
                race.check()
        finally:
            list(threads.map(leave, range(THREADS)))


class Race:
    """What one thread does at a time, and what must be true once all have stopped."""

    def __init__(self, endpoint: FaultyEndpoint, versions: Sequence[AdapterVersion]) -> None:
        self.endpoint = endpoint
        self.versions = versions
        self.aliases = {version.adapter.name: version.adapter for version in versions}
        self.checked: dict[Tenant, int] = {version.tenant: 0 for version in versions}
        self.pictures = {(version.tenant_id, version.adapter.name): Alias() for version in versions}

    def act(self, choice: random.Random) -> None:
        version = choice.choice(self.versions)
        people = [self.promote, self.try_as_canary, self.try_it, self.roll_back, self.roll_back, self.stop]
        with tenant_scope(version.tenant_id), refused():
            if choice.random() < 0.5:
                choice.choice(people)(version)
            else:
                choice.choice([work, work, work, lose_leases, end_drains, end_trials, reconcile])()

    def promote(self, version: AdapterVersion) -> None:
        promote_version(tenant=version.tenant, version=version, created_by=None)

    def try_as_canary(self, version: AdapterVersion) -> None:
        promote_version(tenant=version.tenant, version=version, created_by=None, canary=PLAN)

    def try_it(self, version: AdapterVersion) -> None:
        try_version(tenant=version.tenant, version=version, plan=PLAN, created_by=None)

    def roll_back(self, version: AdapterVersion) -> None:
        if route := Route.objects.filter(adapter=version.adapter).first():
            roll_back(tenant=version.tenant, route=route, created_by=None)

    def stop(self, version: AdapterVersion) -> None:
        ours = {str(one.id) for one in self.versions if one.adapter == version.adapter}
        job = Job.objects.filter(kind__in=KINDS, spec__version__in=ours).exclude(state__in=TERMINAL).first()
        if job is not None:
            stop_job(job_id=job.id)

    def check(self) -> None:
        """Nobody is at work. Then the endpoint is well, jobs run to their end, and the reconciler looks twice."""
        for tenant in self.checked:
            with tenant_scope(tenant.id):
                self.replay(tenant)
                for route in Route.objects.select_related("active"):
                    assert route.active.state in (DeploymentState.IN_SERVICE, DeploymentState.DRAINING)
        self.endpoint.mend()
        for _ in range(80):
            self.endpoint.settle()
            with system_scope():
                if not Job.objects.filter(kind__in=KINDS).exclude(state__in=TERMINAL).exists():
                    break
            for act in (reconcile, end_trials, lose_leases, work):
                act()
        for _ in range(2):
            reconcile()
        with system_scope():
            jobs = list(Job.objects.filter(kind__in=KINDS))
            held = list(Deployment.objects.filter(state__in=HELD).select_related("version"))
            active = set(Route.objects.values_list("active", flat=True))
            assert not Trial.objects.filter(state=TrialState.RUNNING).exists()
        assert {job.state for job in jobs} <= TERMINAL, "a job hangs"
        assert {job.error_code for job in jobs if job.state == State.FAILED} <= FAILURES
        for deployment in held:
            assert deployment.id in active or deployment.drain_until, f"{deployment.state} {deployment} leaks"
        expected = {deployment.name: deployment.version.package_sha256 for deployment in held}
        assert {name: package.sha256 for name, (package, _) in self.endpoint.held.items()} == expected
        for tenant in self.checked:
            with tenant_scope(tenant.id):
                self.replay(tenant)

    def replay(self, tenant: Tenant) -> None:
        """What was switched since the last time, in the order in which it was."""
        number = {(v.tenant_id, str(v)): v.id for v in self.versions}
        events = AuditEvent.objects.filter(sequence__gt=self.checked[tenant]).order_by("sequence")
        for event in events:
            self.checked[tenant] = event.sequence
            if event.action != "route.switched":
                continue
            alias = self.pictures[tenant.id, event.target_name]
            before = event.before.get("version")
            assert alias.live == (before and number[tenant.id, before])
            alias.switch(number[tenant.id, event.after["version"]])
        for route in Route.objects.select_related("active", "previous"):
            alias = self.pictures[tenant.id, route.alias]
            assert (route.active.version_id, route.previous and route.previous.version_id) == (
                alias.live,
                alias.previous,
            )


def work() -> None:
    """One look of a worker at every job, each as if it were due."""
    with system_scope():
        Job.objects.active().update(due_at=PAST)
    for job_id in jobs_to_step():
        step_job(job_id)


def lose_leases() -> None:
    """As if every worker had been away for longer than its lease."""
    with system_scope():
        Job.objects.active().update(lease_expires_at=PAST, due_at=PAST)


def end_drains() -> None:
    with system_scope():
        Deployment.objects.exclude(drain_until=None).update(drain_until=PAST)


def end_trials() -> None:
    with system_scope():
        Trial.objects.filter(state=TrialState.RUNNING).update(ends_at=PAST)


@contextlib.contextmanager
def refused() -> Iterator[None]:
    try:
        yield
    except Conflict as error:
        if error.code not in REFUSALS:
            raise
