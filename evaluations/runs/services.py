"""Every write to evaluations."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction

from adapters.base_models.clouds import is_readable_by_runs
from adapters.models import AdapterVersion, BaseModel
from corpora.models import DatasetVersion
from evaluations.models import EvaluatedModel, EvaluationRun, EvaluationState, Judge, ModelKind
from evaluations.runs.contenders import about_of, contenders
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
    version: AdapterVersion | None = None,
    dataset_version: DatasetVersion | None = None,
    base: bool = True,
    base_model: BaseModel | None = None,
    versions: Sequence[AdapterVersion] = (),
    outside: Sequence[Judge] = (),
    alternatives: bool = True,
    rows: int = USUAL_ROWS,
    judging: JudgingWanted | None = None,
    created_by: User | None = None,
) -> EvaluationRun:
    """Start an evaluation of a version, its base, other `versions` and `outside` models on the same rows.

    Without a version it is about `base_model`, or if `base` is false or there is none, about the first outside model.
    The rows are those held out from `dataset_version`, by default the one that the version was trained on, or all of an
    evaluation set; at most `rows` of them. With `alternatives`, what would have needed no training answers the rows
    too, if the version's training rows are still stored. `judging` has language models grade the answers as soon as
    they are there.
    """
    run = EvaluationRun(
        tenant=tenant,
        version=version,
        base_model=base_model if version is None and base else None,
        rows_wanted=rows,
        has_alternatives=alternatives and version is not None,
        created_by=created_by,
    )
    if version is not None and base_model not in (None, run.base):
        raise PortalError(
            f"{version} is on another base model than {base_model}. Choose {run.base}.",
            code="evaluation:other_base_model",
            field="base_model",
        )
    models = contenders(run, base=base, versions=versions, outside=outside)
    if run.base is not None and any(model.kind != ModelKind.OUTSIDE for model in models):
        _check_readable(run.base, field="version" if version else "base_model")
    run.about = about_of(run, models)
    if dataset_version is None:
        if version is None:
            raise PortalError(
                "Choose the rows that the models answer: a dataset version with held-out rows, or an evaluation set.",
                code="evaluation:no_rows_chosen",
                field="dataset_version",
            )
        dataset_version = version.run.dataset_version
    run.dataset_version = dataset_version
    if not rows_to_ask(dataset_version):
        raise Conflict(
            f"{dataset_version} has no held-out rows to evaluate on. Choose an evaluation set, or upload a dataset "
            "with a test split and train on it.",
            code="evaluation:no_test_rows",
            field="version" if version else "dataset_version",
        )
    if not 1 <= rows <= MOST_ROWS:
        raise PortalError(f"Choose 1 to {MOST_ROWS:,} rows.", code="evaluation:rows", field="rows")
    own = next(model for model in models if model.key == run.about)
    title = str(version or run.base_model or own.name)
    same = EvaluationRun.objects.filter(version=version, state=EvaluationState.RUNNING)
    if version is None:
        same = same.filter(about=run.about, base_model=run.base_model)
    if same.exists():
        raise _already_running(title, run)
    try:
        with transaction.atomic():
            run.job = start_job(
                tenant=tenant,
                kind=EvaluationKind.name,
                title=f"Evaluate {title}",
                spec={
                    "version": str(version.id) if version else None,
                    "dataset_version": str(dataset_version.id),
                    "judging": judging.to_dict() if judging else None,
                    "machine": run.base.training_instance if run.base else "",
                },
                created_by=created_by,
            )
            run.save(force_insert=True)
            EvaluatedModel.objects.bulk_create(models)
            record_event("evaluation.started", run, after={"models": [model.name for model in models]})
            return run
    except IntegrityError:
        raise _already_running(title, run) from None


def _check_readable(base_model: BaseModel, *, field: str) -> None:
    if not is_readable_by_runs(base_model):
        raise Conflict(
            f"{base_model} can’t answer on this site yet: its files are not where evaluations run. "
            "Choose another base model, or ask your site’s operator to set its location.",
            code="evaluation:base_model_not_in_s3",
            field=field,
        )


def _already_running(title: str, run: EvaluationRun) -> Conflict:
    return Conflict(
        f"{title} is already being evaluated. Wait for that evaluation, or stop its job first.",
        code="evaluation:already_running",
        field="version" if run.version else "base_model" if run.base_model else "outside",
    )
