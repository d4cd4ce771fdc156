"""Whatever happens in whatever order: aliases answer what a small picture of them says, and nothing leaks.

Hypothesis chooses promotions, rollbacks, trials, stops and steps of jobs, what goes wrong at the endpoint and what
happens in the middle of a step. CONTRIBUTING.md says how to try 1,000 runs instead of a few.
"""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ParamSpec, TypeVar

import hypothesis
import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from adapters.models import Adapter, AdapterVersion
from jobs.engine.steps import step_job
from jobs.kinds import get_kind
from jobs.models import Job
from jobs.queue.admission import admit
from jobs.services import stop_job
from jobs.states import TERMINAL, State
from rest.errors import Conflict
from serving.backends import endpoints
from serving.backends.base import Package, Status
from serving.endpoints.deployments import deployment_name, hold_deployment
from serving.endpoints.reconciler import reconcile
from serving.gateway.database import find_models
from serving.models import HELD, PROMOTION, Deployment, DeploymentState, Promotion, Route, Trial, TrialState
from serving.promotions.services import promote_version, roll_back, try_version
from serving.trials.queries import TRIAL
from serving.trials.services import TrialPlan, begin_trial
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope
from tests.examples import examples, is_thorough
from tests.serving.conftest import user
from tests.serving.faulty_endpoint import Fault, FaultyEndpoint
from tests.serving.promotions.aliases import Alias, Aliases
from tests.serving.trials.conftest import saw

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

CAN_ANSWER = (DeploymentState.IN_SERVICE, DeploymentState.DRAINING)
KILLS_ONLY = [f"{when} {call}" for when in ("before", "after") for call in ("hold_deployment", "begin_trial")]
"""These moments are inside a transaction, in which nobody else does anything to the same rows."""

P = ParamSpec("P")
R = TypeVar("R")

EXAMPLES = 10
HOUR = dt.timedelta(hours=1)
PLAN = TrialPlan(percent=50, minutes=10)
REFUSALS = {"promotion:running", "trial:running", "trial:nothing_live", "route:nothing_to_roll_back"}


class Killed(BaseException):
    """The worker is gone."""


class Happening(StrEnum):
    """What comes between two moments of a step; `stepped` is a worker that takes the job over."""

    KILLED = "killed"
    STEPPED = "stepped"
    STOPPED = "stopped"
    STOPPED_AND_STEPPED = "stopped and stepped"
    ROLLED_BACK = "rolled back"
    RECONCILED = "reconciled"
    LATE = "late"
    LOST = "lost"
    AWAY = "away"


HAPPENINGS = st.sampled_from([*Happening, Happening.KILLED, Happening.STEPPED, Happening.STOPPED_AND_STEPPED])
FirstStep = tuple[int, Happening] | None
"""After how many moments something happens in a job's first step; None: it is not stepped yet."""
FIRST_STEP = st.none() | st.tuples(st.integers(0, 9), HAPPENINGS)


@dataclass(frozen=True)
class World:
    """What all runs share: versions of several adapters of two tenants, of which some have the same content."""

    endpoint: FaultyEndpoint
    versions: Sequence[AdapterVersion]


@dataclass
class Interruption:
    """What happens once, after `left` other moments; nothing if those do not come."""

    left: int
    action: Callable[[], None]
    has_happened: bool = False

    def meet(self, moment: str) -> None:
        if self.has_happened or (moment in KILLS_ONLY and self.action is not kill):
            return
        self.left -= 1
        if self.left < 0:
            self.has_happened = True
            self.action()


def kill() -> None:
    raise Killed


def just_now() -> dt.datetime:
    return timezone.now() - dt.timedelta(seconds=1)


def undisturbed(moment: str) -> None:
    return


class Promoting(RuleBasedStateMachine):
    """One run, in a savepoint of its own."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.endpoint = self.world.endpoint
        self.versions = self.world.versions
        self.adapters = list(dict.fromkeys(version.adapter for version in self.versions))
        self.aliases = Aliases({adapter.id: Alias() for adapter in self.adapters})
        self.reasons = {"gate:no_decision", "gate:refused"}
        """Codes with which a job may fail after what has happened so far."""
        self.may_be_gone = False
        """Whether a drain has ended, so that a rollback may need a deployment."""
        self.running: list[Job] = []
        """Jobs that have not ended, oldest first."""
        self.endpoint.held = {}
        self.endpoint.mend()
        self.endpoint.meet = undisturbed
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()

    def teardown(self) -> None:
        try:
            self.come_to_rest()
            self.let_time_pass()
            self.come_to_rest()
            assert {d.state for d in self.held()} <= {DeploymentState.IN_SERVICE}
        finally:
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    @rule(index=st.integers(0, 99), how=st.sampled_from(["plain", "scheduled", "canary"]), first=FIRST_STEP)
    def promote(self, index: int, how: str, first: FirstStep) -> None:
        version = self.versions[index % len(self.versions)]
        with tenant_scope(version.tenant_id), self.refused():
            promotion = promote_version(
                tenant=version.tenant,
                version=version,
                created_by=None,
                canary=PLAN if how == "canary" else None,
                not_before=timezone.now() + HOUR if how == "scheduled" else None,
            )
            self.step_first(promotion.job, first)

    @rule(index=st.integers(0, 99), first=FIRST_STEP)
    def try_beside_the_live_one(self, index: int, first: FirstStep) -> None:
        version = self.versions[index % len(self.versions)]
        with tenant_scope(version.tenant_id), self.refused():
            job = try_version(tenant=version.tenant, version=version, plan=PLAN, created_by=None)
            self.step_first(job, first)

    @rule(index=st.integers(0, 99))
    def roll_back(self, index: int) -> None:
        self.roll_back_adapter(self.adapters[index % len(self.adapters)])

    @precondition(lambda self: self.running)
    @rule(index=st.integers(0, 99))
    def stop(self, index: int) -> None:
        self.stop_job(self.running[index % len(self.running)])

    @precondition(lambda self: self.running)
    @rule(index=st.integers(0, 99), times=st.integers(1, 3))
    def step(self, index: int, times: int) -> None:
        for _ in range(times):
            self.step_job(self.running[index % len(self.running)])

    @precondition(lambda self: self.running)
    @rule(index=st.integers(0, 99), left=st.integers(0, 9), what=HAPPENINGS)
    def step_and_be_interrupted(self, index: int, left: int, what: Happening) -> None:
        job = self.running[index % len(self.running)]
        self.interrupted(lambda: self.step_job(job), left, self.happening(what, job))

    @rule()
    def reconcile(self) -> None:
        reconcile()

    @precondition(lambda self: self.running)
    @rule(index=st.integers(0, 99), left=st.integers(0, 5), what=HAPPENINGS)
    def reconcile_and_be_interrupted(self, index: int, left: int, what: Happening) -> None:
        job = self.running[index % len(self.running)]
        self.interrupted(reconcile, left, self.happening(what, job))

    @rule()
    def let_time_pass(self) -> None:
        """Drains and trials are over, and what was scheduled is due."""
        self.may_be_gone = True
        with system_scope():
            Deployment.objects.exclude(drain_until=None).update(drain_until=just_now())
        self.let_jobs_go_on()

    @rule()
    def callers_of_candidates_fare_badly(self) -> None:
        with system_scope():
            running = list(Trial.objects.filter(state=TrialState.RUNNING, callers=None))
        for trial in running:
            self.reasons.add("trial:halted")
            with tenant_scope(trial.tenant_id):
                saw(trial, candidate=(100, 30), live=(100, 0))

    @rule(fault=st.sampled_from(Fault), away=st.booleans(), deletes_slowly=st.booleans())
    def the_endpoint_changes(self, fault: Fault, away: bool, deletes_slowly: bool) -> None:
        self.endpoint.fault, self.endpoint.away, self.endpoint.deletes_slowly = fault, away, deletes_slowly
        if fault is Fault.FAILS:
            self.reasons.add("promotion:deployment_failed")
        if fault is Fault.REFUSED:
            self.reasons.add("deployment:refused")

    @rule(how=st.sampled_from(["mended", "settles", "fails what it makes"]))
    def the_endpoint_goes_on(self, how: str) -> None:
        if how == "mended":
            self.endpoint.mend()
        elif how == "settles":
            self.endpoint.settle()
        else:
            self.endpoint.settle(Status.FAILED)
            self.reasons.add("promotion:deployment_failed")

    @rule(index=st.integers(0, 99), how=st.sampled_from(["all", "one", "fails"]))
    def the_endpoint_loses(self, index: int, how: str) -> None:
        held = self.endpoint.held
        names = sorted(held)
        for name in names if how == "all" else names[index % len(names) :][:1] if names else []:
            if how == "fails":
                held[name] = (held[name][0], Status.FAILED)
                self.reasons.add("promotion:deployment_failed")
            else:
                del held[name]

    @rule(index=st.integers(0, 99))
    def a_name_is_there_with_other_content(self, index: int) -> None:
        version = self.versions[index % len(self.versions)]
        name = deployment_name(version.tenant_id, version.package_sha256)
        if name not in self.endpoint.held and name not in {deployment.name for deployment in self.held()}:
            self.endpoint.held[name] = (Package(key="other", sha256="0" * 64), Status.IN_SERVICE)
            self.reasons.add("promotion:fingerprint_mismatch")

    @invariant()
    def aliases_answer_what_they_should(self) -> None:
        with system_scope():
            routes = list(Route.objects.select_related("active__version"))
            trials = list(Trial.objects.filter(state=TrialState.RUNNING).select_related("job", "candidate"))
        answering = {route.adapter_id: route.active.version_id for route in routes}
        assert len(answering) == len(routes)
        assert answering == {adapter: alias.live for adapter, alias in self.aliases.of.items() if alias.live}
        for route in routes:
            deployment, version = route.active, route.active.version
            assert deployment.tenant_id == version.tenant_id == route.tenant_id
            assert version.adapter_id == route.adapter_id
            assert deployment.state in CAN_ANSWER
            assert deployment.name == deployment_name(route.tenant_id, version.package_sha256)
        active = {route.adapter_id: route.active_id for route in routes}
        for trial in trials:
            assert trial.job.state not in TERMINAL, "a trial runs although its job has ended"
            assert trial.live_id == active[trial.adapter_id]
            assert trial.candidate.state in CAN_ANSWER

    @invariant()
    def jobs_fail_for_a_reason(self) -> None:
        with system_scope():
            jobs = list(Job.objects.filter(kind__in=(PROMOTION, TRIAL)).order_by("created_at"))
        self.running = [job for job in jobs if job.state not in TERMINAL]
        for job in jobs:
            assert job.error_code != "platform:unexpected", job.error_text
            if job.state == State.FAILED:
                assert job.error_code in self.reasons, (job.title, job.error_text)

    @invariant()
    def whatever_is_held_has_an_owner(self) -> None:
        """A route, the end of its drain, or a job that has not ended."""
        with system_scope():
            unused = Deployment.objects.filter(state__in=(DeploymentState.CREATING, DeploymentState.IN_SERVICE))
            unused = unused.exclude(id__in=Route.objects.values("active")).select_related("version")
            wanted = {job.spec["version"] for job in self.running}
            for deployment in unused:
                assert str(deployment.version_id) in wanted, f"{deployment.version} is {deployment.state} for nobody"

    def gateways_know_them(self) -> None:
        for tenant in {version.tenant for version in self.versions}:
            models = {name: model for name, model in find_models(tenant.id).by_name.items() if model.version_id}
            aliases = {a.name: self.aliases.of[a.id].live for a in self.adapters if a.tenant_id == tenant.id}
            assert {name: model.version_id for name, model in models.items()} == {
                name: str(live) for name, live in aliases.items() if live
            }
            for model in models.values():
                package, status = self.endpoint.held[model.name]
                assert (package.sha256, status) == (model.package_sha256, Status.IN_SERVICE)

    @rule()
    def come_to_rest(self) -> None:
        """The endpoint is well, every job runs to its end, and the reconciler looks twice."""
        self.endpoint.mend()
        for _ in range(80):
            self.endpoint.settle()
            self.jobs_fail_for_a_reason()
            if not self.running:
                break
            reconcile()
            self.let_jobs_go_on()
            for job in self.running:
                self.step_job(job)
        assert not self.running, "a job hangs"
        for _ in range(2):
            reconcile()
            self.endpoint.settle()
        self.aliases_answer_what_they_should()
        self.jobs_fail_for_a_reason()
        self.whatever_is_held_has_an_owner()
        held = self.held()
        with system_scope():
            assert not Trial.objects.filter(state=TrialState.RUNNING).exists()
        expected = {deployment.name: deployment.version.package_sha256 for deployment in held}
        at_endpoint = {name: package.sha256 for name, (package, _) in self.endpoint.held.items()}
        assert at_endpoint == expected
        self.gateways_know_them()

    def held(self) -> list[Deployment]:
        with system_scope():
            return list(Deployment.objects.filter(state__in=HELD).select_related("version"))

    def let_jobs_go_on(self) -> None:
        """Trials are over, and what was scheduled is due."""
        with system_scope():
            Promotion.objects.exclude(not_before=None).update(not_before=just_now())
            Trial.objects.filter(state=TrialState.RUNNING).update(ends_at=just_now())

    def roll_back_adapter(self, adapter: Adapter) -> None:
        alias = self.aliases.of[adapter.id]
        with tenant_scope(adapter.tenant_id), self.refused():
            route = Route.objects.filter(adapter=adapter).first()
            if route is None:
                return
            promotion = roll_back(tenant=adapter.tenant, route=route, created_by=None)
            assert promotion.version_id == alias.previous
            if promotion.job is None:
                alias.roll_back()
                self.reasons.add("trial:stopped")
            else:
                assert self.may_be_gone, "what still drains is brought back at once"

    def step_job(self, job: Job) -> None:
        """As a worker would whose turn has come, whoever had the lease before."""
        admit()
        with system_scope():
            Job.objects.active().filter(id=job.id).update(due_at=timezone.now() - HOUR, lease_expires_at=None)
        step_job(job.id)
        self.learn()

    def adapter_of(self, job: Job) -> Adapter:
        [version] = [version for version in self.versions if str(version.id) == job.spec["version"]]
        adapter: Adapter = version.adapter
        return adapter

    def stop_job(self, job: Job) -> None:
        with tenant_scope(job.tenant_id), contextlib.suppress(Conflict):
            stop_job(job_id=job.id)

    def learn(self) -> None:
        with system_scope():
            ended = Promotion.objects.filter(job__state=State.SUCCEEDED).exclude(job__result__has_key="already_active")
            found = list(ended.select_related("version").order_by("job__finished_at"))
        for promotion in found:
            self.aliases.promoted(promotion.id, promotion.version.adapter_id, promotion.version_id)

    def step_first(self, job: Job, first: FirstStep) -> None:
        if first is not None:
            left, what = first
            self.interrupted(lambda: self.step_job(job), left, self.happening(what, job))

    def happening(self, what: Happening, job: Job) -> Callable[[], None]:
        def stopped_and_stepped() -> None:
            self.stop_job(job)
            self.step_job(job)

        def late() -> None:
            self.let_time_pass()
            reconcile()

        return {
            Happening.KILLED: kill,
            Happening.STEPPED: lambda: self.step_job(job),
            Happening.STOPPED: lambda: self.stop_job(job),
            Happening.STOPPED_AND_STEPPED: stopped_and_stepped,
            Happening.ROLLED_BACK: lambda: self.roll_back_adapter(self.adapter_of(job)),
            Happening.RECONCILED: reconcile,
            Happening.LATE: late,
            Happening.LOST: self.endpoint.held.clear,
            Happening.AWAY: lambda: setattr(self.endpoint, "away", True),
        }[what]

    def interrupted(self, do: Callable[[], None], left: int, action: Callable[[], None]) -> None:
        self.endpoint.meet = Interruption(left, action).meet
        try:
            do()
        except Killed:
            pass
        finally:
            self.endpoint.meet = undisturbed

    @contextlib.contextmanager
    def refused(self) -> Iterator[None]:
        try:
            yield
        except Conflict as error:
            if error.code not in REFUSALS | self.reasons:
                raise


@pytest.fixture
def world(
    monkeypatch: pytest.MonkeyPatch,
    tenant: Tenant,
    other_tenant: Tenant,
    make_version: Callable[..., AdapterVersion],
) -> World:
    endpoint = FaultyEndpoint()
    monkeypatch.setitem(endpoints.built, "default", endpoint)
    monkeypatch.setattr("serving.endpoints.fingerprint.ask", endpoint.answer)
    monkeypatch.setattr(
        "serving.endpoints.loading.known_answers", lambda version, limit: [(user("Who?"), version.package_sha256)]
    )
    for name in (PROMOTION, TRIAL):
        kind = get_kind(name)
        monkeypatch.setattr(kind, "step", _met(endpoint, "step", kind.step))
    for module in ("promotions", "trials"):
        for function in (hold_deployment, begin_trial):
            monkeypatch.setattr(
                f"serving.{module}.kinds.{function.__name__}", _met(endpoint, function.__name__, function)
            )
    contents = {(tenant, "legal"): (1, 2, 1), (tenant, "support"): (1, 3), (other_tenant, "legal"): (1, 2)}
    versions = [make_version(whose, name, seed) for (whose, name), seeds in contents.items() for seed in seeds]
    return World(endpoint, versions)


def _met(endpoint: FaultyEndpoint, name: str, function: Callable[P, R]) -> Callable[P, R]:
    """The function, before and after which something may happen."""

    def met(*args: P.args, **kwargs: P.kwargs) -> R:
        endpoint.meet(f"before {name}")
        result = function(*args, **kwargs)
        endpoint.meet(f"after {name}")
        return result

    return met


def test_aliases_answer_what_they_should_and_nothing_leaks(world: World) -> None:
    class Machine(Promoting):
        pass

    Machine.world = world
    run_state_machine_as_test(
        Machine,
        settings=hypothesis.settings(
            max_examples=examples(EXAMPLES),
            stateful_step_count=30,
            deadline=None,
            derandomize=not is_thorough(),
            database=None,
        ),
    )
