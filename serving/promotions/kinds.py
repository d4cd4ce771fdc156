"""Promotion, step by step: put the version on the endpoint, check that it answers as evaluated, switch.

A canary answers a share of callers in between. Each step looks before it acts, so any of them may run twice. The switch
is part of the transaction that ends the job.
"""

from dataclasses import asdict
from typing import Any

from jobs.engine.lease import kept
from jobs.kinds import Kind
from jobs.models import Job
from jobs.outcomes import Outcome, Stopped, Succeeded
from serving.backends.errors import EndpointError
from serving.endpoints.deployments import hold_deployment, release
from serving.endpoints.loading import fingerprint_of, load, mismatch, outcome_of
from serving.endpoints.queries import place_of
from serving.endpoints.waking import wake_reconciler
from serving.models import HELD, PROMOTION, DeploymentState, Endpoint, Promotion, Route, Trial, TrialState
from serving.promotions.routes import switch_route
from serving.promotions.waiting import check_again, waiting
from serving.trials.figures import figures_of
from serving.trials.queries import trial_of
from serving.trials.services import TrialPlan, begin_trial, end_trial, let_candidate_go
from serving.trials.watching import watch


class PromotionKind(Kind):
    """Puts a version behind its adapter's alias.

    `spec`: ids of the `promotion` and the `endpoint`, and the TrialPlan of its `canary`, if it has one.
    """

    name = PROMOTION
    title = "Promotion"
    # An endpoint that is away for five minutes is waited for.
    max_attempts = 30
    counts = False

    def step(self, job: Job) -> Outcome:
        promotion = _promotion(job)
        active = Route.objects.filter(adapter=promotion.version.adapter_id).values_list("active__version", flat=True)
        if promotion.version_id in active:
            return Succeeded(result={"already_active": True})
        trial = trial_of(job)
        try:
            outcome = watch(trial) if trial else waiting(promotion) or self._bring(job, promotion)
        except EndpointError as error:
            return outcome_of(error)
        return outcome or waiting(promotion) or Succeeded(result=_result(promotion, trial))

    def cancel(self, job: Job) -> Outcome:
        return Stopped()

    def outcome(self, job: Job) -> str:
        if "fingerprint" not in job.result:
            return "This version was already live. Nothing was switched."
        known, canary = job.result["fingerprint"], job.result.get("canary")
        text = "The model ID switched to this version on the endpoint."
        if known["asked"]:
            text += f" It repeated {known['matched']} of {known['asked']} answers of its evaluation there."
        if canary:
            text += f" As a canary it answered {canary['callers']:,} callers first, and no harm was found."
        return text

    def on_succeeded(self, job: Job) -> None:
        promotion = _promotion(job)
        if promotion.deployment is None:
            return
        adapter = promotion.version.adapter
        route, _ = Route.objects.get_or_create(
            tenant_id=job.tenant_id, adapter=adapter, defaults={"alias": adapter.name}
        )
        switch_route(route=route, to=promotion.deployment)

    def on_failed(self, job: Job) -> None:
        self._let_go(job, DeploymentState.FAILED, job.error_text)

    def on_stopped(self, job: Job) -> None:
        self._let_go(job, DeploymentState.DELETED)

    def _bring(self, job: Job, promotion: Promotion) -> Outcome | None:
        """None once the version is on the endpoint, answers as evaluated, and need not be tried on callers first."""
        check_again(promotion)
        deployment = promotion.deployment
        if deployment is None or deployment.state not in HELD:
            # Its tenant may have been moved since it was asked for.
            place = place_of(promotion.version.adapter.base_model_id)
            endpoint = place or Endpoint.objects.get(id=job.spec["endpoint"])
            with kept(job):
                deployment = promotion.deployment = hold_deployment(endpoint=endpoint, version=promotion.version)
                Promotion.objects.filter(id=promotion.id).update(deployment=deployment)
        if outcome := load(deployment):
            return outcome
        fingerprint = fingerprint_of(deployment)
        promotion.fingerprint = asdict(fingerprint)
        Promotion.objects.filter(id=promotion.id).update(fingerprint=promotion.fingerprint)
        if not fingerprint.matches:
            return mismatch(fingerprint)
        if not job.spec.get("canary"):
            return None
        plan, person = TrialPlan(**job.spec["canary"]), promotion.created_by
        with kept(job):
            trial = begin_trial(
                job=job, adapter=promotion.version.adapter, candidate=deployment, plan=plan, created_by=person
            )
        return watch(trial) if trial else None

    def _let_go(self, job: Job, to: DeploymentState, text: str = "") -> None:
        promotion, trial = _promotion(job), trial_of(job)
        if trial is not None:
            end_trial(trial, TrialState.STOPPED)
            let_candidate_go(trial, at_once=True)
        elif promotion.deployment is not None:
            release(promotion.deployment, to=to, text=text)
            wake_reconciler()


def _promotion(job: Job) -> Promotion:
    rows = Promotion.objects.select_related("version__adapter", "deployment__version", "deployment__endpoint")
    return rows.get(id=job.spec["promotion"])


def _result(promotion: Promotion, trial: Trial | None) -> dict[str, Any]:
    name = promotion.deployment.name if promotion.deployment else ""
    result: dict[str, Any] = {"deployment": name, "fingerprint": promotion.fingerprint}
    if trial is not None:
        candidate = figures_of(trial).candidate
        result["canary"] = {"trial": str(trial.id), "callers": candidate.callers, "requests": candidate.requests}
    return result
