"""Every write to judgings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import IntegrityError, transaction

from evaluations.judges.backends import judges
from evaluations.judging.jurors import Juror, juror_for, jury_of, shared_juror
from evaluations.models import EvaluationRun, EvaluationState, Judging, JudgingState, RubricVersion
from evaluations.runs.judgings.kinds import JudgingKind
from evaluations.runs.stages.grading import SITE_JUDGE
from jobs.services import start_job
from rest.errors import Conflict, NotFound, PortalError
from tenants.audit.services import record_event
from tenants.models import Tenant, User

log = structlog.get_logger(__name__)

MOST_JUDGES = 5


@dataclass(frozen=True, kw_only=True)
class JudgingWanted:
    """The arguments of `start_judging` that an evaluation keeps until its answers are there."""

    jury: Sequence[Juror]
    rubric_version: RubricVersion | None = None
    is_pairwise: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As JSON, read back by `judge_at_once`."""
        return {
            "judges": [juror.to_dict() for juror in self.jury],
            "rubric_version": str(self.rubric_version.id) if self.rubric_version else None,
            "is_pairwise": self.is_pairwise,
        }


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

    With `is_pairwise`, the model that the evaluation is about is also compared with each other one, in both orders. A
    judge that is aligned with experts for the rubric grades with its examples.
    """
    if run.state != EvaluationState.READY:
        raise Conflict("Wait until the evaluation has finished.", code="judging:not_ready", field="evaluation")
    jury = [juror_for(juror, rubric_version) for juror in jury]
    _check_jury(jury)
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
                title=f"Judge the answers of {run.title}",
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


def _check_jury(jury: Sequence[Juror]) -> None:
    if not 1 <= len(jury) <= MOST_JUDGES:
        raise PortalError(f"Choose 1 to {MOST_JUDGES} judges.", code="judging:judges", field="judges")
    for number, one in enumerate(jury):
        for other in jury[:number]:
            if one.fingerprint == other.fingerprint:
                text = f"“{one.name}” and “{other.name}” are the same model with the same settings. Choose one of them."
                raise PortalError(text, code="judging:same_judge", field="judges")
            if one.name == other.name:
                text = f"Two of these judges are called “{one.name}”. Rename one, or choose one of them."
                raise PortalError(text, code="judging:same_judge", field="judges")


def judge_at_once(run: EvaluationRun) -> None:
    """Start the judging that was chosen with the evaluation, or by the site's judge if that is a language model.

    A judge or rubric that is gone in the meantime does not undo the evaluation.
    """
    wanted = run.job.spec.get("judging")
    if wanted is None and not judges[SITE_JUDGE].is_llm:
        return
    try:
        if wanted is None:
            jury, wanted = [shared_juror(SITE_JUDGE)], {"rubric_version": None, "is_pairwise": False}
        else:
            jury = jury_of(wanted["judges"])
        rubric_version = RubricVersion.objects.filter(id=wanted["rubric_version"]).first()
        if wanted["rubric_version"] and rubric_version is None:
            raise NotFound("Rubric not found.", field="rubric")
        start_judging(
            tenant=run.tenant,
            run=run,
            jury=jury,
            rubric_version=rubric_version,
            is_pairwise=wanted["is_pairwise"],
            created_by=run.created_by,
        )
    except PortalError as error:
        log.warning("evaluation_not_judged", code=error.code)
