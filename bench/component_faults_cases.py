"""What goes wrong with the component of a new version, one fault at a time, while callers ask for the live one."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.component_faults_site import AwsSite
from bench.promotion_load import Seen, load
from bench.promotion_site import Caller, roll_back
from standin.errors import AwsError
from standin.faults import ComponentFaults, Faults, RuntimeFaults

PER_SECOND, PEOPLE = 20, 200
HELD_SECONDS, WAIT_SECONDS = 5.0, 150.0
PERCENT, MINUTES = 50, 4
"""Of a canary, which is to be halted or stopped before its end."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A fault and how the promotion tells it: its `phase`, or the `code` of its reason, which says `words`.

    `inject` and `mend` are given the site and the new version's component. A promotion that would not end is `stopped`
    before the fault is mended.
    """

    name: str
    inject: Callable[[AwsSite, str], None]
    mend: Callable[[AwsSite, str], None] = lambda aws, component: None
    code: str = ""
    phase: str = ""
    words: str = ""
    canary: bool = False
    stopped: bool = False
    state: str


def _components(**faults: Any) -> Callable[[AwsSite, str], None]:
    return lambda aws, component: setattr(aws.standin.hosting.components, "faults", ComponentFaults(**faults))


def _invocations(**faults: Any) -> Callable[[AwsSite, str], None]:
    def inject(aws: AwsSite, component: str) -> None:
        aws.standin.runtime.faults = RuntimeFaults(only=component, **faults)

    return inject


def _throttle(aws: AwsSite, component: str) -> None:
    aws.standin.faults = Faults(throttled=1.0, services=frozenset({"sagemaker"}))


def _mend(aws: AwsSite, component: str) -> None:
    aws.standin.faults, aws.standin.runtime.faults = Faults(), RuntimeFaults()
    aws.standin.hosting.components.faults = ComponentFaults()


def _vanish(aws: AwsSite, component: str) -> None:
    with aws.standin.hosting.lock:
        aws.standin.hosting.components.vanish(component)


def _kill_base(aws: AwsSite, component: str) -> None:
    engine = aws.base.engine
    assert engine is not None
    engine.kill()


FAILED_REASON = "The adapter needs more memory than the container has."
QUOTA = AwsError("ResourceLimitExceeded", "The account-level service limit is 0. Please contact AWS support.")
BROKEN, BUSY = AwsError("InternalFailure", "An error occurred."), AwsError("ThrottlingException", "Rate exceeded")

CASES = (
    Case(
        name="fails", inject=_components(reason=FAILED_REASON), mend=_mend, state="failed",
        code="promotion:deployment_failed", words=FAILED_REASON,
    ),
    Case(name="sticks", inject=_components(stick=True), mend=_mend, phase="deploying", stopped=True, state="stopped"),
    Case(name="quota", inject=_components(refused=QUOTA), mend=_mend, code="platform:aws_quota", state="succeeded"),
    Case(name="throttled", inject=_throttle, mend=_mend, code="platform:aws_throttled", state="succeeded"),
    Case(name="invoke_5xx", inject=_invocations(error=BROKEN), mend=_mend, code="endpoint:refused", state="succeeded"),
    Case(name="invoke_busy", inject=_invocations(error=BUSY), mend=_mend, code="endpoint:refused", state="succeeded"),
    Case(name="invoke_slow", inject=_invocations(slow=3.0), mend=_mend, state="succeeded"),
    Case(
        name="vanishes", inject=_vanish, phase="trying on callers", canary=True, stopped=True, state="stopped",
    ),
    Case(
        name="canary_5xx", inject=_invocations(error=BROKEN), mend=_mend, canary=True, state="failed",
        code="trial:halted", words="had errors more often",
    ),
    Case(
        name="canary_cut", inject=_invocations(breaks_after=1, cuts=True), mend=_mend, canary=True, state="failed",
        code="trial:halted", words="had errors more often",
    ),
    Case(name="base_gone", inject=_kill_base, phase="deploying", state="succeeded"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What callers saw during a case, whether the promotion said why, and what was left."""

    seen: list[Seen]
    new: int
    reason_shown: bool
    ended_as_expected: bool
    seconds: float
    without_owner: int
    base_back_seconds: float = 0.0


def meet(aws: AwsSite, caller: Caller, case: Case, number: int) -> Outcome:
    """Promote a version under load while the fault is there, then without it; the first version is live again after."""
    from jobs.services import stop_job
    from serving.endpoints.deployments import deployment_name
    from serving.endpoints.reconciler import reconcile
    from serving.promotions.services import promote_version
    from serving.trials.services import TrialPlan
    from tenants.scope import tenant_scope

    version = caller.versions[number - 1]
    component = aws.component(deployment_name(caller.tenant.id, version.package_sha256))
    plan = TrialPlan(percent=PERCENT, minutes=MINUTES) if case.canary else None
    began = time.monotonic()
    with tenant_scope(caller.tenant.id), load(aws.site.gateway, [caller], per_second=PER_SECOND, people=PEOPLE) as seen:
        if not case.canary:
            case.inject(aws, component)
        job = promote_version(tenant=caller.tenant, version=version, created_by=None, canary=plan).job
        if case.canary:
            _wait(lambda: _read(job).phase == "trying on callers")
            case.inject(aws, component)
        shown = not (case.code or case.phase) or _wait(lambda: _says(_read(job), case))
        _wait(lambda: aws.base.is_ready)
        back = time.monotonic() - began
        time.sleep(HELD_SECONDS)
        if case.stopped:
            stop_job(job_id=job.id)
            _wait(lambda: _read(job).is_terminal)
        case.mend(aws, component)
        ended = _wait(lambda: _read(job).is_terminal) and _read(job).state == case.state
        if not (shown and ended):
            print(f"  {case.name}: {_read(job).state} {_read(job).error_code} {_read(job).error_text}", flush=True)
        if _read(job).state == "succeeded":
            roll_back(caller)
        reconcile()
        _wait(lambda: "Deleting" not in aws.adapters().values(), seconds=10.0)
    return Outcome(
        seen=seen, new=number, reason_shown=shown, ended_as_expected=ended, seconds=time.monotonic() - began,
        without_owner=len(set(aws.adapters()) ^ _held()), base_back_seconds=back,
    )  # fmt: skip


def _held() -> set[str]:
    from serving.models import HELD, Deployment
    from tenants.scope import system_scope

    with system_scope():
        return set(Deployment.objects.filter(state__in=HELD).values_list("name", flat=True))


def _read(job: Any) -> Any:
    job.refresh_from_db()
    return job


def _says(job: Any, case: Case) -> bool:
    return (job.error_code, job.phase) == (case.code, case.phase or job.phase) and case.words in job.error_text


def _wait(is_so: Callable[[], bool], *, seconds: float = WAIT_SECONDS) -> bool:
    """Whether it came to be so in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
