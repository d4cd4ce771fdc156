"""Reads all that an assessment of a licence is made of."""

from collections import defaultdict
from collections.abc import Sequence

from evaluations.agreement.labels import Label, judgings_by, labels_of
from evaluations.judging.aligned import example_rows, untaught
from evaluations.licences.calibration import carried_over
from evaluations.licences.findings import Known, Shift, Trial
from evaluations.licences.terms import TERMS
from evaluations.models import (
    Grade,
    Judging,
    Licence,
    LicenceChange,
    LicenceState,
    Qualification,
    QualificationState,
)
from evaluations.qualification.figures import Figures


def known_about(licence: Licence) -> Known:
    """In the tenant's scope."""
    judgings = judgings_by(licence.fingerprint, licence.rubric_version_id)
    labels = labels_of(judgings, licence.rubric_version_id, since=licence.counts_from)
    earlier, replaces = replaced_by(licence)
    return Known(
        tests=[Trial(judge=judge["name"], figures=_tested(untaught(judge))) for judge in licence.judges],
        labels=labels,
        scores=_scores(judgings, labels),
        shift=_shift(licence),
        was_licensed=_was_licensed(licence),
        replaces=replaces,
        earlier=carried_over(labels, earlier.map, earlier.residuals) if earlier else None,
    )


def _tested(fingerprint: str) -> Figures | None:
    """Figures of the newest test that ended with enough verdicts to conclude from.

    An aligned judge has that of the judge without examples, since the built-in questions have none.
    """
    found = Qualification.objects.filter(
        fingerprint=fingerprint, state__in=(QualificationState.READY, QualificationState.INCOMPLETE)
    ).first()
    return Figures.from_dict(found.figures) if found and found.state == QualificationState.READY else None


def _scores(judgings: Sequence[Judging], labels: Sequence[Label]) -> dict[str, list[float]]:
    """The judge's scores of every answer of the models that experts graded, by name."""
    names = {label.model: label.name for label in labels}
    shown = example_rows(one for judging in judgings for one in judging.judges)
    grades = Grade.objects.filter(judging__in=judgings, answer__model__sha256__in=names).exclude(
        answer__item__prompt_sha256__in=shown
    )
    found: dict[str, list[float]] = defaultdict(list)
    for model, score in grades.values_list("answer__model__sha256", "score").iterator():
        found[names[model]].append(score)
    return dict(found)


def _shift(licence: Licence) -> Shift | None:
    """The newest beyond the margin since the licence was begun, else the newest."""
    rows = licence.rejudgings.exclude(shift=None)
    if licence.counts_from is not None:
        rows = rows.filter(created_at__gt=licence.counts_from)
    found = [
        Shift(day=f"{day:%d %b %Y}", rows=count, shift=shift, low=low, high=high)
        for day, count, shift, low, high in rows.values_list("day", "rows", "shift", "low", "high")[:400]
        if shift is not None and low is not None and high is not None
    ]
    if TERMS.margin is not None:
        beyond = [one for one in found if one.beyond(TERMS.margin)]
        if beyond:
            return beyond[0]
    return found[0] if found else None


def _was_licensed(licence: Licence) -> bool:
    """Since it was begun."""
    changes = LicenceChange.objects.filter(licence=licence, state=LicenceState.LICENSED)
    if licence.counts_from is not None:
        changes = changes.filter(created_at__gt=licence.counts_from)
    return changes.exists()


def replaced_by(licence: Licence) -> tuple[Licence | None, str]:
    """The newest licence that a change of the judge or the rubric ended, and in words what changed."""
    if licence.is_jury:
        return None, ""
    by_rubric = Licence.objects.exclude(id=licence.id).filter(created_at__lt=licence.created_at)
    whose = {"judge": licence.judge_id} if licence.judge_id else {"alias": licence.alias, "judge": None}
    same_rubric = by_rubric.filter(**whose, rubric_version=licence.rubric_version_id)
    if found := same_rubric.exclude(fingerprint=licence.fingerprint).first():
        return found, "The judge’s model, settings or prompt changed, so that it needs a licence of its own."
    if licence.rubric_version_id:
        of_rubric = by_rubric.filter(
            fingerprint=licence.fingerprint,
            rubric_version__rubric=licence.rubric_version.rubric_id,
            rubric_version__number__lt=licence.rubric_version.number,
        )
        if found := of_rubric.order_by("-rubric_version__number").first():
            return found, "The rubric changed, so that the judge needs a licence for its new version."
    return None, ""
