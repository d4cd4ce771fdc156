"""Every write to evaluations."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction

from adapters.models import AdapterVersion
from corpora.models import DatasetVersion
from evaluations.models import EvaluatedModel, EvaluationRun, EvaluationState, Judge
from evaluations.runs.contenders import contenders
from evaluations.runs.judgings.services import JudgingWanted
from evaluations.runs.kinds import EvaluationKind
from evaluations.runs.stages.held_out import MOST_ROWS, USUAL_ROWS, rows_to_ask
from jobs.services import start_job
from rest.errors import Conflict, PortalError
from tenants.audit.services import record_event
from tenants.models import Tenant, User


def start_evaluation(
    *,
    tenant: Tenant,
    version: AdapterVersion,
    dataset_version: DatasetVersion | None = None,
    base: bool = True,
    versions: Sequence[AdapterVersion] = (),
    outside: Sequence[Judge] = (),
    rows: int = USUAL_ROWS,
    judging: JudgingWanted | None = None,
    created_by: User | None = None,
) -> EvaluationRun:
    """Start an evaluation of a version, its base, other `versions` and `outside` models on the same rows.

    The rows are those held out from `dataset_version`, by default the one that the version was trained on, or all of an
    evaluation set; at most `rows` of them. `judging` has language models grade the answers as soon as they are there.
    """
    dataset_version = dataset_version or version.run.dataset_version
    if not rows_to_ask(dataset_version):
        raise Conflict(
            f"{dataset_version} has no held-out rows to evaluate on. Choose an evaluation set, or upload a dataset "
            "with a test split and train on it.",
            code="evaluation:no_test_rows",
            field="version",
        )
    if not 1 <= rows <= MOST_ROWS:
        raise PortalError(f"Choose 1 to {MOST_ROWS:,} rows.", code="evaluation:rows", field="rows")
    if EvaluationRun.objects.filter(version=version, state=EvaluationState.RUNNING).exists():
        raise _already_running(version)
    run = EvaluationRun(
        tenant=tenant, version=version, dataset_version=dataset_version, rows_wanted=rows, created_by=created_by
    )
    models = contenders(run, base=base, versions=versions, outside=outside)
    try:
        with transaction.atomic():
            run.job = start_job(
                tenant=tenant,
                kind=EvaluationKind.name,
                title=f"Evaluate {version}",
                spec={
                    "version": str(version.id),
                    "dataset_version": str(dataset_version.id),
                    "judging": judging.to_dict() if judging else None,
                },
                created_by=created_by,
            )
            run.save(force_insert=True)
            EvaluatedModel.objects.bulk_create(models)
            record_event("evaluation.started", run, after={"models": [model.name for model in models]})
            return run
    except IntegrityError:
        raise _already_running(version) from None


def _already_running(version: AdapterVersion) -> Conflict:
    return Conflict(
        f"{version} is already being evaluated. Wait for that evaluation, or stop its job first.",
        code="evaluation:already_running",
        field="version",
    )
