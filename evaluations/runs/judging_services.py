"""Every write to judgings."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction

from evaluations.judging.jurors import Juror
from evaluations.models import EvaluationRun, EvaluationState, Judging, JudgingState, RubricVersion
from evaluations.runs.judging_kind import JudgingKind
from jobs.services import start_job
from rest.errors import Conflict, PortalError
from tenants.audit.services import record_event
from tenants.models import Tenant, User

MOST_JUDGES = 5


def start_judging(
    *,
    tenant: Tenant,
    run: EvaluationRun,
    jury: Sequence[Juror],
    rubric_version: RubricVersion | None = None,
    is_pairwise: bool = False,
    created_by: User | None = None,
) -> Judging:
    """Have one judge or a jury grade the answers of an evaluation, by a rubric or by correctness alone.

    With `is_pairwise`, the evaluated version is also compared with each other model directly, in both orders.
    """
    if run.state != EvaluationState.READY:
        raise Conflict("Wait until the evaluation has finished.", code="judging:not_ready", field="evaluation")
    if not 1 <= len({juror.fingerprint for juror in jury}) <= MOST_JUDGES:
        raise PortalError(f"Choose 1 to {MOST_JUDGES} judges.", code="judging:judges", field="judges")
    judging = Judging(
        tenant=tenant,
        run=run,
        judges=[juror.to_dict() for juror in jury],
        rubric_version=rubric_version,
        is_pairwise=is_pairwise,
        created_by=created_by,
    )
    try:
        with transaction.atomic():
            judging.job = start_job(
                tenant=tenant,
                kind=JudgingKind.name,
                title=f"Judge the answers of {run.version}",
                spec={"judging": str(judging.id), "evaluation": str(run.id)},
                created_by=created_by,
            )
            judging.save(force_insert=True)
            after = {"judges": [juror.name for juror in jury], "rubric": str(rubric_version or "")}
            record_event("judging.started", judging, after=after)
            return judging
    except IntegrityError:
        if not Judging.objects.filter(run=run, state=JudgingState.RUNNING).exists():
            raise
        raise Conflict(
            "These answers are being judged already. Wait for that, or stop its job first.",
            code="judging:already_running",
            field="evaluation",
        ) from None
