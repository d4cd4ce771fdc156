"""An A/B test, step by step: put the version on the endpoint, check it, let it answer its share; switch nothing."""

from adapters.models import AdapterVersion
from jobs.engine.lease import kept
from jobs.kinds import Kind
from jobs.models import Job
from jobs.outcomes import Outcome, Stopped, Succeeded
from serving.backends.errors import EndpointError
from serving.endpoints.deployments import hold_deployment, release
from serving.endpoints.loading import fingerprint_of, load, mismatch, outcome_of
from serving.endpoints.waking import wake_reconciler
from serving.models import Deployment, DeploymentState, Endpoint, TrialState
from serving.trials.queries import TRIAL, trial_of
from serving.trials.services import TrialPlan, begin_trial, end_trial, let_candidate_go
from serving.trials.watching import watch


class TrialKind(Kind):
    """Tries a version beside the live one. `spec`: ids of `version` and `endpoint`, and a TrialPlan as `plan`."""

    name = TRIAL
    title = "Trial"
    max_attempts = 30
    counts = False

    def step(self, job: Job) -> Outcome:
        trial = trial_of(job)
        try:
            outcome = watch(trial) if trial else self._begin(job)
        except EndpointError as error:
            return outcome_of(error)
        return outcome or Succeeded(result={"trial": str(trial.id)} if trial else {})

    def cancel(self, job: Job) -> Outcome:
        return Stopped()

    def outcome(self, job: Job) -> str:
        if "trial" not in job.result:
            return "This version went live meanwhile, so there was nothing to compare it with."
        if not job.spec["plan"]["percent"]:
            return "The shadow ended. Nobody saw what the version answered."
        return "The test ended, and no harm was found. The live version is the same as before."

    def on_succeeded(self, job: Job) -> None:
        self._end(job, at_once=False)

    def on_failed(self, job: Job) -> None:
        self._end(job, at_once=True)

    def on_stopped(self, job: Job) -> None:
        self._end(job, at_once=True)

    def _begin(self, job: Job) -> Outcome | None:
        version = AdapterVersion.objects.select_related("adapter").get(id=job.spec["version"])
        endpoint = Endpoint.objects.get(id=job.spec["endpoint"])
        with kept(job):
            deployment = hold_deployment(endpoint=endpoint, version=version)
        if outcome := load(deployment):
            return outcome
        fingerprint = fingerprint_of(deployment)
        if not fingerprint.matches:
            return mismatch(fingerprint)
        plan = TrialPlan(**job.spec["plan"])
        with kept(job):
            trial = begin_trial(
                job=job, adapter=version.adapter, candidate=deployment, plan=plan, created_by=job.created_by
            )
        return watch(trial) if trial else None

    def _end(self, job: Job, *, at_once: bool) -> None:
        trial = trial_of(job)
        if trial is not None:
            end_trial(trial, TrialState.STOPPED)
            let_candidate_go(trial, at_once=at_once)
            return
        unused = Deployment.objects.filter(version=job.spec["version"], endpoint=job.spec["endpoint"])
        for deployment in unused.filter(state__in=(DeploymentState.CREATING, DeploymentState.IN_SERVICE)):
            release(deployment, to=DeploymentState.DELETED)
        wake_reconciler()
