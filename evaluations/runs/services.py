"""Every write to evaluations."""

from django.db import IntegrityError, transaction

from adapters.models import AdapterVersion
from evaluations.models import EvaluationRun, EvaluationState
from evaluations.runs.kinds import EvaluationKind
from jobs.services import start_job
from rest.errors import Conflict
from tenants.audit.services import record_event
from tenants.models import Tenant, User

JUDGE = "default"


def start_evaluation(*, tenant: Tenant, version: AdapterVersion, created_by: User | None = None) -> EvaluationRun:
    """Start an evaluation of base and adapter on the test split of the version's dataset version."""
    dataset_version = version.run.dataset_version
    if not dataset_version.test_count:
        raise Conflict(
            f"{dataset_version} has no held-out rows to evaluate on. Upload one with a test split and train on it.",
            code="evaluation:no_test_rows",
            field="version",
        )
    if EvaluationRun.objects.filter(version=version, state=EvaluationState.RUNNING).exists():
        raise _already_running(version)
    try:
        with transaction.atomic():
            job = start_job(
                tenant=tenant,
                kind=EvaluationKind.name,
                title=f"Evaluate {version}",
                spec={"version": str(version.id), "dataset_version": str(dataset_version.id), "judge": JUDGE},
                created_by=created_by,
            )
            run: EvaluationRun = EvaluationRun.objects.create(
                tenant=tenant,
                version=version,
                dataset_version=dataset_version,
                job=job,
                judge=JUDGE,
                created_by=created_by,
            )
            record_event("evaluation.started", run, after={"judge": JUDGE})
            return run
    except IntegrityError:
        raise _already_running(version) from None


def _already_running(version: AdapterVersion) -> Conflict:
    return Conflict(
        f"{version} is already being evaluated. Wait for that evaluation, or stop its job first.",
        code="evaluation:already_running",
        field="version",
    )
