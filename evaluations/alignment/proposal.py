"""What an alignment would be made of and cost, before it is started."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from evaluations.agreement.labels import Label, judgings_by, labels_of
from evaluations.alignment.chosen import chosen
from evaluations.alignment.halves import in_order, measures
from evaluations.alignment.measured import FEWEST_PROMPTS
from evaluations.alignment.overrides import candidates, rubric_of
from evaluations.alignment.rows import rows_of
from evaluations.judges.backends.errors import Unauthorised
from evaluations.judging.aligned import Aligned, aligned_of
from evaluations.judging.costs import Estimate, estimate
from evaluations.judging.jurors import Juror, aligned_juror, juror_for, juror_of
from evaluations.judging.plan import Plan
from evaluations.models import Alignment, AlignmentExample, Answer, Judge, Licence, RubricVersion
from rest.errors import Conflict, PortalError

MOST_MEASURED = 300
"""Answers that measure: an interval of a tenth of a grade, where the judge is usually half a grade off."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """`before` is the judge as it grades now, `after` with the `examples`, which are not saved.

    Of `labels` answers that experts and the judge graded, those in `measured` tell either version.
    """

    rubric_version: RubricVersion | None
    before: Juror
    after: Juror
    labels: int
    examples: list[AlignmentExample]
    measured: list[Label]

    @property
    def answers(self) -> list[str]:
        """Those that measure."""
        return [str(one.answer) for one in self.measured]

    def estimate(self) -> Estimate:
        """What measuring takes: only the new version is asked, since the grades of the other one are there."""
        plan = Plan(rubric=rubric_of(self.rubric_version))
        return estimate(self.after, plan, rows_of(self.answers))


def proposal_for(judge: Judge, rubric_version: RubricVersion | None) -> Proposal:
    """Always the same for the same grades. Raises Conflict where an alignment makes no sense, which says why."""
    try:
        plain = juror_of(judge)
    except Unauthorised as error:
        raise PortalError(f"“{judge.name}” cannot be asked. {error.text}", code="alignment:judge_unusable") from None
    before = juror_for(plain, rubric_version)
    rubric_id = rubric_version.id if rubric_version else None
    judgings = judgings_by(before.fingerprint, rubric_id)
    labels = labels_of(judgings, rubric_id, since=_begun_anew(before, rubric_id))
    measured = in_order([one for one in labels if measures(one.cluster)])[:MOST_MEASURED]
    _check_enough(labels, measured)
    found = chosen(candidates(judgings, [one for one in labels if not measures(one.cluster)], rubric_version))
    if not found:
        raise Conflict(
            "Experts and the judge are less than a grade apart on all answers that may become examples, so there is "
            "nothing to show it.",
            code="alignment:no_overrides",
        )
    texts = Answer.objects.select_related("item").in_bulk([one.answer for one in found])
    examples = [
        AlignmentExample(
            tenant_id=judge.tenant_id,
            position=position,
            criterion=one.criterion,
            answer=texts[one.answer],
            cluster=one.cluster,
            grade=one.grade,
            score=one.score,
            comment=one.comment,
        )
        for position, one in enumerate(found, 1)
    ]
    return Proposal(
        rubric_version=rubric_version,
        before=before,
        after=aligned_juror(plain, _aligned(plain, examples)),
        labels=len(labels),
        examples=examples,
        measured=measured,
    )


def _begun_anew(juror: Juror, rubric_version: UUID | None) -> dt.datetime | None:
    """When somebody began the judge's licence anew: what it gave before that was by a judge that drifted."""
    licence = Licence.objects.filter(fingerprint=juror.fingerprint, rubric_version=rubric_version).first()
    if licence is None or licence.counts_from is None or licence.counts_from <= licence.created_at:
        return None
    return licence.counts_from


def _aligned(plain: Juror, examples: Sequence[AlignmentExample]) -> Aligned:
    return aligned_of(Alignment(id=uuid4(), judge_fingerprint=plain.fingerprint), examples)


def _check_enough(labels: Sequence[Label], measured: Sequence[Label]) -> None:
    prompts = len({one.cluster for one in measured})
    if prompts < FEWEST_PROMPTS:
        raise Conflict(
            f"Experts have graded {len(labels)} random answers that this judge graded by the same rubric. Half of them "
            f"measure whether examples help: {prompts} different prompts so far, and at least {FEWEST_PROMPTS} are "
            "needed. Have experts grade more answers.",
            code="alignment:too_few_labels",
        )
