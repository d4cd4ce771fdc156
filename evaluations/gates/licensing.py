"""What a decision takes from the licence of the judge."""

from collections import defaultdict
from statistics import StatisticsError, correlation
from typing import Any
from uuid import UUID

from evaluations.gates.reviewed import packed_review
from evaluations.judging.aligned import example_rows
from evaluations.judging.jurors import jury_fingerprint
from evaluations.licences.queries import licence_of, map_of
from evaluations.models import EvaluationItem, EvaluationRun, Grade, ItemPart, Judging, LicenceState, Review, RoundShape
from lorakit.gates.case import Licence
from lorakit.gates.reviewing import value_of
from lorakit.stats.isotonic import Map

WEIGHT, LEAST_CORRELATION = 0.5, 0.4
MOST_LABELS = 2_000


def licence_for(judging: Judging | None) -> Licence | None:
    """The licence of the judging's judge for its rubric, None if it never was assessed."""
    found = licence_of(judging) if judging is not None and judging.is_llm else None
    return Licence(judge=str(judging), state=found.state, reason=found.reason) if found is not None else None


def licensed_control(run: EvaluationRun) -> dict[str, Any] | None:
    """{weight, scores, grades} of a licensed judge whose mapped grades correlate with experts' at 0.4 or more.

    None where the judge was shown any of the rows with experts' grades: control needs its scores of all of them.
    """
    judging = run.last_judging
    found = licence_of(judging) if judging is not None and judging.is_llm else None
    to_grade = map_of(found) if found is not None and found.state == LicenceState.LICENSED else None
    if (
        judging is None
        or to_grade is None
        or _was_shown(judging)
        or agreement_so_far(judging, to_grade) < LEAST_CORRELATION
    ):
        return None
    return {"weight": WEIGHT, "scores": list(to_grade.scores), "grades": list(to_grade.grades)}


def _was_shown(judging: Judging) -> bool:
    rows = example_rows(judging.judges)
    return bool(rows) and EvaluationItem.objects.filter(run=judging.run_id, prompt_sha256__in=rows).exists()


def agreement_so_far(judging: Judging, to_grade: Map) -> float:
    """Pearson's correlation of the judge's mapped grades with experts', over random answers graded before; or 0."""
    fingerprint = jury_fingerprint(judging.judges)
    same = [
        one.id
        for one in Judging.objects.filter(rubric_version=judging.rubric_version_id)
        if jury_fingerprint(one.judges) == fingerprint
    ]
    reviews = (
        Review.objects.filter(
            round_item__is_decided=True,
            round_item__part=ItemPart.UNIFORM,
            round_item__round__shape=RoundShape.SINGLE,
            round_item__answer__grades__judging__in=same,
        )
        .exclude(round_item__item__prompt_sha256__in=example_rows(judging.judges))
        .select_related("round_item__round")
    )
    given: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for review in reviews.order_by("-created_at")[:MOST_LABELS]:
        packed = packed_review(review, review.round_item.round)
        if packed["counts"]:
            given[review.round_item.answer_id].append(packed)
    scores = dict(Grade.objects.filter(judging__in=same, answer__in=list(given)).values_list("answer_id", "score"))
    pairs = [
        (to_grade(scores[answer_id]), value)
        for answer_id, reviews_of_it in given.items()
        if answer_id in scores and (value := value_of(reviews_of_it)) is not None
    ]
    try:
        return correlation([judged for judged, _ in pairs], [value for _, value in pairs])
    except StatisticsError:
        return 0.0
