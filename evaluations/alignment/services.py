"""Every write to alignments that is not a step of their job."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from evaluations.alignment.kinds import AlignmentKind
from evaluations.alignment.proposal import proposal_for
from evaluations.judges.configured import fingerprint
from evaluations.judging.aligned import stored
from evaluations.models import Alignment, AlignmentExample, AlignmentState, Judge, RubricVersion
from jobs.services import start_job
from rest.errors import Conflict, NotFound
from tenants.audit.services import record_event
from tenants.models import Tenant, User

SAME_AGAIN = (AlignmentState.MEASURED, AlignmentState.USED, AlignmentState.DROPPED)


def start_alignment(
    *, tenant: Tenant, judge: Judge, rubric_version: RubricVersion | None, created_by: User | None = None
) -> Alignment:
    """Choose examples from experts' grades for a new version of the judge, and start measuring it on other grades.

    Raises Conflict where there are too few grades, nothing to learn, or nothing new; the text says what to do.
    """
    found = proposal_for(judge, rubric_version)
    same = Alignment.objects.filter(
        judge=judge,
        rubric_version=rubric_version,
        fingerprint=found.after.fingerprint,
        before_fingerprint=found.before.fingerprint,
        state__in=SAME_AGAIN,
    )
    if same.exists():
        raise Conflict(
            "The grades so far gave the same examples before, and what came of them is known. Have experts grade more "
            "answers first.",
            code="alignment:nothing_new",
        )
    made = Alignment(
        tenant=tenant,
        judge=judge,
        judge_version=judge.version,
        judge_fingerprint=fingerprint(judge),
        before_fingerprint=found.before.fingerprint,
        fingerprint=found.after.fingerprint,
        rubric_version=rubric_version,
        labels=found.labels,
        example_count=len(found.examples),
        measured=[[str(one.answer), one.cluster, one.grade, one.score] for one in found.measured],
        created_by=created_by,
    )
    try:
        with transaction.atomic():
            made.job = start_job(
                tenant=tenant,
                kind=AlignmentKind.name,
                title=f"Align judge {judge.name} with experts",
                spec={"alignment": str(made.id)},
                created_by=created_by,
            )
            made.save(force_insert=True)
            for example in found.examples:
                example.alignment = made
            AlignmentExample.objects.bulk_create(found.examples)
            after = {
                "judge": judge.name,
                "rubric": str(rubric_version or ""),
                "examples": len(found.examples),
                "measured": len(found.measured),
            }
            record_event("judge.alignment_started", made, after=after)
    except IntegrityError:
        if not Alignment.objects.filter(
            judge=judge, rubric_version=rubric_version, state=AlignmentState.RUNNING
        ).exists():
            raise
        raise Conflict(
            f"“{judge.name}” is being aligned already. Wait for that, or stop its job first.",
            code="alignment:already_running",
        ) from None
    return made


@transaction.atomic
def use_alignment(*, alignment: Alignment, by: User | None = None) -> Alignment:
    """Have the judge grade with these examples from now on, by this rubric; those in use until now are dropped.

    Its licence begins anew, for it is another judge. Raises Conflict, or NotFound if it is deleted.
    """
    judge, locked = _locked(alignment)
    if locked.state == AlignmentState.USED:
        return locked
    if locked.state != AlignmentState.MEASURED:
        raise Conflict("Only a version that has been measured can be used.", code="alignment:not_measured")
    if fingerprint(judge) != locked.judge_fingerprint:
        raise Conflict(
            "The judge was changed after it was aligned, so what was measured no longer holds. Align it again.",
            code="alignment:judge_changed",
        )
    if stored(locked).fingerprint != locked.fingerprint:
        raise Conflict(
            "One of the examples was deleted with its evaluation, so this version no longer exists. Align the judge "
            "again.",
            code="alignment:example_deleted",
        )
    for other in Alignment.objects.filter(
        judge=judge, rubric_version=locked.rubric_version_id, state=AlignmentState.USED
    ):
        _decide(other, AlignmentState.DROPPED, by)
    return _decide(locked, AlignmentState.USED, by)


@transaction.atomic
def drop_alignment(*, alignment: Alignment, by: User | None = None) -> Alignment:
    """Do not use a measured version, or no longer use one in use: the judge grades without examples again.

    Raises Conflict, or NotFound if it is deleted.
    """
    _, locked = _locked(alignment)
    if locked.state == AlignmentState.DROPPED:
        return locked
    if locked.state not in (AlignmentState.MEASURED, AlignmentState.USED):
        raise Conflict("Only a version that has been measured can be dropped.", code="alignment:not_measured")
    return _decide(locked, AlignmentState.DROPPED, by)


def _locked(alignment: Alignment) -> tuple[Judge, Alignment]:
    # The judge first: two versions of it are not decided about at once.
    judge = Judge.objects.select_for_update().filter(id=alignment.judge_id).first()
    found = Alignment.objects.select_for_update(of=("self",)).filter(id=alignment.id).first() if judge else None
    if judge is None or found is None:
        raise NotFound("Alignment not found.")
    return judge, found


def _decide(alignment: Alignment, state: AlignmentState, by: User | None) -> Alignment:
    before, alignment.state = alignment.state, state
    alignment.decided_by, alignment.decided_at = by, timezone.now()
    alignment.save(update_fields=["state", "decided_by", "decided_at"])
    record_event(f"judge.alignment_{state}", alignment, before={"state": before}, after={"state": state})
    return alignment
