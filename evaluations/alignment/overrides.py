"""Reads what experts and a judge said of the same answers, by criterion."""

from collections import defaultdict
from collections.abc import Sequence
from statistics import median
from uuid import UUID

from evaluations.agreement.labels import Label
from evaluations.alignment.chosen import Candidate, candidate
from evaluations.judging.plan import CORRECTNESS
from evaluations.models import Grade, ItemPart, Judging, Review, RoundShape, RubricVersion
from evaluations.rubrics.document import RubricDocument, parsed

LONGEST_COMMENT = 400


def rubric_of(version: RubricVersion | None) -> RubricDocument:
    """The rubric, or correctness alone."""
    return parsed({**version.document, "name": version.rubric.name}) if version else CORRECTNESS


def candidates(judgings: Sequence[Judging], labels: Sequence[Label], version: RubricVersion | None) -> list[Candidate]:
    """Answers on which experts and the judge of the judgings are a grade or more apart, by each criterion.

    Only of rows whose prompt is known by its hash, for others could not be told again in another evaluation.
    """
    found = [one for one in labels if one.answer is not None and one.cluster != str(one.answer)]
    answers = [one.answer for one in found if one.answer is not None]
    said, comments = _said(answers, version)
    scores = _scores(judgings, answers)
    apart = []
    for one in rubric_of(version).criteria:
        criterion = one.criterion
        for label in found:
            answer = label.answer
            if answer is None:
                continue
            # Without a rubric there is one grade for the whole answer, and one score.
            grade = label.grade if version is None else said.get((answer, criterion.name))
            score = label.score if version is None else scores.get((answer, criterion.name))
            if grade is None or score is None:
                continue
            override = candidate(
                criterion,
                answer=answer,
                cluster=label.cluster,
                grade=grade,
                score=score,
                comment=comments.get(answer, ""),
            )
            if override is not None:
                apart.append(override)
    return apart


def _said(
    answers: Sequence[UUID], version: RubricVersion | None
) -> tuple[dict[tuple[UUID, str], float], dict[UUID, str]]:
    """The experts' verdict by answer and criterion, and the first comment by answer; of the first round that decided.

    The adjudication, or the median of those who had not seen the judge's grade.
    """
    reviews = (
        Review.objects.filter(
            round_item__answer__in=answers,
            round_item__part=ItemPart.UNIFORM,
            round_item__is_decided=True,
            round_item__round__shape=RoundShape.SINGLE,
            rubric_version=version,
        )
        .select_related("round_item")
        .order_by("round_item__round__created_at", "created_at", "id")
    )
    given: dict[UUID, list[Review]] = defaultdict(list)
    for review in reviews:
        of_answer = given[review.round_item.answer_id]
        if not of_answer or of_answer[0].round_item_id == review.round_item_id:
            of_answer.append(review)
    found: dict[tuple[UUID, str], float] = {}
    comments: dict[UUID, str] = {}
    for answer, all_of_it in given.items():
        counted = [one for one in all_of_it if one.is_adjudication] or [
            one for one in all_of_it if not one.has_seen_judge
        ]
        for name in {name for one in counted for name in one.grades}:
            found[answer, name] = float(median(one.grades[name] for one in counted if name in one.grades))
        comments[answer] = next((one.comment for one in counted if one.comment.strip()), "")[:LONGEST_COMMENT]
    return found, comments


def _scores(judgings: Sequence[Judging], answers: Sequence[UUID]) -> dict[tuple[UUID, str], float]:
    """The judge's score by answer and criterion, on the criterion's scale, from the first judging that has one."""
    grades = Grade.objects.filter(judging__in=judgings, answer__in=answers).order_by("judging__created_at")
    found: dict[tuple[UUID, str], float] = {}
    for answer, detail in grades.values_list("answer", "detail"):
        for name, by_judge in detail.items():
            score = next(iter(by_judge.values()))["score"]
            if score is not None:
                found.setdefault((answer, name), score)
    return found
