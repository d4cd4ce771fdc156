"""Promotion, step by step: hold a deployment, put it on the endpoint, check that it answers as evaluated, switch.

Each step looks before it acts, so any of them may run twice. The switch is part of the transaction that ends the job.
"""

from dataclasses import asdict

from evaluations.runs.queries import known_answers
from jobs.kinds import Kind
from jobs.models import Job
from jobs.outcomes import Failed, JobError, Outcome, Retry, Running, Stopped, Succeeded
from serving.backends import endpoints
from serving.backends.base import EndpointBackend, Status
from serving.backends.errors import EndpointError
from serving.endpoints.deployments import hold_deployment, move, package_of
from serving.endpoints.tasks import wake_reconciler
from serving.models import HELD, PROMOTION, Deployment, DeploymentState, Endpoint, Promotion, Route
from serving.promotions.fingerprint import KNOWN_ANSWERS, take_fingerprint
from serving.promotions.routes import release, switch_route
from serving.promotions.waiting import check_again, waiting

RETRY_SECONDS = 10.0


class PromotionKind(Kind):
    """Puts a version behind its adapter's alias. `spec`: ids of the `promotion` and the `endpoint`."""

    name = PROMOTION
    # An endpoint that is away for five minutes is waited for.
    max_attempts = 30

    def step(self, job: Job) -> Outcome:
        promotion = _promotion(job)
        if wait := waiting(promotion):
            return wait
        check_again(promotion)
        endpoint = Endpoint.objects.get(id=job.spec["endpoint"])
        active = Route.objects.filter(adapter=promotion.version.adapter_id).values_list("active__version", flat=True)
        if promotion.version_id in active:
            return Succeeded(result={"already_active": True})
        deployment = promotion.deployment
        if deployment is None or deployment.state not in HELD:
            deployment = hold_deployment(endpoint=endpoint, version=promotion.version)
            Promotion.objects.filter(id=promotion.id).update(deployment=deployment)
        backend = endpoints[endpoint.backend]
        try:
            return self._deploy(backend, deployment) or self._check(backend, promotion, deployment)
        except EndpointError as error:
            known = JobError(code=error.code, text=error.text, temporary=error.temporary)
            return Retry(error=known, after=RETRY_SECONDS) if error.temporary else Failed(error=known)

    def cancel(self, job: Job) -> Outcome:
        return Stopped()

    def outcome(self, job: Job) -> str:
        if "fingerprint" not in job.result:
            return "This version was already live. Nothing was switched."
        known = job.result["fingerprint"]
        repeated = f" It repeated {known['matched']} of {known['asked']} answers of its evaluation there."
        return "The model ID switched to this version on the endpoint." + (repeated if known["asked"] else "")

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

    def _deploy(self, backend: EndpointBackend, deployment: Deployment) -> Outcome | None:
        """None once the deployment is in service."""
        seen = backend.describe(deployment.name)
        if seen.status is Status.MISSING:
            backend.deploy(deployment.name, package_of(deployment.version))
            seen = backend.describe(deployment.name)
        if seen.status is Status.FAILED:
            text = seen.text or "The endpoint could not load the adapter."
            return Failed(error=JobError(code="promotion:deployment_failed", text=text))
        if seen.status is not Status.IN_SERVICE:
            return Running(after=2.0, phase="deploying", fraction=0.2)
        if deployment.state == DeploymentState.CREATING:
            move(deployment, DeploymentState.IN_SERVICE)
        return None

    def _check(self, backend: EndpointBackend, promotion: Promotion, deployment: Deployment) -> Outcome:
        known = known_answers(promotion.version, KNOWN_ANSWERS)
        fingerprint = take_fingerprint(backend.target(deployment.name), known)
        Promotion.objects.filter(id=promotion.id).update(fingerprint=asdict(fingerprint))
        if fingerprint.matches:
            return waiting(promotion) or Succeeded(
                result={"deployment": deployment.name, "fingerprint": asdict(fingerprint)}
            )
        text = (
            f"The endpoint repeated only {fingerprint.matched} of {fingerprint.asked} answers of the evaluation, so "
            "its weights may differ. Nothing was switched. Evaluate the version again, then promote it."
        )
        return Failed(error=JobError(code="promotion:fingerprint_mismatch", text=text))

    def _let_go(self, job: Job, to: DeploymentState, text: str = "") -> None:
        promotion = _promotion(job)
        if promotion.deployment is not None:
            release(promotion.deployment, to=to, text=text)
            wake_reconciler()


def _promotion(job: Job) -> Promotion:
    rows = Promotion.objects.select_related("version__adapter", "deployment__version", "deployment__endpoint")
    return rows.get(id=job.spec["promotion"])
