"""Brings a deployment into service and checks that it answers as in its evaluation, a short step at a time."""

import datetime as dt

from django.utils import timezone

from evaluations.runs.queries import known_answers
from jobs.outcomes import Failed, JobError, Outcome, Retry, Running
from serving.backends.base import Status
from serving.backends.errors import EndpointError
from serving.endpoints.deployments import move, package_of
from serving.endpoints.fingerprint import KNOWN_ANSWERS, Fingerprint, take_fingerprint
from serving.endpoints.queries import backend_of
from serving.models import Deployment, DeploymentState

RETRY_SECONDS = 10.0

LOADING_LONG = dt.timedelta(minutes=3)
"""Loading usually takes seconds, and a minute or two in SageMaker; from then on it is told how long it has taken."""

PATIENCE = dt.timedelta(hours=1)
"""SageMaker itself gives up earlier."""


def load(deployment: Deployment) -> Outcome | None:
    """Put the deployment on its endpoint; None once it is in service. Raises EndpointError."""
    if not deployment.endpoint.is_serving:
        text = f"The endpoint {deployment.endpoint.name} is not in service."
        raise EndpointError("platform:endpoint_not_in_service", text, temporary=True)
    backend = backend_of(deployment.endpoint)
    seen = backend.describe(deployment.name)
    if seen.status is Status.MISSING:
        backend.deploy(deployment.name, package_of(deployment.version))
        seen = backend.describe(deployment.name)
    if seen.status is Status.FAILED:
        text = seen.text or "The endpoint could not load the adapter."
        return Failed(error=JobError(code="promotion:deployment_failed", text=text))
    if seen.status is not Status.IN_SERVICE:
        return _loading(deployment)
    if deployment.state == DeploymentState.CREATING:
        move(deployment, DeploymentState.IN_SERVICE)
    return None


def _loading(deployment: Deployment) -> Outcome:
    """Not in service yet. One that has been lost is the reconciler's, and has been loaded once."""
    waited = timezone.now() - deployment.created_at
    if deployment.state != DeploymentState.CREATING or waited < LOADING_LONG:
        return Running(after=2.0, phase="deploying", fraction=0.2)
    text = f"The endpoint has been loading the adapter for {waited // dt.timedelta(minutes=1)} minutes."
    if waited > PATIENCE:
        text += " Nothing was switched. Promote the version again, or contact your site’s operator."
        return Failed(error=JobError(code="promotion:deployment_failed", text=text))
    why = JobError(code="promotion:loading", text=f"{text} You can wait, or stop.")
    return Running(after=10.0, waits_for=why, phase="deploying", fraction=0.2)


def fingerprint_of(deployment: Deployment) -> Fingerprint:
    """Ask the deployment what its version was asked in its evaluation, on every server; the worst of them.

    Raises EndpointError.
    """
    known = known_answers(deployment.version, KNOWN_ANSWERS)
    targets = backend_of(deployment.endpoint).targets(deployment.name)
    return min((take_fingerprint(target, known) for target in targets), key=lambda fingerprint: fingerprint.matched)


def mismatch(fingerprint: Fingerprint) -> Failed:
    """The outcome where answers differ: a version is never tried on callers then."""
    text = (
        f"The endpoint repeated only {fingerprint.matched} of {fingerprint.asked} answers of the evaluation, so "
        "its weights may differ. Nothing was switched. Evaluate the version again, then promote it."
    )
    return Failed(error=JobError(code="promotion:fingerprint_mismatch", text=text))


def outcome_of(error: EndpointError) -> Outcome:
    """The outcome of a step that the endpoint let down."""
    known = JobError(code=error.code, text=error.text, temporary=error.temporary)
    return Retry(error=known, after=RETRY_SECONDS) if error.temporary else Failed(error=known)
