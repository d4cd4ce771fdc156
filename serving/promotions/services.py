"""Start or schedule a promotion, roll a route back. `routes.py` holds the writes that the promotion's job shares."""

import datetime as dt
from dataclasses import asdict

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from adapters.models import Adapter, AdapterVersion, BaseModel
from evaluations.gates.promotion import clear_for_promotion, decision_for_promotion
from evaluations.models import Decision
from evaluations.runs.judgings.services import JudgingWanted
from evaluations.runs.queries import latest_ready
from jobs.models import Job
from jobs.services import start_job
from rest.errors import Conflict, PortalError
from serving.endpoints.services import take_place
from serving.freezes.errors import Frozen
from serving.freezes.queries import freeze_at
from serving.freezes.texts import moment_text
from serving.models import PROMOTION, Deployment, DeploymentState, Endpoint, Promotion, Route, Router, TrialState
from serving.promotions.queries import refusal_of, running_promotions
from serving.promotions.routes import switch_route
from serving.promotions.waiting import WAITS
from serving.trials.services import TrialPlan, refuse_running, start_trial
from tenants.audit.services import record_event
from tenants.models import Tenant, User

LONGEST_AHEAD = dt.timedelta(days=30)
ROLLED_BACK_AT_ONCE = (DeploymentState.IN_SERVICE, DeploymentState.DRAINING)


def promote_version(
    *,
    tenant: Tenant,
    version: AdapterVersion,
    created_by: User | None,
    canary: TrialPlan | None = None,
    judging: JudgingWanted | None = None,
    not_before: dt.datetime | None = None,
) -> Promotion:
    """Make `version` live for its adapter's alias, once its decision passes and a job has deployed and checked it.

    With a `canary`, a share of callers is answered by it for a while first, where a version is live to compare it with,
    and `judging` says who compares answers of both. The job does nothing before `not_before`, and then asks for the
    decision again.
    A decision that this opens stays open if it does not pass, so call this outside a transaction. Raises Conflict:
    promotion:not_evaluated, promotion:frozen, promotion:rank_too_high, promotion:running, promotion:no_endpoint,
    promotion:name_taken, trial:running, gate:no_decision, gate:refused, gate:rejected; or PortalError:
    promotion:bad_time.
    """
    now = timezone.now()
    if not_before is not None and not now < not_before <= now + LONGEST_AHEAD:
        text = f"Choose a time in the future, at most {LONGEST_AHEAD.days} days ahead."
        raise PortalError(text, code="promotion:bad_time", field="not_before")
    decision = _decision(tenant=tenant, version=version, asked_by=created_by, not_before=not_before)
    with transaction.atomic():
        promotion = _begin(
            tenant=tenant,
            version=version,
            created_by=created_by,
            canary=canary,
            judging=judging,
            not_before=not_before,
        )
        clear_for_promotion(decision, asked_by=created_by)
    return promotion


def try_version(
    *,
    tenant: Tenant,
    version: AdapterVersion,
    plan: TrialPlan,
    judging: JudgingWanted | None = None,
    created_by: User | None,
) -> Job:
    """Let `version` answer beside the live one and switch nothing: an A/B test or a shadow. Returns its job.

    Where callers see its answers it needs what a promotion needs, and raises the same; always Conflict:
    trial:nothing_live.
    """
    decision = _decision(tenant=tenant, version=version, asked_by=created_by) if plan.percent else None
    with transaction.atomic():
        _refuse_second(version.adapter)
        endpoint = _endpoint_for(version)
        job = start_trial(
            tenant=tenant, version=version, endpoint=endpoint, plan=plan, judging=judging, created_by=created_by
        )
        if decision is not None:
            clear_for_promotion(decision, asked_by=created_by)
    return job


@transaction.atomic
def roll_back(*, tenant: Tenant, route: Route, created_by: User | None) -> Promotion:
    """Make the previous version live again: immediately while it is still deployed, otherwise through a promotion.

    A promotion that waits does not stand in its way. Raises Conflict: route:nothing_to_roll_back, and those of a
    promotion but evaluation and freeze.
    """
    _refuse_second(route.adapter, but_waiting=True)
    locked = Route.objects.select_for_update().get(id=route.id)
    if locked.previous_id is None:
        raise Conflict(
            "There is no previous version to roll back to.",
            code="route:nothing_to_roll_back",
        )
    # Locked until the switch is written, so that it cannot be taken off in between.
    previous = Deployment.objects.select_for_update().get(id=locked.previous_id)
    if previous.state not in ROLLED_BACK_AT_ONCE:
        return _begin(tenant=tenant, version=previous.version, created_by=created_by, is_rollback=True)
    switch_route(route=locked, to=previous)
    promotion: Promotion = Promotion.objects.create(
        tenant=tenant,
        version=previous.version,
        deployment=previous,
        is_rollback=True,
        created_by=created_by,
    )
    record_event("version.rolled_back", promotion, after={"alias": route.alias, "version": str(previous.version)})
    return promotion


def _begin(
    *,
    tenant: Tenant,
    version: AdapterVersion,
    created_by: User | None,
    is_rollback: bool = False,
    canary: TrialPlan | None = None,
    judging: JudgingWanted | None = None,
    not_before: dt.datetime | None = None,
) -> Promotion:
    adapter = version.adapter
    _refuse_second(adapter, but_waiting=is_rollback)
    if not is_rollback:
        refuse_running(adapter)
    endpoint = _endpoint_for(version)
    promotion = Promotion.objects.create(
        tenant=tenant, version=version, is_rollback=is_rollback, not_before=not_before, created_by=created_by
    )
    promotion.job = start_job(
        tenant=tenant,
        kind=PROMOTION,
        title=f"{'Roll back to' if is_rollback else 'Promote'} {version}",
        spec={
            "promotion": str(promotion.id),
            "version": str(version.id),
            "endpoint": str(endpoint.id),
            "canary": asdict(canary) if canary else None,
            "judging": judging.to_dict() if judging else None,
        },
        created_by=created_by,
    )
    promotion.save(update_fields=["job"])
    after = {"alias": adapter.name, "version": str(version)} | ({"not_before": not_before} if not_before else {})
    record_event("rollback.started" if is_rollback else "promotion.started", promotion, after=after)
    return promotion


def _decision(
    *, tenant: Tenant, version: AdapterVersion, asked_by: User | None, not_before: dt.datetime | None = None
) -> Decision:
    if latest_ready(version) is None:
        raise Conflict(
            f"{version} has not been evaluated. Evaluate it before you promote it.",
            code="promotion:not_evaluated",
        )
    if freeze := freeze_at(version.adapter, not_before or timezone.now()):
        raise Frozen(freeze)
    return decision_for_promotion(tenant=tenant, version=version, asked_by=asked_by, on_newest=not_before is not None)


def _endpoint_for(version: AdapterVersion) -> Endpoint:
    """The endpoint that can serve it. Raises Conflict."""
    adapter = version.adapter
    if BaseModel.objects.filter(name=adapter.name).exists():
        raise Conflict(
            f"“{adapter.name}” is the name of a base model. Train the adapter under another name.",
            code="promotion:name_taken",
        )
    if Router.objects.filter(name=adapter.name).exists():
        raise Conflict(
            f"“{adapter.name}” is the name of a router. Delete the router, or train the adapter under another name.",
            code="promotion:name_taken",
        )
    if refusal := refusal_of(version):
        raise Conflict(refusal, code="promotion:rank_too_high")
    return take_place(base_model=adapter.base_model)


def _refuse_second(adapter: Adapter, *, but_waiting: bool = False) -> None:
    """One promotion of an adapter at a time, besides those that wait where `but_waiting`, and canaries, which it ends.

    The lock on the adapter's row puts concurrent callers in line.
    """
    Adapter.objects.select_for_update().get(id=adapter.id)
    running = running_promotions().filter(version__adapter=adapter)
    if but_waiting:
        waits = Q(job__error_code__in=WAITS) | Q(not_before__gt=timezone.now())
        running = running.exclude(waits).exclude(job__trial__state=TrialState.RUNNING)
    if found := running.first():
        if moment := found.scheduled_for:
            raise Conflict(
                f"{found.version} is scheduled to be promoted on {moment_text(moment)}. Cancel that first.",
                code="promotion:running",
            )
        raise Conflict(
            f"Another promotion of {adapter.name} is running. Wait until it has finished.",
            code="promotion:running",
        )
