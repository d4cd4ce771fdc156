"""A move, step by step: one alias after the other is put on the new endpoint, checked there, and switched.

The old deployments drain, so that requests under way are answered. A promotion or trial that began before ends where it
began, and what it made live is moved then.
"""

from jobs.engine.lease import kept
from jobs.kinds import Kind
from jobs.models import Job
from jobs.outcomes import Outcome, Running, Stopped, Succeeded
from serving.backends.errors import EndpointError
from serving.endpoints.deployments import hold_deployment, release
from serving.endpoints.loading import fingerprint_of, load, mismatch, outcome_of
from serving.endpoints.waking import wake_reconciler
from serving.models import Deployment, DeploymentState, Endpoint, Route, Trial, TrialState
from serving.moves.queries import MOVE, brought_in_vain, routes_elsewhere, unsettled_elsewhere
from serving.moves.routes import switch_endpoint

WAIT_SECONDS = 5.0


class MoveKind(Kind):
    """Moves a tenant's aliases of a base model. `spec`: ids of the `endpoint` and the `base_model`."""

    name = MOVE
    title = "Move to another endpoint"
    max_attempts = 30
    counts = False

    def step(self, job: Job) -> Outcome:
        endpoint = Endpoint.objects.get(id=job.spec["endpoint"])
        routes = list(routes_elsewhere(endpoint))
        tried = set(Trial.objects.filter(state=TrialState.RUNNING).values_list("live", flat=True))
        free = next((route for route in routes if route.active_id not in tried), None)
        if free is None:
            if routes or unsettled_elsewhere(endpoint):
                return Running(after=WAIT_SECONDS, phase="waiting for a promotion or trial to end", fraction=0.9)
            return Succeeded(result={"endpoint": endpoint.name})
        try:
            outcome = self._bring(job, free, endpoint)
        except EndpointError as error:
            return outcome_of(error)
        return outcome or Running(after=0.0, phase=f"moved {free.alias}", fraction=0.5)

    def cancel(self, job: Job) -> Outcome:
        return Stopped()

    def outcome(self, job: Job) -> str:
        return f"All live adapters answer from the endpoint {job.result['endpoint']} now. No request was lost."

    def on_failed(self, job: Job) -> None:
        self._let_go(job)

    def on_stopped(self, job: Job) -> None:
        self._let_go(job)

    def _bring(self, job: Job, route: Route, endpoint: Endpoint) -> Outcome | None:
        """None once the alias is answered from the endpoint."""
        with kept(job):
            active = hold_deployment(endpoint=endpoint, version=route.active.version)
        if outcome := load(active):
            return outcome
        fingerprint = fingerprint_of(active)
        if not fingerprint.matches:
            return mismatch(fingerprint)
        previous: Deployment | None = None
        if route.previous is not None and route.previous.state == DeploymentState.DRAINING:
            with kept(job):
                previous = hold_deployment(endpoint=endpoint, version=route.previous.version)
            if outcome := load(previous):
                return outcome
        switch_endpoint(seen=route, active=active, previous=previous)
        return None

    def _let_go(self, job: Job) -> None:
        """Of what was brought and not switched to."""
        for deployment in brought_in_vain(Endpoint.objects.get(id=job.spec["endpoint"])):
            release(deployment, to=DeploymentState.DELETED)
        wake_reconciler()
