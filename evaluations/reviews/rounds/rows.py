"""What is known of the answers that a round may take: metrics, the judge's grades, and how it erred before."""

from collections import defaultdict
from statistics import fmean
from uuid import UUID

from django.db.models import Avg
from django.db.models.functions import Length

from evaluations.models import Answer, EvaluatedModel, EvaluationItem, EvaluationRun, Grade, Review
from evaluations.reviews.rounds.draw import Cell, Row
from evaluations.runs.stages.scoring import SHOWN


def rows_of(run: EvaluationRun, model: EvaluatedModel) -> list[Row]:
    """A row for each answer of the model; without the texts, which may be many."""
    judging = run.last_judging
    grades = {
        answer: (score, spread)
        for answer, score, spread in Grade.objects.filter(judging=judging, answer__model=model).values_list(
            "answer", "score", "spread"
        )
    }
    items = {
        item_id: (cluster, length)
        for item_id, cluster, length in EvaluationItem.objects.filter(run=run)
        .annotate(expected=Length("reference"))
        .values_list("id", "prompt_sha256", "expected")
    }
    answers = Answer.objects.filter(model=model).annotate(length=Length("text"))
    found = []
    for answer_id, item_id, scores, length in answers.values_list("id", "item", "scores", "length"):
        judged, spread = grades.get(answer_id, (None, 0.0))
        cluster, expected_length = items[item_id]
        known = [score for alias in SHOWN if (score := scores.get(alias)) is not None]
        found.append(
            Row(
                item=item_id,
                cluster=cluster,
                judged=judged,
                metric=fmean(known) if known else None,
                spread=spread,
                length=length,
                expected_length=expected_length,
            )
        )
    return sorted(found, key=lambda row: str(row.item))


def errors_of(run: EvaluationRun, rows: list[Row]) -> dict[Cell, list[float]]:
    """Expert less judge by cell, of the answers of this evaluation that were graded in earlier rounds."""
    by_item = {row.item: row for row in rows}
    graded = Review.objects.filter(round_item__round__run=run, grade__isnull=False).order_by()
    means: dict[UUID, float] = dict(graded.values_list("round_item__answer").annotate(Avg("grade")))
    judged = Grade.objects.filter(judging=run.last_judging)
    errors: dict[Cell, list[float]] = defaultdict(list)
    for answer, item, score in judged.filter(answer__in=means).values_list("answer", "answer__item", "score"):
        if item in by_item:
            errors[by_item[item].cell].append(means[answer] - score)
    return errors
