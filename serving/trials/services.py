"""Begin a trial, and end it. One function makes each write, and a trial that has ended stays so."""

import datetime as dt
import secrets
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from adapters.models import Adapter, AdapterVersion
from evaluations.runs.judgings.services import JudgingWanted
from jobs.models import Job
from jobs.services import start_job
from rest.errors import Conflict, PortalError
from serving.endpoints.deployments import move
from serving.endpoints.queries import backend_of
from serving.models import Deployment, DeploymentState, Endpoint, Route, Trial, TrialCopy, TrialState
from serving.trials.figures import measured
from serving.trials.latency import usual_p95_ms
from serving.trials.queries import TRIAL, running_test
from tenants.audit.services import record_event
from tenants.models import Tenant, User

LONGEST_WINDOW = dt.timedelta(hours=24)
WINDOWS = 6
"""A trial lasts at least as many windows of a caller."""

LEAST_PERCENT, MOST_PERCENT, MOST_COPIES = 1, 50, 1_000
SHORTEST, LONGEST = dt.timedelta(minutes=1), dt.timedelta(days=14)

LET_GO_AFTER = dt.timedelta(seconds=60)
"""Until a candidate is taken off whose trial did not end well: what it was asked, it still answers."""


@dataclass(frozen=True, kw_only=True)
class TrialPlan:
    """A wish for a trial: the percentage of callers, how long it lasts, and how many requests both versions answer.

    Of no callers it is a shadow, which needs `copies`.
    """

    percent: int
    minutes: int
    copies: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.copies <= MOST_COPIES:
            raise PortalError(f"Choose up to {MOST_COPIES:,} requests.", code="trial:copies", field="copies")
        if not LEAST_PERCENT <= self.percent <= MOST_PERCENT and not (self.percent == 0 and self.copies):
            text = f"Choose {LEAST_PERCENT} to {MOST_PERCENT}% of callers, or none and how many requests to copy."
            raise PortalError(text, code="trial:share", field="percent")
        if not SHORTEST <= dt.timedelta(minutes=self.minutes) <= LONGEST:
            text = f"Choose 1 minute to {LONGEST.days} days."
            raise PortalError(text, code="trial:duration", field="minutes")


@transaction.atomic
def begin_trial(
    *, job: Job, adapter: Adapter, candidate: Deployment, plan: TrialPlan, created_by: User | None
) -> Trial | None:
    """Let `candidate` answer its share of callers; None where no version is live to compare it with.

    A second call returns the same trial. Raises Conflict promotion:deployment_gone.
    """
    route = Route.objects.select_for_update(of=("self",)).filter(adapter=adapter).select_related("active").first()
    begun: Trial | None = Trial.objects.filter(job=job).first()
    if begun is not None or route is None or route.active is None or route.active_id == candidate.id:
        return begun
    locked = Deployment.objects.select_for_update().get(id=candidate.id)
    if locked.state == DeploymentState.DRAINING:
        move(locked, DeploymentState.IN_SERVICE)
    if locked.state != DeploymentState.IN_SERVICE:
        raise Conflict("This deployment is no longer on the endpoint.", code="promotion:deployment_gone")
    duration = dt.timedelta(minutes=plan.minutes)
    trial: Trial = Trial.objects.create(
        tenant_id=job.tenant_id,
        adapter=adapter,
        live=route.active,
        candidate=locked,
        job=job,
        share=plan.percent / 100,
        salt=secrets.token_hex(16),
        window=min(LONGEST_WINDOW, duration / WINDOWS),
        slow_ms=usual_p95_ms(route.active.version_id),
        copies_wanted=plan.copies,
        judging=job.spec.get("judging") or {},
        ends_at=timezone.now() + duration,
        created_by=created_by,
    )
    record_event(
        "trial.started",
        trial,
        after={"alias": route.alias, "version": str(locked.version), **asdict(plan)},
    )
    return trial


def end_trial(trial: Trial, state: TrialState) -> bool:
    """End a running trial and keep what it showed; False where it had ended already."""
    now = timezone.now()
    figures = measured(trial, now=now)
    with transaction.atomic():
        running = Trial.objects.filter(id=trial.id, state=TrialState.RUNNING)
        if not running.update(state=state, ended_at=now, figures=figures.to_dict()):
            return False
        trial.refresh_from_db()
        record_event("trial.ended", trial, after={"state": state, "figures": figures.to_dict()})
    return True


def keep_copy(
    *, trial_id: UUID, caller: str, messages: list[dict[str, Any]], live_text: str, candidate_text: str, error_code: str
) -> bool:
    """Store what both versions answered, if the trial still wants copies; False if not."""
    if not wants_copy(trial_id, caller):
        return False
    # PostgreSQL stores no NUL.
    live_text, candidate_text = (text.replace("\x00", "\ufffd") for text in (live_text, candidate_text))
    TrialCopy.objects.create(
        trial_id=trial_id, caller=caller, messages=messages, live_text=live_text, candidate_text=candidate_text,
        error_code=error_code,
    )  # fmt: skip
    return True


def forget_copies(*, older_than: dt.timedelta) -> int:
    """Delete what callers asked and were answered in trials that ended longer ago; the figures of a trial stay.

    Runs in the site's scope. Returns how many.
    """
    ended = Trial.objects.filter(ended_at__lt=timezone.now() - older_than)
    return TrialCopy.objects.filter(trial__in=ended).delete()[0]


def wants_copy(trial_id: UUID, caller: str) -> bool:
    """Whether the trial runs and wants a copy from this caller: one of each, or any from a shadow."""
    trial = Trial.objects.filter(id=trial_id, state=TrialState.RUNNING).first()
    if trial is None or trial.copies.count() >= trial.copies_wanted:
        return False
    return trial.is_shadow or not trial.copies.filter(caller=caller).exists()


def let_candidate_go(trial: Trial, *, at_once: bool) -> None:
    """Take a candidate that did not become live off, after what it was asked, or as late as a replaced version."""
    unused = Deployment.objects.filter(id=trial.candidate_id, state=DeploymentState.IN_SERVICE)
    if (candidate := unused.first()) is None or Route.objects.filter(active=candidate).exists():
        return
    drain = LET_GO_AFTER if at_once else backend_of(candidate.endpoint).drain
    move(candidate, DeploymentState.DRAINING, drain_until=timezone.now() + drain)


@transaction.atomic
def start_trial(
    *,
    tenant: Tenant,
    version: AdapterVersion,
    endpoint: Endpoint,
    plan: TrialPlan,
    judging: JudgingWanted | None = None,
    created_by: User | None,
) -> Job:
    """Start the job of an A/B test or a shadow, which ends without a switch.

    Raises Conflict: trial:running, trial:nothing_live.
    """
    Adapter.objects.select_for_update().get(id=version.adapter_id)
    refuse_running(version.adapter)
    route = Route.objects.filter(adapter=version.adapter).select_related("active__version").first()
    if route is None or route.active is None or route.active.version_id == version.id:
        raise Conflict(
            "A trial compares a version with the live one. Promote a version first, and try another one then.",
            code="trial:nothing_live",
        )
    job = start_job(
        tenant=tenant,
        kind=TRIAL,
        title=f"Try {version}",
        spec={
            "adapter": str(version.adapter_id),
            "version": str(version.id),
            "endpoint": str(endpoint.id),
            "plan": asdict(plan),
            "judging": judging.to_dict() if judging else None,
        },
        created_by=created_by,
    )
    record_event("trial.asked", job, after={"version": str(version), **asdict(plan)})
    return job


def refuse_running(adapter: Adapter) -> None:
    """Raises Conflict trial:running while a trial of the adapter runs or is about to."""
    if Trial.objects.filter(adapter=adapter, state=TrialState.RUNNING).exists() or running_test(adapter):
        raise Conflict(
            f"A trial of {adapter.name} is running. Stop it, or wait until it has ended.", code="trial:running"
        )
