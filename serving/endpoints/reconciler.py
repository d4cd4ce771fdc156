"""Makes each endpoint hold what the database says it should: no less after a restart, no more after a drain.

It compares the endpoint's own list with the rows, so it does not matter what was lost in between.
"""

from collections.abc import Iterable

import structlog
from django.db import transaction
from django.utils import timezone

from serving.backends.base import EndpointBackend, Status
from serving.backends.errors import EndpointError
from serving.endpoints.deployments import is_our_name, move, package_of
from serving.endpoints.provisioning import advance
from serving.endpoints.queries import EndpointNotSetUp, backend_of
from serving.models import HELD, Deployment, DeploymentState, Endpoint, Route
from tenants.audit.services import record_event
from tenants.scope import system_scope

log = structlog.get_logger(__name__)

LOST = (None, Status.FAILED)
"""How a deployment may be listed, or not listed, that has to be put back."""


def reconcile() -> None:
    """Reconcile every endpoint; one that does not answer is left for the next time."""
    with system_scope():
        for endpoint in Endpoint.objects.standing():
            advance(endpoint)
            if not endpoint.is_serving:
                continue
            try:
                reconcile_endpoint(endpoint)
            except EndpointError as error:
                log.warning("endpoint_not_reconciled", endpoint=endpoint.name, code=error.code)
            except EndpointNotSetUp as error:
                log.error("endpoint_not_set_up", error=str(error))


def reconcile_endpoint(endpoint: Endpoint) -> None:
    """Runs in the site's scope. Raises EndpointError when the endpoint does not answer."""
    backend = backend_of(endpoint)
    end_drained(endpoint)
    # The endpoint is asked first: a deployment has its row before it gets there, so all it names that is held
    # will be found in the rows read afterwards.
    present = backend.list()
    held = list(Deployment.objects.filter(endpoint=endpoint, state__in=HELD).select_related("version"))
    lost = [d for d in held if d.state != DeploymentState.CREATING and present.get(d.name) in LOST]
    _restore(backend, lost)
    _remove_strays(endpoint, backend, present.keys() - {deployment.name for deployment in held})
    _apply_pins(backend, [deployment for deployment in held if deployment not in lost])
    backend.tidy({deployment.version.package_sha256 for deployment in held})


def end_drained(endpoint: Endpoint) -> None:
    """Let go of deployments whose drain is over."""
    over = Deployment.objects.filter(endpoint=endpoint, state=DeploymentState.DRAINING, drain_until__lte=timezone.now())
    for deployment in over.exclude(id__in=Route.objects.exclude(active=None).values("active")):
        if move(deployment, DeploymentState.DELETED):
            log.info("deployment_drained", deployment=deployment.name)


def _restore(backend: EndpointBackend, missing: Iterable[Deployment]) -> None:
    """Put back what an endpoint lost, in service first. A broken package must not keep the others away."""
    for deployment in sorted(missing, key=lambda d: d.state != DeploymentState.IN_SERVICE):
        try:
            backend.deploy(deployment.name, package_of(deployment.version))
        except EndpointError as error:
            if error.temporary:
                raise
            log.error("deployment_not_restored", deployment=deployment.name, code=error.code)
            Deployment.objects.filter(id=deployment.id).update(error_text=error.text)
        else:
            log.info("deployment_restored", deployment=deployment.name)
            Deployment.objects.filter(id=deployment.id).exclude(error_text="").update(error_text="")


def _apply_pins(backend: EndpointBackend, held: Iterable[Deployment]) -> None:
    """Keep what is pinned in its slot, also after a restart, and nothing else. An adapter that is lost has to come back
    first."""
    residency = backend.residency()
    if residency is None:
        return
    for deployment in held:
        is_pinned = deployment.name in residency.pinned
        if deployment.state == DeploymentState.CREATING or is_pinned == deployment.is_pinned:
            continue
        try:
            backend.pin(deployment.name, package_of(deployment.version), is_pinned=deployment.is_pinned)
        except EndpointError as error:
            if error.temporary:
                raise
            log.warning("deployment_not_pinned", deployment=deployment.name, code=error.code)
            _forget_pin(deployment, error)
        else:
            log.info("deployment_pinned" if deployment.is_pinned else "deployment_unpinned", deployment=deployment.name)
            Deployment.objects.filter(id=deployment.id).exclude(error_text="").update(error_text="")


@transaction.atomic
def _forget_pin(deployment: Deployment, error: EndpointError) -> None:
    """What an endpoint refuses is not tried again and again: each try may unload the adapter."""
    Deployment.objects.filter(id=deployment.id).update(is_pinned=False, error_text=error.text)
    if deployment.is_pinned:
        record_event("deployment.unpinned", deployment, after={"version": str(deployment.version), "why": error.text})


def _remove_strays(endpoint: Endpoint, backend: EndpointBackend, strays: Iterable[str]) -> None:
    for name in strays:
        # Read again: a promotion may have come back to this content since the rows were read.
        if is_our_name(name) and not Deployment.objects.filter(endpoint=endpoint, name=name, state__in=HELD).exists():
            try:
                backend.delete(name)
            except EndpointError as error:
                if error.code.startswith("platform:"):
                    raise
                # SageMaker deletes nothing that it is still making. The others must not wait for that.
                log.warning("stray_not_removed", deployment=name, code=error.code)
            else:
                log.info("stray_removed", deployment=name)
